/* idleload: what viewers cost that only wait. Announces an object by a playlist, lets viewers ask for it, begins it
   when all are held, ends it, and leaves the connections open; tells a server's memory at each step.

   idleload [-t] [-n VIEWERS] [-k SECONDS] [-p PID] [-P FOLDER] HOST:PORT

   -t is for TLS; -k is how long the viewers are held. Prints one line of NAME=VALUE: memory in KiB (0 without -p)
   before anyone came, while all are held, and while all connections are open between requests; how many got the head,
   the first byte and the end; how long after the object's first byte was sent theirs came. */

#define _GNU_SOURCE
#include "http.h"
#include "wire.h"
#include <sys/epoll.h>

struct viewer {
    struct wire wire;
    bool has_byte;
    struct http_response response;
};

/* How long all viewers together may take for a step. */
static const int64_t step_ns = 20 * INT64_C(1000000000);
/* What a server does after a step is not part of it. */
static const useconds_t settle_us = 1500000;

static const char *folder = "/bench/idle";
static int viewer_count = 1000, held_seconds = 1;
static long server_pid;
static struct endpoint endpoint;
static int epoll;
static SSL_CTX *tls;
static struct viewer *viewers;
static int heads, firsts, ends, errors;
static int64_t begun_ns;
static struct lags lags;

static long server_kib(void) {
    if (!server_pid) return 0;
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%ld/status", server_pid);
    FILE *file = fopen(path, "r");
    if (!file) give_up(path, strerror(errno));
    long kib = 0;
    while (fgets(line, sizeof line, file)) if (sscanf(line, "VmRSS: %ld", &kib) == 1) break;
    fclose(file);
    return kib;
}

static struct wire connected(void) {
    struct wire wire = wire_open(&endpoint, tls);
    if (wire.fd < 0) give_up(endpoint.name, "no connection");
    return wire;
}

static void send_text(struct wire *wire, const char *text) {
    if (!wire_send(wire, text, strlen(text))) give_up(endpoint.name, "cannot send");
}

/* The status of the response to what was uploaded. */
static int answer(struct wire *wire) {
    struct http_response response = {0};
    char bytes[4096];
    for (;;) {
        ssize_t count = wire_receive(wire, bytes, sizeof bytes);
        if (count <= 0) give_up(endpoint.name, "no answer to an upload");
        struct bytes input = {bytes, (size_t)count}, body;
        enum http_event event;
        while ((event = http_next(&response, &input, &body)) != HTTP_MORE) {
            if (event == HTTP_INVALID) give_up(endpoint.name, "not HTTP");
            if (event == HTTP_END) return response.status;
        }
    }
}

static void announce(struct wire *wire) {
    char list[256], request[768];
    snprintf(list, sizeof list,
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:1\n#EXTINF:2,\none.ts\n");
    snprintf(request, sizeof request,
        "PUT %s/list.m3u8 HTTP/1.1\r\nHost: %s\r\nContent-Type: application/vnd.apple.mpegurl\r\n"
        "Content-Length: %zu\r\n\r\n%s",
        folder, endpoint.name, strlen(list), list);
    send_text(wire, request);
    if (answer(wire) / 100 != 2) give_up(endpoint.name, "refuses the playlist");
}

/* Opens the object and sends its first byte. */
static void begin(struct wire *wire) {
    char request[512];
    snprintf(request, sizeof request,
        "PUT %s/one.ts HTTP/1.1\r\nHost: %s\r\nContent-Type: video/MP2T\r\nTransfer-Encoding: chunked\r\n\r\n"
        "1\r\nG\r\n",
        folder, endpoint.name);
    begun_ns = now_ns();
    send_text(wire, request);
}

static void end(struct wire *wire) {
    send_text(wire, "0\r\n\r\n");
    if (answer(wire) / 100 != 2) give_up(endpoint.name, "refuses the object");
}

static void connect_viewer(struct viewer *viewer) {
    char request[512];
    snprintf(request, sizeof request, "GET %s/one.ts HTTP/1.1\r\nHost: %s\r\n\r\n", folder, endpoint.name);
    viewer->wire = connected();
    send_text(&viewer->wire, request);
    wire_do_not_block(&viewer->wire);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = viewer};
    epoll_ctl(epoll, EPOLL_CTL_ADD, viewer->wire.fd, &event);
}

