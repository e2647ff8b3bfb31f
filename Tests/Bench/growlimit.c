/* growlimit: the limit, not a tool. The least a server can do to pass a growing object on: one thread, one epoll,
   chunks kept as they came, one send for each viewer and chunk. No limits, no errors, no cache, no second method.

   growlimit [PORT]      0, the default, takes any free port; the log line tells it. Listens on 127.0.0.1. */

#define _GNU_SOURCE
#include "net.h"
#include <arpa/inet.h>
#include <stdbool.h>
#include <sys/epoll.h>

struct connection;

/* An object as its readers get it: response head, then chunks with their framing. */
struct object {
    char path[128];
    char *bytes;
    size_t count, room;
    bool complete;
    struct connection *readers;
    struct object *next;
};

struct connection {
    int fd;
    enum { HEAD, CHUNK_SIZE, CHUNK } state;
    char text[4096];
    size_t text_count;
    struct object *upload;
    size_t remaining;
    bool last_chunk;
    struct object *object;
    size_t cursor;
    bool waits_writable;
    struct connection *next_reader;
};

static int epoll;
static struct object *objects;

static void answer(struct connection *connection, const char *status) {
    char text[128];
    int count = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", status);
    send(connection->fd, text, (size_t)count, MSG_NOSIGNAL);
}

static void append(struct object *object, const char *bytes, size_t count) {
    if (object->count + count > object->room) {
        object->room = (object->count + count) * 2;
        object->bytes = resized(object->bytes, object->room);
    }
    memcpy(object->bytes + object->count, bytes, count);
    object->count += count;
}

static void wait_writable(struct connection *connection, bool waits) {
    if (connection->waits_writable == waits) return;
    connection->waits_writable = waits;
    struct epoll_event event = {.events = EPOLLIN | (waits ? EPOLLOUT : 0), .data.ptr = connection};
    epoll_ctl(epoll, EPOLL_CTL_MOD, connection->fd, &event);
}

/* Sends what there is; false once the reader has had everything or is gone. */
static bool pump(struct connection *reader) {
    struct object *object = reader->object;
    while (reader->cursor < object->count) {
        ssize_t sent =
            send(reader->fd, object->bytes + reader->cursor, object->count - reader->cursor, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EAGAIN) wait_writable(reader, true);
            return errno == EAGAIN;
        }
        reader->cursor += (size_t)sent;
    }
    wait_writable(reader, false);
    return !object->complete;
}

static void pump_all(struct object *object) {
    struct connection **link = &object->readers;
    while (*link) {
        struct connection *reader = *link;
        if (pump(reader)) {
            link = &reader->next_reader;
        } else {
            *link = reader->next_reader;
            reader->object = NULL;
        }
    }
}

static void stop_reading(struct connection *reader) {
    if (!reader->object) return;
    struct connection **link = &reader->object->readers;
    while (*link != reader) link = &(*link)->next_reader;
    *link = reader->next_reader;
    reader->object = NULL;
}

static void take_request(struct connection *connection) {
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: video/MP2T\r\nTransfer-Encoding: chunked\r\n\r\n";
    char method[8] = "", path[128] = "";
    sscanf(connection->text, "%7s %127s", method, path);
    if (!strcmp(method, "PUT")) {
        struct object *object = resized(NULL, sizeof *object);
        *object = (struct object){.next = objects};
        strcpy(object->path, path);
        append(object, head, sizeof head - 1);
        objects = connection->upload = object;
        connection->state = CHUNK_SIZE;
        return;
    }
    struct object *object = objects;
    while (object && strcmp(object->path, path)) object = object->next;
    if (!object) return answer(connection, "404 Not Found");
    connection->object = object;
    connection->cursor = 0;
    connection->next_reader = object->readers;
    object->readers = connection;
    if (!pump(connection)) stop_reading(connection);
}

/* Gathers text up to its end mark; a text without one is cut off, and the rest begins anew. */
static bool take_text(struct connection *connection, const char **bytes, const char *end, const char *mark) {
    size_t length = strlen(mark);
    while (*bytes < end && connection->text_count < sizeof connection->text - 1) {
        connection->text[connection->text_count++] = *(*bytes)++;
        if (connection->text_count >= length &&
            !memcmp(connection->text + connection->text_count - length, mark, length)) {
            connection->text[connection->text_count] = 0;
            return true;
        }
    }
    if (connection->text_count == sizeof connection->text - 1) connection->text_count = 0;
    return false;
}

static void take_chunk(struct connection *connection, const char **bytes, const char *end) {
    size_t count = (size_t)(end - *bytes) < connection->remaining ? (size_t)(end - *bytes) : connection->remaining;
    append(connection->upload, *bytes, count);
    *bytes += count;
    connection->remaining -= count;
    if (connection->remaining) return;
    connection->upload->complete = connection->last_chunk;
    pump_all(connection->upload);
    connection->state = connection->last_chunk ? HEAD : CHUNK_SIZE;
    if (connection->last_chunk) answer(connection, "204 No Content");
}

static void take_bytes(struct connection *connection, const char *bytes, const char *end) {
    while (bytes < end) switch (connection->state) {
        case HEAD:
            if (!take_text(connection, &bytes, end, "\r\n\r\n")) return;
            connection->text_count = 0;
            take_request(connection);
            break;
        case CHUNK_SIZE:
            if (!take_text(connection, &bytes, end, "\r\n")) return;
            append(connection->upload, connection->text, connection->text_count);
            connection->text_count = 0;
            connection->remaining = strtoul(connection->text, NULL, 16);
            connection->last_chunk = !connection->remaining;
            connection->remaining += 2;
            connection->state = CHUNK;
            break;
        case CHUNK:
            take_chunk(connection, &bytes, end);
            break;
    }
}

static void read_connection(struct connection *connection) {
    static char bytes[256 * 1024];
    ssize_t count = recv(connection->fd, bytes, sizeof bytes, 0);
    if (count > 0) return take_bytes(connection, bytes, bytes + count);
    if (count < 0 && errno == EAGAIN) return;
    stop_reading(connection);
    close(connection->fd);
    free(connection);
}

static void accept_all(int listener) {
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct connection *connection = resized(NULL, sizeof *connection);
        *connection = (struct connection){.fd = fd};
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }
}

static int listen_on(const char *port) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(fd, (struct sockaddr *)&address, length) || listen(fd, 4096)) give_up("listen", strerror(errno));
    getsockname(fd, (struct sockaddr *)&address, &length);
    fprintf(stderr, "listening address=127.0.0.1:%d\n", ntohs(address.sin_port));
    return fd;
}

int main(int count, char **arguments) {
    raise_file_limit();
    int listener = listen_on(count > 1 ? arguments[1] : "0");
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event listening = {.events = EPOLLIN, .data.ptr = NULL}, events[256];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &listening);
    for (;;) {
        int ready = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!connection) {
                accept_all(listener);
                continue;
            }
            if (events[i].events & EPOLLOUT && connection->object && !pump(connection)) stop_reading(connection);
            if (events[i].events & ~(uint32_t)EPOLLOUT) read_connection(connection);
        }
    }
}
