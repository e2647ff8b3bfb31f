/* abuse: a peer that means no good to an HTTP server.

   abuse KIND [-n CONNECTIONS] [-s SECONDS] [-a ADDRESSES] [-p PATH] HOST:PORT

   drip-head, drip-tls, drip-preface, drip-body   begin what never ends, a byte a second, and come again when sent away
   hold         connections that ask for PATH once and then rest
   deaf         readers of PATH that never read
   ask          HEAD requests for PATH as fast as they are taken, by peers that never read
   leave        as many of those as go at once, and then the end of the sending side
   batch        16 GETs of PATH at a time, and again when they are answered
   length       an upload of 10 GB that says so, and chunks, one that does not
   paths        a GET of another path each time, on connections that stay as long as the server lets them
   noise        random bytes, and requests with a random part
   cut          uploads that break off in a chunk, each with a reader that must not see a clean end

   Connections come from 127.0.0.1 to 127.0.0.ADDRESSES in turn, where the server is on this host. Prints one line of
   NAME=VALUE: connections made, those that failed, were closed by the server and answered, with how many answers of
   each status; what went wrong is in `wrong`. */

#define _GNU_SOURCE
#include "http.h"
#include "net.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>

enum kind { DRIP_HEAD, DRIP_TLS, DRIP_PREFACE, DRIP_BODY, HOLD, DEAF, ASK, LEAVE, BATCH, LENGTH, CHUNKS, PATHS, NOISE, CUT, KINDS };
static const char *const kinds[KINDS] = {"drip-head", "drip-tls", "drip-preface", "drip-body", "hold", "deaf", "ask",
    "leave", "batch", "length", "chunks", "paths", "noise", "cut"};

struct peer {
    int fd, number;
    /* What is still to be sent of a piece. */
    char text[1024];
    size_t sent, size, drips;
    int unanswered;
    /* Where in the filler it is. */
    size_t filled;
    bool connected, is_reader;
    int64_t next_ns, since_ns;
    struct http_response response;
};

static const int64_t drip_ns = INT64_C(1000000000), return_ns = INT64_C(200000000), cut_after_ns = INT64_C(300000000);
static const uint64_t upload_bytes = UINT64_C(10000000000);

static enum kind kind;
static int peer_count = 100, seconds = 10, addresses = 1, epoll;
static const char *path = "/abuse/object.ts";
static struct endpoint endpoint;
static struct peer *peers;
/* What is sent without end: a whole number of requests. */
static char filler[64 * 1024];
enum { request_size = 128, batch_count = 16 };
static long opened, failed, closed, answered, wrong, statuses[600];
static uint64_t asked, sent_bytes, random_state = 88172645463325252;

static uint64_t random_number(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    return random_state ^= random_state << 17;
}

static void say(struct peer *peer, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct peer *peer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    peer->size = (size_t)vsnprintf(peer->text, sizeof peer->text, format, arguments);
    peer->sent = 0;
    va_end(arguments);
}

/* A request line or a field of anything that is no line end, between what makes it look like a request. */
static void say_noise(struct peer *peer) {
    char bytes[200];
    size_t count = 1 + random_number() % (sizeof bytes - 1);
    for (size_t i = 0; i < count; i++) {
        do bytes[i] = (char)random_number();
        while (bytes[i] == '\r' || bytes[i] == '\n');
    }
    static const char *const heads[] = {"", "GET /", "PUT /abuse/", "GET /abuse/%", "POST /abuse/noise HTTP/1.1\r\n",
        "GET /abuse/noise HTTP/1.1\r\nHost: a\r\nRange: bytes=", "GET /abuse/noise HTTP/1.1\r\nHost: a\r\nCookie: ",
        "PUT /abuse/noise HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"};
    static const char *const tails[] = {"", "\r\n\r\n", " HTTP/1.1\r\nHost: a\r\n\r\n", "\r\nContent-Length: 5\r\n\r\nabc"};
    const char *head = heads[random_number() % (sizeof heads / sizeof *heads)];
    const char *tail = tails[random_number() % (sizeof tails / sizeof *tails)];
    size_t head_size = strlen(head), tail_size = strlen(tail);
    memcpy(peer->text, head, head_size);
    memcpy(peer->text + head_size, bytes, count);
    memcpy(peer->text + head_size + count, tail, tail_size);
    peer->size = head_size + count + tail_size;
    peer->sent = 0;
}

