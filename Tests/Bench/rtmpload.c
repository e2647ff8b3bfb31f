/* rtmpload: publishes many streams of one FLV file (H.264 and AAC) over RTMP in real time, and reads them back.

   rtmpload [-n STREAMS] [-s SECONDS] [-c CHUNK-BYTES] [-r ORIGIN-HOST:PORT] [-m PLAYLIST] FILE.flv RTMP-URL

   The URL is rtmp://HOST:PORT/APP/NAME; %d in NAME stands for the stream's number from 0. The file is repeated with
   timestamps that go on; streams start spread over a second. Every video frame ends with an SEI that tells when it was
   sent. With -r each stream's media playlist (-m, source.m3u8) is followed from its first segment and every frame sent
   has to come, once and in order. Prints one line of NAME=VALUE; fails where a publisher did or a frame is missing.

   One thread, so that it can be kept to one processor; its own time is printed as cpu_s. */

#define _GNU_SOURCE
#include "follower.h"
#include "mark.h"
#include "publisher.h"

/* How long frames under way are waited for after the last publisher has ended. */
static const int64_t grace_ns = 3 * INT64_C(1000000000);

/* What reads a stream back and finds the marks in it. */
struct reader {
    struct follower follower;
    struct journal *journal;
    struct mark_finder finder;
};

struct stream {
    struct journal journal;
    struct publisher publisher;
    struct reader reader;
};

static int stream_count = 1;
static struct stream *streams;
static struct publication publication = {.chunk_bytes = 4096, .duration_ns = 10 * INT64_C(1000000000)};
static struct endpoint origin;
static bool follows;
static const char *playlist_name = "source.m3u8";
static struct lags lags;

static const char *read_options(int count, char **arguments) {
    int option;
    while ((option = getopt(count, arguments, "n:s:c:r:m:")) != -1) switch (option) {
        case 'n': stream_count = atoi(optarg); break;
        case 's': publication.duration_ns = (int64_t)(atof(optarg) * 1e9); break;
        case 'c': publication.chunk_bytes = strtoul(optarg, NULL, 10); break;
        case 'r': origin = endpoint_named(optarg); follows = true; break;
        case 'm': playlist_name = optarg; break;
        default: exit(2);
    }
    if (optind + 2 != count) give_up("rtmpload", "FILE.flv and RTMP-URL are needed");
    if (stream_count < 1 || publication.chunk_bytes < 1) give_up("rtmpload", "numbers start at 1");
    publication.file = flv_read(arguments[optind]);
    return publication_take_url(&publication, arguments[optind + 1]);
}

struct arrival {
    struct journal *journal;
    int64_t now;
};

static void take_mark(void *context, int64_t sent_ns) {
    const struct arrival *arrival = context;
    journal_received(arrival->journal, sent_ns, arrival->now, &lags);
}

static void take_segment(struct follower *follower, struct bytes body, int64_t now) {
    struct reader *reader = (struct reader *)follower;
    struct arrival arrival = {reader->journal, now};
    if (!body.count) mark_reset(&reader->finder);
    else if (!mark_find(&reader->finder, body, take_mark, &arrival)) follower->errors++;
}

static void set_up(struct stream *stream, int number, const char *pattern, int64_t now) {
    memset(stream, 0, sizeof *stream);
    int64_t start_ns = now + INT64_C(1000000000) * number / stream_count;
    publisher_set_up(&stream->publisher, &publication, &stream->journal, pattern, number, start_ns);
    stream->reader.journal = &stream->journal;
    struct follower *follower = &stream->reader.follower;
    follower_set_up(follower, &origin, publication.epoll, playlist_name, take_segment);
    snprintf(follower->folder, sizeof follower->folder, "/%.48s/%s/", publication.app, stream->publisher.name);
}

/* Does what is due everywhere. Gives back when something is due again: never, once all is over. */
static int64_t tick(int64_t now, bool *is_over) {
    static int64_t end = INT64_MAX;
    int64_t next = INT64_MAX;
    bool all_ended = true, all_came = true;
    for (int i = 0; i < stream_count; i++) {
        struct stream *stream = &streams[i];
        int64_t due = publisher_tick(&stream->publisher, now);
        if (due < next) next = due;
        all_ended &= publisher_is_over(&stream->publisher);
        if (!follows || !stream->journal.sent) continue;
        due = follower_tick(&stream->reader.follower, now);
        if (due < next) next = due;
        all_came &= stream->journal.came == stream->journal.sent;
    }
    if (all_ended && end == INT64_MAX) end = now + grace_ns;
    *is_over = all_ended && (!follows || all_came || now >= end);
    return next < end ? next : end;
}

static bool report(void) {
    size_t failed = 0, refused = 0, missed = 0, errors = 0;
    struct journal sum = {0};
    for (int i = 0; i < stream_count; i++) {
        const struct stream *stream = &streams[i];
        failed += stream->publisher.phase == FAILED;
        refused += stream->publisher.refused_frames;
        missed += stream->reader.follower.missed;
        errors += stream->reader.follower.errors;
        sum.sent += stream->journal.sent;
        sum.came += stream->journal.came;
        sum.repeated += stream->journal.repeated;
        sum.misplaced += stream->journal.misplaced;
        sum.unknown += stream->journal.unknown;
    }
    printf("streams=%d failed=%zu refused=%zu sent=%zu", stream_count, failed, refused, sum.sent);
    bool is_good = !failed && !refused && sum.sent;
    if (follows) {
        printf(" received=%zu lost=%zu duplicated=%zu out_of_order=%zu unknown=%zu missed=%zu errors=%zu", sum.came,
            sum.sent - sum.came, sum.repeated, sum.misplaced, sum.unknown, missed, errors);
        lags_print(&lags, "");
        is_good &= sum.came == sum.sent && !sum.repeated && !sum.misplaced && !sum.unknown;
    }
    printf(" cpu_s=%.2f\n", cpu_seconds());
    return is_good;
}

int main(int count, char **arguments) {
    const char *pattern = read_options(count, arguments);
    raise_file_limit();
    publication.epoll = epoll_create1(EPOLL_CLOEXEC);
    streams = resized(NULL, (size_t)stream_count * sizeof *streams);
    int64_t now = now_ns();
    for (int i = 0; i < stream_count; i++) set_up(&streams[i], i, pattern, now);
    watch_all(publication.epoll, tick);
    return report() ? 0 : 1;
}
