/* growload: how an HTTP server passes growing objects on. Pushes one-second segments by chunked PUT, frame by frame,
   and reads each with many viewers while it grows; prints how long frames took and how many came.

   growload [-t] [-n VIEWERS] [-s SECONDS] [-f FRAMES/S] [-b BIT/S] [-l WINDOW] [-q PUSH-HOST:PORT] [-P PATH-PREFIX]
            HOST:PORT

   -t is for TLS, -l for a playlist beside each segment's begin, with so many before it and the two to come.
   A frame starts with its number and the CLOCK_MONOTONIC ns at which it was sent; it has come when its last byte has.
   Viewers ask for a segment once its push has begun. Prints one line of NAME=VALUE. */

#define _GNU_SOURCE
#include "http.h"
#include "wire.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>

/* How often viewers look for the segment they wait for, and how long they go on after the last push. */
static const int64_t poll_ns = 20 * INT64_C(1000000), grace_ns = INT64_C(1000000000);

struct frame_head {
    uint32_t number;
    uint32_t magic;
    int64_t sent_ns;
};
static const uint32_t frame_magic = 0x48575453;

struct viewer {
    struct wire wire;
    int segment;
    bool waits, skips;
    size_t offset;
    struct frame_head head;
    struct http_response response;
};

static const char *prefix = "/bench/v";
static int viewer_count = 100, seconds = 6, frames_per_second = 30, window;
static long bits_per_second = 3000000;
static size_t frame_bytes;
static struct endpoint push_endpoint, read_endpoint;
static int epoll;
static SSL_CTX *tls;
static struct lags lags;
static long errors, missed;
static _Atomic long push_errors;
static _Atomic int segments_begun;
static _Atomic bool pushed_all;

/* Whether the push was taken and the connection can take another. */
static bool push_answered(struct wire *wire) {
    struct http_response response = {0};
    char bytes[4096];
    for (;;) {
        ssize_t count = wire_receive(wire, bytes, sizeof bytes);
        if (count <= 0) return false;
        struct bytes input = {bytes, (size_t)count}, body;
        enum http_event event;
        while ((event = http_next(&response, &input, &body)) != HTTP_MORE) {
            if (event == HTTP_INVALID) return false;
            if (event == HTTP_END) return response.status / 100 == 2 && !response.closes;
        }
    }
}

/* The frame as an HTTP chunk, laid out at its start; gives back how long it is. */
static size_t frame_chunk(char *chunk, uint32_t number) {
    struct frame_head head = {number, frame_magic, now_ns()};
    size_t size = (size_t)sprintf(chunk, "%zx\r\n", frame_bytes);
    memcpy(chunk + size, &head, sizeof head);
    memcpy(chunk + size + frame_bytes, "\r\n", 2);
    return size + frame_bytes + 2;
}

/* A live playlist around the segment. */
static bool push_playlist(struct wire *wire, int segment) {
    const char *slash = strrchr(prefix, '/'), *name = slash ? slash + 1 : prefix;
    int first = segment > window ? segment - window : 0;
    char *list = NULL, head[512];
    size_t size;
    FILE *text = open_memstream(&list, &size);
    if (!text) give_up("open_memstream", strerror(errno));
    fprintf(text, "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:%d\n", first);
    for (int i = first; i <= segment + 2; i++) fprintf(text, "#EXTINF:1,\n%s-%05d.ts\n", name, i);
    fclose(text);
    int count = snprintf(head, sizeof head,
        "PUT %s.m3u8 HTTP/1.1\r\nHost: %s\r\nContent-Type: application/vnd.apple.mpegurl\r\n"
        "Content-Length: %zu\r\n\r\n",
        prefix, push_endpoint.name, size);
    bool taken = wire_send(wire, head, (size_t)count) && wire_send(wire, list, size) && push_answered(wire);
    free(list);
    return taken;
}