/* It is looked at no more. */
static bool lose(struct viewer *viewer) {
    errors++;
    epoll_ctl(epoll, EPOLL_CTL_DEL, viewer->wire.fd, NULL);
    return false;
}

/* Whether the viewer is still one. */
static bool take(struct viewer *viewer, struct bytes input) {
    int64_t now = now_ns();
    struct bytes body;
    for (;;) switch (http_next(&viewer->response, &input, &body)) {
        case HTTP_MORE:
            return true;
        case HTTP_HEAD:
            if (viewer->response.status != 200) return lose(viewer);
            heads++;
            break;
        case HTTP_BODY:
            if (viewer->has_byte) break;
            viewer->has_byte = true;
            firsts++;
            lags_add(&lags, now - begun_ns);
            break;
        case HTTP_END:
            ends++;
            break;
        case HTTP_INVALID:
            return lose(viewer);
    }
}

static void read_viewer(struct viewer *viewer) {
    char bytes[8192];
    do {
        ssize_t count = wire_receive(&viewer->wire, bytes, sizeof bytes);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) {
            lose(viewer);
            return;
        }
        if (!take(viewer, (struct bytes){bytes, (size_t)count})) return;
    } while (wire_holds_more(&viewer->wire));
}

/* Until that many viewers are that far, or have failed, or the time for it is over. */
static void read_until(const int *reached, int wanted) {
    int64_t limit = now_ns() + step_ns;
    while (*reached + errors < wanted && now_ns() < limit) {
        struct epoll_event events[512];
        int ready = epoll_wait(epoll, events, 512, 100);
        for (int i = 0; i < ready; i++) read_viewer(events[i].data.ptr);
    }
}

static void read_options(int count, char **arguments) {
    int option;
    while ((option = getopt(count, arguments, "tn:k:p:P:")) != -1) switch (option) {
        case 't': tls = tls_client(); break;
        case 'n': viewer_count = atoi(optarg); break;
        case 'k': held_seconds = atoi(optarg); break;
        case 'p': server_pid = atol(optarg); break;
        case 'P': folder = optarg; break;
        default: exit(2);
    }
    if (optind + 1 != count) give_up("idleload", "one HOST:PORT is needed");
    if (viewer_count < 1) give_up("idleload", "numbers start at 1");
    endpoint = endpoint_named(arguments[optind]);
}

int main(int count, char **arguments) {
    read_options(count, arguments);
    raise_file_limit();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    viewers = resized(NULL, (size_t)viewer_count * sizeof *viewers);
    memset(viewers, 0, (size_t)viewer_count * sizeof *viewers);
    struct wire object = connected();
    announce(&object);
    usleep(settle_us);
    long empty = server_kib();
    /* No more at once than a listener's backlog holds. */
    for (int i = 0; i < viewer_count; i++) {
        connect_viewer(&viewers[i]);
        if (i % 500 == 499) read_until(&heads, i + 1);
    }
    read_until(&heads, viewer_count);
    usleep(settle_us);
    sleep((unsigned)held_seconds);
    long held = server_kib();
    begin(&object);
    read_until(&firsts, viewer_count);
    end(&object);
    read_until(&ends, viewer_count);
    usleep(settle_us);
    long between = server_kib();
    printf("viewers=%d empty_kib=%ld held_kib=%ld between_kib=%ld heads=%d firsts=%d ends=%d errors=%d", viewer_count,
        empty, held, between, heads, firsts, ends, errors);
    lags_print(&lags, "");
    putchar('\n');
    return ends == viewer_count ? 0 : 1;
}
