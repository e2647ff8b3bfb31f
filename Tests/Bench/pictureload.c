/* pictureload: how long pictures take through a ladder. Publishes one FLV file (H.264 without B-frames, numbered
   pictures, and AAC) over RTMP in real time, and reads renditions of it back.

   pictureload [-s SECONDS] [-g GRACE-SECONDS] [-o FILE] -r ORIGIN-HOST:PORT FILE.flv RTMP-URL RENDITION…

   The URL is rtmp://HOST:PORT/APP/NAME. The file is repeated with timestamps that go on. RENDITION.m3u8 beside NAME's
   playlist is followed from its first segment; what comes is kept with its times, and decoded when all is over. A
   picture's lag is from when it was sent to when the last byte of its access unit had come. A picture that is not seen
   though the rendition had begun is lost.

   Prints a line of NAME=VALUE, then one for each rendition. Where `source` is among them, the others' added_… tell how
   much later each picture came than there. -o writes a line for each picture: rendition, number, the time it was sent
   in seconds since 1970, lag in ms. Fails where the publisher did or a rendition brought no picture.

   One thread. */

#define _GNU_SOURCE
#include "follower.h"
#include "picture.h"
#include "publisher.h"
#include "recording.h"

static const int64_t warm_up_ns = 2 * INT64_C(1000000000), not_seen = -1;

struct rendition {
    struct follower follower;
    struct recording recording;
    const char *name;
    char playlist_name[64];
    int64_t *lags;          /* of each picture sent; not_seen */
    size_t seen, repeated, unreadable;
};

static struct publication publication = {.chunk_bytes = 4096, .duration_ns = 10 * INT64_C(1000000000)};
static struct publisher publisher;
static struct journal journal;
static struct endpoint origin;
static struct rendition *renditions;
static int rendition_count;
static size_t picture_count;   /* in one round of the file */
static int64_t grace_ns = 3 * INT64_C(1000000000);
static const char *series_path;

static void take_segment(struct follower *follower, struct bytes body, int64_t now) {
    recording_take(&((struct rendition *)follower)->recording, body, now);
}

static void set_up(struct rendition *rendition, const char *name) {
    memset(rendition, 0, sizeof *rendition);
    rendition->name = name;
    snprintf(rendition->playlist_name, sizeof rendition->playlist_name, "%.56s.m3u8", name);
    struct follower *follower = &rendition->follower;
    follower_set_up(follower, &origin, publication.epoll, rendition->playlist_name, take_segment);
    snprintf(follower->folder, sizeof follower->folder, "/%.48s/%s/", publication.app, publisher.name);
}

static void read_options(int count, char **arguments) {
    int option;
    while ((option = getopt(count, arguments, "s:g:o:r:")) != -1) switch (option) {
        case 's': publication.duration_ns = (int64_t)(atof(optarg) * 1e9); break;
        case 'g': grace_ns = (int64_t)(atof(optarg) * 1e9); break;
        case 'o': series_path = optarg; break;
        case 'r': origin = endpoint_named(optarg); break;
        default: exit(2);
    }
    if (!origin.length || optind + 3 > count) give_up("pictureload", "-r, FILE.flv, RTMP-URL and RENDITION are needed");
    publication.file = flv_read(arguments[optind]);
    for (size_t i = 0; i < publication.file.count; i++) picture_count += publication.file.tags[i].mark != NULL;
    if (!picture_count) give_up(arguments[optind], "no pictures");
    const char *name = publication_take_url(&publication, arguments[optind + 1]);
    publisher_set_up(&publisher, &publication, &journal, name, 0, now_ns());
    rendition_count = count - optind - 2;
    renditions = resized(NULL, (size_t)rendition_count * sizeof *renditions);
    for (int i = 0; i < rendition_count; i++) set_up(&renditions[i], arguments[optind + 2 + i]);
}

static int64_t tick(int64_t now, bool *is_over) {
    static int64_t end = INT64_MAX;
    int64_t next = publisher_tick(&publisher, now);
    for (int i = 0; i < rendition_count && journal.sent; i++) {
        int64_t due = follower_tick(&renditions[i].follower, now);
        if (due < next) next = due;
    }
    if (publisher_is_over(&publisher) && end == INT64_MAX) end = publisher.phase == FAILED ? now : now + grace_ns;
    *is_over = now >= end;
    return next < end ? next : end;
}