static bool push_segment(struct wire *wire, struct wire *playlists, int segment, int64_t first_due, char *chunk) {
    char head[512];
    int count = snprintf(head, sizeof head,
        "PUT %s-%05d.ts HTTP/1.1\r\nHost: %s\r\nContent-Type: video/MP2T\r\nTransfer-Encoding: chunked\r\n\r\n", prefix,
        segment, push_endpoint.name);
    if (!wire_send(wire, head, (size_t)count)) return false;
    segments_begun = segment + 1;
    if (window && !push_playlist(playlists, segment)) return false;
    for (int frame = 0; frame < frames_per_second; frame++) {
        int64_t due = first_due + frame * INT64_C(1000000000) / frames_per_second;
        struct timespec until = {due / 1000000000, due % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        uint32_t number = (uint32_t)(segment * frames_per_second + frame);
        if (!wire_send(wire, chunk, frame_chunk(chunk, number))) return false;
    }
    return wire_send(wire, "0\r\n\r\n", 5) && push_answered(wire);
}

static void *push(void *unused) {
    char *chunk = resized(NULL, frame_bytes + 64);
    memset(chunk, 'x', frame_bytes + 64);
    /* The server may first take every viewer's connection: it is growing objects that are measured. */
    usleep(300000 + 100 * (useconds_t)viewer_count);
    struct wire wire = {.fd = -1}, playlists = {.fd = -1};
    int64_t start = now_ns();
    for (int segment = 0; segment < seconds; segment++) {
        if (wire.fd < 0) wire = wire_open(&push_endpoint, tls);
        if (window && playlists.fd < 0) playlists = wire_open(&push_endpoint, tls);
        int64_t first_due = start + segment * INT64_C(1000000000);
        if (wire.fd >= 0 && push_segment(&wire, &playlists, segment, first_due, chunk)) continue;
        push_errors++;
        segments_begun = segment + 1;
        wire_close(&wire);
        wire_close(&playlists);
    }
    pushed_all = true;
    return unused;
}

static void ask(struct viewer *viewer) {
    char request[512];
    int count = snprintf(request, sizeof request, "GET %s-%05d.ts HTTP/1.1\r\nHost: %s\r\n\r\n", prefix,
        viewer->segment, read_endpoint.name);
    viewer->waits = viewer->skips = false;
    viewer->offset = 0;
    wire_send(&viewer->wire, request, (size_t)count);
}

static void go_on(struct viewer *viewer) {
    viewer->segment++;
    viewer->waits = true;
    if (viewer->segment < segments_begun) ask(viewer);
}

static void connect_viewer(struct viewer *viewer) {
    viewer->response = (struct http_response){0};
    viewer->waits = true;
    viewer->wire = wire_open(&read_endpoint, tls);
    if (viewer->wire.fd < 0) give_up(read_endpoint.name, "no connection");
    wire_do_not_block(&viewer->wire);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = viewer};
    epoll_ctl(epoll, EPOLL_CTL_ADD, viewer->wire.fd, &event);
}

/* A viewer that was cut starts again with the segment after: the frames it did not get stay missing. */
static void reconnect(struct viewer *viewer) {
    errors++;
    wire_close(&viewer->wire);
    if (!viewer->waits) viewer->segment++;
    connect_viewer(viewer);
}

static void take_body(struct viewer *viewer, struct bytes body, int64_t now) {
    while (body.count) {
        size_t inside = viewer->offset % frame_bytes, count = frame_bytes - inside;
        if (count > body.count) count = body.count;
        if (inside < sizeof viewer->head) {
            size_t wanted = sizeof viewer->head - inside;
            memcpy((char *)&viewer->head + inside, body.start, count < wanted ? count : wanted);
        }
        body.start += count;
        body.count -= count;
        viewer->offset += count;
        if (viewer->offset % frame_bytes) return;
        size_t frame = viewer->offset / frame_bytes - 1;
        uint32_t number = (uint32_t)(viewer->segment * frames_per_second) + (uint32_t)frame;
        if (viewer->head.magic == frame_magic && viewer->head.number == number) {
            lags_add(&lags, now - viewer->head.sent_ns);
        } else {
            errors++;
        }
    }
}