/* What a new connection says first. */
static void begin(struct peer *peer) {
    /* A record of a ClientHello that says it is 512 bytes long. */
    static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    switch (kind) {
        case DRIP_HEAD: say(peer, "GET %s HTTP/1.1\r\nHost: a\r\nX-Drip: ", path); break;
        case DRIP_TLS:
            memcpy(peer->text, hello, sizeof hello - 1);
            peer->size = sizeof hello - 1;
            break;
        case DRIP_PREFACE: say(peer, "PR"); break;
        case DRIP_BODY:
            say(peer, "PUT /abuse/%d/drip.ts HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", peer->number);
            break;
        case PATHS:
            say(peer, "GET /abuse/%llu/%llx HTTP/1.1\r\nHost: a\r\n\r\n", (unsigned long long)asked++,
                (unsigned long long)random_number());
            break;
        case HOLD:
        case ASK:
        case LEAVE:
        case DEAF: say(peer, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path); break;
        case BATCH:
            peer->sent = peer->size = 0;
            peer->unanswered = batch_count;
            asked += batch_count;
            for (int i = 0; i < batch_count; i++)
                peer->size += (size_t)snprintf(peer->text + peer->size, sizeof peer->text - peer->size,
                    "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
            break;
        case LENGTH:
            say(peer, "PUT /abuse/%d/length.ts HTTP/1.1\r\nHost: a\r\nContent-Length: %llu\r\n\r\n", peer->number,
                (unsigned long long)upload_bytes);
            break;
        case CHUNKS:
            say(peer, "PUT /abuse/%d/chunks.ts HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%llx\r\n",
                peer->number, (unsigned long long)upload_bytes);
            break;
        case NOISE: say_noise(peer); break;
        case CUT:
            /* Readers are behind their uploads: the second of each pair. */
            if (peer->is_reader) say(peer, "GET /abuse/%d/cut.ts HTTP/1.1\r\nHost: a\r\n\r\n", peer->number - 1);
            else say(peer, "PUT /abuse/%d/cut.ts HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n%05d\r\n40\r\nab",
                peer->number, (int)(random_number() % 100000));
            break;
        case KINDS: break;
    }
}

/* Lays out what a resting connection says next. False where it has no more to say. */
static bool go_on(struct peer *peer) {
    static const char preface[] = "I * HTTP/2.0\r\n\r\nSM\r\n";
    switch (kind) {
        case DRIP_HEAD: say(peer, "x"); return true;
        case DRIP_TLS: say(peer, "%c", 1); return true;
        case DRIP_PREFACE:
            /* All but its last line end. */
            if (preface[peer->drips] == 0) return false;
            say(peer, "%c", preface[peer->drips++]);
            return true;
        case DRIP_BODY: say(peer, "1\r\nx\r\n"); return true;
        default: return false;
    }
}

static bool asks(void) { return kind == ASK || kind == LEAVE; }

static bool is_deaf(void) { return kind == DEAF || asks(); }

static bool is_upload(void) { return kind == LENGTH || kind == CHUNKS; }

/* Whether there is always more to send. */
static bool is_endless(void) { return is_upload() || asks(); }

static void come(struct peer *peer) {
    int one = 1, small = 4096;
    peer->fd = socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (peer->fd < 0) give_up("socket", strerror(errno));
    setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (is_deaf() && kind != LEAVE) setsockopt(peer->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (addresses > 1) {
        struct sockaddr_in source = {.sin_family = AF_INET,
            .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(peer->number % addresses))};
        setsockopt(peer->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(peer->fd, (struct sockaddr *)&source, sizeof source)) give_up("bind", strerror(errno));
    }
    peer->connected = false;
    peer->drips = 0;
    peer->filled = 0;
    peer->response = (struct http_response){0};
    peer->since_ns = now_ns();
    opened++;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP, .data.ptr = peer};
    epoll_ctl(epoll, EPOLL_CTL_ADD, peer->fd, &event);
    if (connect(peer->fd, (struct sockaddr *)&endpoint.address, endpoint.length) && errno != EINPROGRESS) failed++;
    begin(peer);
}

