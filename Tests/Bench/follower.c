#define _GNU_SOURCE
#include "follower.h"

static const int64_t retry_after_ns = 20 * INT64_C(1000000);

static void wait_a_little(struct follower *follower) {
    follower->phase = IDLE;
    follower->retry_ns = now_ns() + retry_after_ns;
}

static void hang_up(struct follower *follower) {
    if (follower->fd > 0) close(follower->fd);
    follower->fd = 0;
    follower->response = (struct http_response){0};
}

static void ask(struct follower *follower, const char *name, size_t count) {
    char request[512];
    int length = snprintf(request, sizeof request, "GET %s%.*s HTTP/1.1\r\nHost: %s\r\n\r\n", follower->folder,
        (int)count, name, follower->origin->name);
    if (!follower->fd) {
        follower->fd = dial(follower->origin, 0);
        if (follower->fd < 0) {
            follower->errors++;
            hang_up(follower);
            return wait_a_little(follower);
        }
        watch_descriptor(follower->epoll, EPOLL_CTL_ADD, follower->fd, EPOLLIN, &follower->watch);
    }
    follower->fails = false;
    send(follower->fd, request, (size_t)length, MSG_NOSIGNAL);
}

static void ask_playlist(struct follower *follower) {
    follower->phase = READING_PLAYLIST;
    follower->playlist_count = 0;
    ask(follower, follower->playlist_name, strlen(follower->playlist_name));
}

/* The line at the cursor, which moves behind it; empty at the end. */
static struct bytes next_line(const char **cursor) {
    size_t count = strcspn(*cursor, "\r\n");
    struct bytes line = {*cursor, count};
    *cursor += count;
    *cursor += strspn(*cursor, "\r\n");
    return line;
}

/* The URI of the segment wanted. One that the playlist no longer lists is given up for the oldest that it does. */
static struct bytes wanted_segment(struct follower *follower) {
    static const char tag[] = "#EXT-X-MEDIA-SEQUENCE:";
    uint64_t sequence = 0;
    const char *cursor = follower->playlist;
    for (struct bytes line; (line = next_line(&cursor)).count;) {
        if (line.count > sizeof tag - 1 && !memcmp(line.start, tag, sizeof tag - 1))
            sequence = strtoull(line.start + sizeof tag - 1, NULL, 10);
        if (*line.start == '#') continue;
        if (!follower->joined || follower->sequence < sequence) follower->sequence = sequence;
        follower->joined = true;
        if (sequence++ == follower->sequence) return line;
    }
    return (struct bytes){0};
}

/* Asks for the segment wanted where the playlist lists it; otherwise for the playlist, at once or in a little while. */
static void go_on(struct follower *follower, bool is_fresh) {
    struct bytes segment = wanted_segment(follower);
    if (segment.count) {
        follower->phase = READING_SEGMENT;
        follower->take(follower, (struct bytes){0}, now_ns());
        ask(follower, segment.start, segment.count);
    } else if (is_fresh) {
        wait_a_little(follower);
    } else {
        ask_playlist(follower);
    }
}

static void take_playlist(struct follower *follower, struct bytes body) {
    size_t room = sizeof follower->playlist - 1 - follower->playlist_count;
    size_t count = body.count < room ? body.count : room;
    memcpy(follower->playlist + follower->playlist_count, body.start, count);
    follower->playlist_count += count;
    follower->playlist[follower->playlist_count] = 0;
}

static void take_end(struct follower *follower) {
    bool was_segment = follower->phase == READING_SEGMENT;
    if (follower->response.closes) hang_up(follower);
    if (follower->fails) {
        follower->missed += was_segment;
        return wait_a_little(follower);
    }
    if (was_segment) follower->sequence++;
    go_on(follower, !was_segment);
}

/* A segment that breaks off is left behind: what was lost of it shows as lost. */
static void take_cut(struct follower *follower) {
    if (follower->phase != IDLE) follower->errors++;
    if (follower->phase == READING_SEGMENT && follower->response.state > HTTP_FIELD) follower->sequence++;
    hang_up(follower);
    wait_a_little(follower);
}

static void take_body(struct follower *follower, struct bytes body, int64_t now) {
    if (follower->fails) return;
    if (follower->phase == READING_PLAYLIST) take_playlist(follower, body);
    else follower->take(follower, body, now);
}

void follower_ready(struct watch *watch, uint32_t events) {
    static char bytes[256 * 1024];
    struct follower *follower = (struct follower *)watch;
    (void)events;
    ssize_t count = recv(follower->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return take_cut(follower);
    int64_t now = now_ns();
    struct bytes input = {bytes, (size_t)count}, body;
    for (;;) switch (http_next(&follower->response, &input, &body)) {
        case HTTP_MORE:
            return;
        case HTTP_HEAD:
            follower->fails = follower->response.status != 200;
            break;
        case HTTP_BODY:
            take_body(follower, body, now);
            break;
        case HTTP_END:
            take_end(follower);
            break;
        case HTTP_INVALID:
            return take_cut(follower);
    }
}

void follower_set_up(struct follower *follower, const struct endpoint *origin, int epoll, const char *playlist_name,
    void (*take)(struct follower *follower, struct bytes body, int64_t now)) {
    follower->watch.ready = follower_ready;
    follower->origin = origin;
    follower->epoll = epoll;
    follower->playlist_name = playlist_name;
    follower->take = take;
}

int64_t follower_tick(struct follower *follower, int64_t now) {
    if (follower->phase != IDLE) return INT64_MAX;
    if (now < follower->retry_ns) return follower->retry_ns;
    ask_playlist(follower);
    return INT64_MAX;
}