/* The last picture of this number that had been sent by then; how many were sent if there is none. */
static size_t picture_sent(int number, int64_t now) {
    size_t sent = journal.sent;
    while (sent && journal.sent_ns[sent - 1] > now) sent--;
    if (!sent || number < 0 || (size_t)number >= picture_count) return journal.sent;
    size_t before = (sent - 1 + picture_count - (size_t)number) % picture_count;
    return before < sent ? sent - 1 - before : journal.sent;
}

static void take_picture(void *context, int number, int64_t now) {
    struct rendition *rendition = context;
    size_t picture = picture_sent(number, now);
    if (picture == journal.sent) {
        rendition->unreadable++;
    } else if (rendition->lags[picture] != not_seen) {
        rendition->repeated++;
    } else {
        rendition->lags[picture] = now - journal.sent_ns[picture];
        rendition->seen++;
    }
}

static void take_unit(void *context, const uint8_t *bytes, size_t count, int64_t now) {
    picture_read(context, bytes, (int)count, now);
}

static void decode(struct rendition *rendition) {
    rendition->lags = resized(NULL, (journal.sent + 1) * sizeof *rendition->lags);
    for (size_t i = 0; i < journal.sent; i++) rendition->lags[i] = not_seen;
    struct picture_reader *reader = picture_reader_new(take_picture, rendition);
    recording_access_units(&rendition->recording, take_unit, reader);
    picture_read(reader, NULL, 0, 0);
}

static const struct rendition *source_rendition(void) {
    for (int i = 0; i < rendition_count; i++)
        if (!strcmp(renditions[i].name, "source")) return &renditions[i];
    return NULL;
}

static void report(const struct rendition *rendition, const struct rendition *source) {
    struct lags lags = {0}, added = {0};
    size_t first = 0;
    while (first < journal.sent && rendition->lags[first] == not_seen) first++;
    for (size_t i = first; i < journal.sent; i++) {
        if (rendition->lags[i] == not_seen || journal.sent_ns[i] - journal.sent_ns[0] < warm_up_ns) continue;
        lags_add(&lags, rendition->lags[i]);
        if (!source || source == rendition || source->lags[i] == not_seen) continue;
        int64_t difference = rendition->lags[i] - source->lags[i];
        lags_add(&added, difference > 0 ? difference : 0);
    }
    printf("rendition=%s seen=%zu lost=%zu repeated=%zu unreadable=%zu missed=%zu errors=%zu", rendition->name,
        rendition->seen, journal.sent - first - rendition->seen, rendition->repeated, rendition->unreadable,
        rendition->follower.missed, rendition->follower.errors);
    lags_print(&lags, "");
    if (added.count) lags_print(&added, "added_");
    printf("\n");
}

static void write_series(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    double to_epoch = (double)time.tv_sec + (double)time.tv_nsec / 1e9 - (double)now_ns() / 1e9;
    FILE *file = fopen(series_path, "w");
    if (!file) give_up(series_path, strerror(errno));
    for (int i = 0; i < rendition_count; i++)
        for (size_t k = 0; k < journal.sent; k++)
            if (renditions[i].lags[k] != not_seen)
                fprintf(file, "%s %zu %.3f %.3f\n", renditions[i].name, k,
                    (double)journal.sent_ns[k] / 1e9 + to_epoch, (double)renditions[i].lags[k] / 1e6);
    fclose(file);
}

int main(int count, char **arguments) {
    publication.epoll = epoll_create1(EPOLL_CLOEXEC);
    read_options(count, arguments);
    watch_all(publication.epoll, tick);
    bool is_good = publisher.phase == OVER && !publisher.refused_frames;
    printf("sent=%zu failed=%d refused=%zu\n", journal.sent, publisher.phase == FAILED, publisher.refused_frames);
    for (int i = 0; i < rendition_count; i++) {
        decode(&renditions[i]);
        is_good &= renditions[i].seen > 0;
    }
    for (int i = 0; i < rendition_count; i++) report(&renditions[i], source_rendition());
    if (series_path) write_series();
    return is_good ? 0 : 1;
}