static void leave(struct peer *peer, int64_t wait_ns) {
    close(peer->fd);
    peer->fd = -1;
    peer->next_ns = now_ns() + wait_ns;
}

/* Sends as much of the piece as goes, and then what there is without end. False where the connection is broken. */
static bool push(struct peer *peer) {
    while (peer->sent < peer->size) {
        ssize_t count = send(peer->fd, peer->text + peer->sent, peer->size - peer->sent, MSG_NOSIGNAL);
        if (count < 0) return errno == EAGAIN;
        peer->sent += (size_t)count;
    }
    for (int i = 0; is_endless() && i < 16; i++) {
        ssize_t count = send(peer->fd, filler + peer->filled, sizeof filler - peer->filled, MSG_NOSIGNAL);
        if (count < 0) return errno == EAGAIN && (kind != LEAVE || shutdown(peer->fd, SHUT_WR) == 0);
        peer->filled = (peer->filled + (size_t)count) % sizeof filler;
        sent_bytes += (uint64_t)count;
    }
    return true;
}

/* The peer's events of a response, until the input is used up. False where the connection is to be left. */
static bool hear(struct peer *peer, struct bytes input) {
    struct bytes body;
    for (;;) switch (http_next(&peer->response, &input, &body)) {
        case HTTP_MORE: return true;
        case HTTP_HEAD:
            answered++;
            if (peer->response.status > 0 && peer->response.status < 600) statuses[peer->response.status]++;
            break;
        case HTTP_BODY: break;
        case HTTP_END:
            /* Nothing whole ever came to this path. */
            if (kind == CUT && peer->is_reader && peer->response.status == 200) wrong++;
            if (peer->response.closes || kind == CUT || kind == NOISE) return false;
            if (kind == PATHS || (kind == BATCH && --peer->unanswered == 0)) begin(peer);
            break;
        case HTTP_INVALID: return false;
    }
}

static void receive(struct peer *peer) {
    char bytes[16 * 1024];
    for (;;) {
        ssize_t count = recv(peer->fd, bytes, sizeof bytes, 0);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) {
            if (peer->connected) closed++;
            else failed++;
            return leave(peer, return_ns);
        }
        if (!hear(peer, (struct bytes){bytes, (size_t)count})) return leave(peer, kind == NOISE ? 0 : return_ns);
    }
}

static void handle(struct peer *peer, uint32_t events) {
    if (peer->fd < 0) return;
    if (events & EPOLLOUT) {
        if (!peer->connected) peer->next_ns = now_ns() + drip_ns;
        peer->connected = true;
        /* What the server said before it closed is still to be had. */
        if (!push(peer)) events |= EPOLLIN;
        if (peer->sent == peer->size && !is_endless()) {
            struct epoll_event event = {.events = EPOLLRDHUP | (is_deaf() ? 0 : EPOLLIN), .data.ptr = peer};
            epoll_ctl(epoll, EPOLL_CTL_MOD, peer->fd, &event);
        }
    }
    if (is_deaf()) {
        if (!(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))) return;
        closed++;
        return leave(peer, return_ns);
    }
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) receive(peer);
    if (peer->fd >= 0 && (kind == PATHS || kind == BATCH) && peer->sent < peer->size) push(peer);
}