/* Whether the connection is still the one it was. */
static bool take(struct viewer *viewer, struct bytes input) {
    int64_t now = now_ns();
    struct bytes body;
    for (;;) switch (http_next(&viewer->response, &input, &body)) {
        case HTTP_MORE:
            return true;
        case HTTP_HEAD:
            viewer->skips = viewer->response.status != 200;
            if (viewer->response.status == 404) missed++;
            else if (viewer->skips) errors++;
            break;
        case HTTP_BODY:
            if (!viewer->skips) take_body(viewer, body, now);
            break;
        case HTTP_END:
            if (viewer->response.closes) return reconnect(viewer), false;
            if (viewer->skips) viewer->waits = true;
            else go_on(viewer);
            break;
        case HTTP_INVALID:
            return reconnect(viewer), false;
    }
}

static void read_viewer(struct viewer *viewer) {
    static char bytes[256 * 1024];
    do {
        ssize_t count = wire_receive(&viewer->wire, bytes, sizeof bytes);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) return reconnect(viewer);
        if (!take(viewer, (struct bytes){bytes, (size_t)count})) return;
    } while (wire_holds_more(&viewer->wire));
}

/* Lets waiting viewers ask; false once all have read everything. */
static bool ask_all(struct viewer *viewers) {
    bool wanted = false;
    for (int i = 0; i < viewer_count; i++) {
        wanted |= viewers[i].segment < seconds;
        if (viewers[i].waits && viewers[i].segment < segments_begun) ask(&viewers[i]);
    }
    return wanted;
}

static void view(struct viewer *viewers) {
    struct epoll_event events[512];
    int64_t next_poll = 0, end = INT64_MAX;
    for (;;) {
        int64_t now = now_ns();
        if (now >= next_poll) {
            if (!ask_all(viewers) || now > end) return;
            next_poll = now + poll_ns;
            if (pushed_all && end == INT64_MAX) end = now + grace_ns;
        }
        int ready = epoll_wait(epoll, events, 512, 5);
        for (int i = 0; i < ready; i++) read_viewer(events[i].data.ptr);
    }
}

static void read_options(int count, char **arguments) {
    const char *push_name = NULL;
    int option;
    while ((option = getopt(count, arguments, "tn:s:f:b:l:q:P:")) != -1) switch (option) {
        case 't': tls = tls_client(); break;
        case 'n': viewer_count = atoi(optarg); break;
        case 's': seconds = atoi(optarg); break;
        case 'f': frames_per_second = atoi(optarg); break;
        case 'b': bits_per_second = atol(optarg); break;
        case 'l': window = atoi(optarg); break;
        case 'q': push_name = optarg; break;
        case 'P': prefix = optarg; break;
        default: exit(2);
    }
    if (optind + 1 != count) give_up("growload", "one HOST:PORT is needed");
    if (viewer_count < 1 || seconds < 1 || frames_per_second < 1) give_up("growload", "numbers start at 1");
    frame_bytes = (size_t)(bits_per_second / 8 / frames_per_second);
    if (frame_bytes < sizeof(struct frame_head)) give_up("growload", "the bit rate is too low");
    read_endpoint = endpoint_named(arguments[optind]);
    push_endpoint = push_name ? endpoint_named(push_name) : read_endpoint;
}

int main(int count, char **arguments) {
    read_options(count, arguments);
    raise_file_limit();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct viewer *viewers = resized(NULL, (size_t)viewer_count * sizeof *viewers);
    memset(viewers, 0, (size_t)viewer_count * sizeof *viewers);
    for (int i = 0; i < viewer_count; i++) connect_viewer(&viewers[i]);
    pthread_t pusher;
    if (pthread_create(&pusher, NULL, push, NULL)) give_up("pthread_create", "no thread");
    view(viewers);
    pthread_join(pusher, NULL);
    double expected = (double)viewer_count * seconds * frames_per_second;
    printf("viewers=%d frames=%zu percent=%.2f missed=%ld errors=%ld push_errors=%ld cpu_s=%.2f", viewer_count,
        lags.count, 100 * (double)lags.count / expected, missed, errors, (long)push_errors, cpu_seconds());
    lags_print(&lags, "");
    putchar('\n');
    return lags.count == (size_t)expected ? 0 : 1;
}