/* What time brings: a further byte, a new connection, an upload's break. */
static void pass_time(struct peer *peer, int64_t now) {
    if (peer->fd < 0) {
        if (now >= peer->next_ns && !is_upload()) come(peer);
        return;
    }
    if (!peer->connected) return;
    if (kind == CUT && !peer->is_reader && now - peer->since_ns >= cut_after_ns) return leave(peer, 3 * return_ns);
    if (kind == NOISE && now - peer->since_ns >= cut_after_ns) return leave(peer, 0);
    if (now < peer->next_ns || peer->sent < peer->size) return;
    peer->next_ns = now + drip_ns;
    if (go_on(peer)) push(peer);
}

static void run(void) {
    static struct epoll_event events[1024];
    int64_t start = now_ns(), end = start + seconds * INT64_C(1000000000);
    int begun = 0;
    for (int64_t now = start; now < end; now = now_ns()) {
        /* No more at once than a listener's backlog holds. */
        for (int i = 0; i < 256 && begun < peer_count; i++) come(&peers[begun++]);
        int ready = epoll_wait(epoll, events, 1024, 10);
        for (int i = 0; i < ready; i++) handle(events[i].data.ptr, events[i].events);
        now = now_ns();
        bool any = false;
        for (int i = 0; i < begun; i++) {
            pass_time(&peers[i], now);
            any |= peers[i].fd >= 0;
        }
        if (is_upload() && !any) return;
    }
}

static void read_options(int count, char **arguments) {
    int option;
    if (count < 2) give_up("abuse", "a KIND and HOST:PORT are needed");
    while (kind < KINDS && strcmp(kinds[kind], arguments[1])) kind++;
    if (kind == KINDS) give_up(arguments[1], "no such kind");
    optind = 2;
    while ((option = getopt(count, arguments, "n:s:a:p:")) != -1) switch (option) {
        case 'n': peer_count = atoi(optarg); break;
        case 's': seconds = atoi(optarg); break;
        case 'a': addresses = atoi(optarg); break;
        case 'p': path = optarg; break;
        default: exit(2);
    }
    if (optind + 1 != count) give_up("abuse", "one HOST:PORT is needed");
    if (peer_count < 1 || addresses < 1 || strlen(path) > (kind == BATCH ? 32 : asks() ? 80 : 512)) give_up("abuse", "an option is out of range");
    endpoint = endpoint_named(arguments[optind]);
}

int main(int count, char **arguments) {
    read_options(count, arguments);
    raise_file_limit();
    if (asks())
        for (size_t at = 0; at < sizeof filler; at += request_size) {
            int length = snprintf(filler + at, request_size, "HEAD %s HTTP/1.1\r\nHost: a\r\nX: ", path);
            memset(filler + at + length, 'x', request_size - (size_t)length);
            memcpy(filler + at + request_size - 4, "\r\n\r\n", 4);
        }
    epoll = epoll_create1(EPOLL_CLOEXEC);
    peers = resized(NULL, (size_t)peer_count * sizeof *peers);
    memset(peers, 0, (size_t)peer_count * sizeof *peers);
    for (int i = 0; i < peer_count; i++) {
        peers[i].fd = -1;
        peers[i].number = i;
        peers[i].is_reader = kind == CUT && i % 2;
    }
    run();
    int open = 0;
    for (int i = 0; i < peer_count; i++) open += peers[i].fd >= 0;
    printf("opened=%ld failed=%ld closed=%ld open=%d answered=%ld wrong=%ld asked=%llu sent_mb=%llu", opened, failed,
        closed, open, answered, wrong, (unsigned long long)asked, (unsigned long long)(sent_bytes >> 20));
    for (int i = 0; i < 600; i++) if (statuses[i]) printf(" status_%d=%ld", i, statuses[i]);
    putchar('\n');
    return wrong ? 1 : 0;
}
