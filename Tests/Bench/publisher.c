#define _GNU_SOURCE
#include "publisher.h"
#include "mark.h"
#include <limits.h>

/* How long the server may take to get a publisher live, and to take the rest and close. */
static const int64_t set_up_limit_ns = 10 * INT64_C(1000000000), ending_limit_ns = 3 * INT64_C(1000000000);
/* Ten seconds at 3 Mb/s: beyond it a frame is refused, and counted. */
enum { QUEUE_LIMIT = 4 << 20 };
enum { SET_CHUNK_SIZE = 1, USER_CONTROL = 4, COMMAND = 20, AUDIO = 8, VIDEO = 9 };
enum { CONTROL_STREAM = 2, COMMAND_STREAM = 3, MEDIA_STREAM = 4 };
enum { HANDSHAKE = 1536 };

static void fail(struct publisher *publisher, const char *why) {
    if (publisher->phase == FAILED) return;
    fprintf(stderr, "%s: %s\n", publisher->name, why);
    publisher->phase = FAILED;
    close(publisher->fd);
}

static uint8_t *put_big_endian(uint8_t *to, uint32_t value, int count) {
    for (int i = count; i--; value >>= 8) to[i] = (uint8_t)value;
    return to + count;
}

static uint32_t big_endian(const uint8_t *bytes, int count) {
    uint32_t value = 0;
    while (count--) value = value << 8 | *bytes++;
    return value;
}

/* Output: straight to the socket, or to the queue when it takes no more. */

static void watch_writable(struct publisher *publisher, bool writable) {
    uint32_t events = EPOLLIN | (writable ? EPOLLOUT : 0);
    watch_descriptor(publisher->publication->epoll, EPOLL_CTL_MOD, publisher->fd, events, &publisher->watch);
}

static size_t send_some(struct publisher *publisher, const uint8_t *bytes, size_t count) {
    ssize_t sent = send(publisher->fd, bytes, count, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) fail(publisher, strerror(errno));
    return sent < 0 ? 0 : (size_t)sent;
}

static void put(struct publisher *publisher, const uint8_t *bytes, size_t count) {
    size_t sent = publisher->queue_count ? 0 : send_some(publisher, bytes, count);
    if (sent == count || publisher->phase == FAILED) return;
    if (!publisher->queue_count) watch_writable(publisher, true);
    size_t needed = publisher->queue_count + count - sent;
    if (needed > publisher->queue_room) {
        publisher->queue_room = needed * 2;
        publisher->queue = resized(publisher->queue, publisher->queue_room);
    }
    memcpy(publisher->queue + publisher->queue_count, bytes + sent, count - sent);
    publisher->queue_count = needed;
}

static void send_queue(struct publisher *publisher) {
    size_t sent = send_some(publisher, publisher->queue, publisher->queue_count);
    publisher->queue_count -= sent;
    memmove(publisher->queue, publisher->queue + sent, publisher->queue_count);
    if (!publisher->queue_count && publisher->phase != FAILED) watch_writable(publisher, false);
}

/* A message in chunks (RTMP 1.0 §5.3.1). Media messages after the first carry the time since the one before, as
   librtmp's do, so that no timestamp ever needs its extended form. */
static void put_message(struct publisher *publisher, uint8_t chunk_stream, uint8_t type, uint32_t milliseconds,
    const uint8_t *body, size_t count) {
    static uint8_t *wire;
    static size_t room;
    size_t chunk = publisher->phase >= ASKED_CONNECT ? publisher->publication->chunk_bytes : 128;
    size_t needed = 12 + count + count / chunk;
    if (needed > room) wire = resized(wire, room = needed);
    bool is_delta = chunk_stream == MEDIA_STREAM && publisher->media_begun;
    uint8_t *end = wire;
    *end++ = chunk_stream | (is_delta ? 1 << 6 : 0);
    end = put_big_endian(end, is_delta ? milliseconds - publisher->last_ms : milliseconds, 3);
    end = put_big_endian(end, (uint32_t)count, 3);
    *end++ = type;
    if (!is_delta) {
        uint32_t stream = chunk_stream == CONTROL_STREAM ? 0 : publisher->stream_id;
        for (int i = 0; i < 4; i++) *end++ = (uint8_t)(stream >> 8 * i);
    }
    for (size_t at = 0; at < count; at += chunk) {
        size_t part = count - at < chunk ? count - at : chunk;
        if (at) *end++ = chunk_stream | 3 << 6;
        memcpy(end, body + at, part);
        end += part;
    }
    if (chunk_stream == MEDIA_STREAM) {
        publisher->last_ms = milliseconds;
        publisher->media_begun = true;
    }
    put(publisher, wire, (size_t)(end - wire));
}

/* Commands in AMF0. */

static uint8_t *put_text(uint8_t *to, const char *text) {
    size_t count = strlen(text);
    to = put_big_endian(to, (uint32_t)count, 2);
    return (uint8_t *)memcpy(to, text, count) + count;
}

static uint8_t *put_string(uint8_t *to, const char *text) {
    *to++ = 2;
    return put_text(to, text);
}

static uint8_t *put_number(uint8_t *to, double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    *to++ = 0;
    to = put_big_endian(to, (uint32_t)(bits >> 32), 4);
    return put_big_endian(to, (uint32_t)bits, 4);
}

/* A command without an object, and with an argument unless it is NULL. */
static void put_command(struct publisher *publisher, const char *command, double transaction, const char *argument,
    const char *second) {
    uint8_t body[512], *end = put_number(put_string(body, command), transaction);
    *end++ = 5;
    if (argument) end = put_string(end, argument);
    if (second) end = put_string(end, second);
    put_message(publisher, COMMAND_STREAM, COMMAND, 0, body, (size_t)(end - body));
}

static void ask_connect(struct publisher *publisher) {
    const struct publication *publication = publisher->publication;
    char url[256];
    snprintf(url, sizeof url, "rtmp://%s/%s", publication->server.name, publication->app);
    const char *properties[][2] = {{"app", publication->app}, {"type", "nonprivate"},
        {"flashVer", "FMLE/3.0 (compatible; rtmpload)"}, {"tcUrl", url}};
    uint8_t body[1024], *end = put_number(put_string(body, "connect"), 1);
    *end++ = 3;
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++)
        end = put_string(put_text(end, properties[i][0]), properties[i][1]);
    end = put_big_endian(end, 9, 3);
    uint8_t chunk_size[4];
    put_big_endian(chunk_size, (uint32_t)publication->chunk_bytes, 4);
    put_message(publisher, CONTROL_STREAM, SET_CHUNK_SIZE, 0, chunk_size, sizeof chunk_size);
    publisher->phase = ASKED_CONNECT;
    put_message(publisher, COMMAND_STREAM, COMMAND, 0, body, (size_t)(end - body));
}

static void ask_stream(struct publisher *publisher) {
    publisher->phase = ASKED_STREAM;
    put_command(publisher, "releaseStream", 2, publisher->name, NULL);
    put_command(publisher, "FCPublish", 3, publisher->name, NULL);
    put_command(publisher, "createStream", 4, NULL, NULL);
}

static void ask_publish(struct publisher *publisher, double stream_id) {
    publisher->phase = ASKED_PUBLISH;
    publisher->stream_id = (uint32_t)stream_id;
    put_command(publisher, "publish", 5, publisher->name, "live");
}

/* Input. */

static double number_at(const uint8_t *bytes) {
    uint64_t bits = (uint64_t)big_endian(bytes, 4) << 32 | big_endian(bytes + 4, 4);
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static void take_command(struct publisher *publisher, const uint8_t *body, size_t count) {
    static const uint8_t result[] = "\x02\x00\x07_result", status[] = "\x02\x00\x08onStatus",
                         error[] = "\x02\x00\x06_error", start[] = "NetStream.Publish.Start";
    enum { RESULT = sizeof result - 1, STATUS = sizeof status - 1, ERROR = sizeof error - 1, NUMBER = 9 };
    if (count >= RESULT + NUMBER && !memcmp(body, result, RESULT)) {
        double transaction = number_at(body + RESULT + 1);
        if (transaction == 1 && publisher->phase == ASKED_CONNECT) ask_stream(publisher);
        if (transaction == 4 && publisher->phase == ASKED_STREAM && count >= RESULT + NUMBER + 1 + NUMBER)
            ask_publish(publisher, number_at(body + RESULT + NUMBER + 2));
    } else if (count >= STATUS && !memcmp(body, status, STATUS) && publisher->phase == ASKED_PUBLISH) {
        if (!memmem(body, count, start, sizeof start - 1)) return fail(publisher, "publish was refused");
        publisher->phase = LIVE;
        publisher->start_ns = now_ns();
    } else if (count >= ERROR && !memcmp(body, error, ERROR) && publisher->phase == ASKED_CONNECT) {
        fail(publisher, "connect was refused");
    }
}

static void take_message(struct publisher *publisher, struct inbound *message) {
    size_t count = message->count < sizeof message->body ? message->count : sizeof message->body;
    if (message->type == SET_CHUNK_SIZE && count == 4) publisher->server_chunk_bytes = big_endian(message->body, 4);
    if (message->type == COMMAND) take_command(publisher, message->body, count);
    if (message->type == USER_CONTROL && count == 6 && big_endian(message->body, 2) == 6) {
        message->body[1] = 7;  /* PingRequest → PingResponse */
        put_message(publisher, CONTROL_STREAM, USER_CONTROL, 0, message->body, count);
    }
    message->count = 0;
}

/* How many bytes the chunk at the input's start takes; 0 while it is not whole. Servers' own messages have small chunk
   stream ids and timestamps that need no extended form. */
static size_t take_chunk(struct publisher *publisher, const uint8_t *bytes, size_t count) {
    static const size_t header_bytes[] = {11, 7, 3, 0};
    if (!count) return 0;
    size_t header = header_bytes[bytes[0] >> 6];
    struct inbound *message = &publisher->inbound[bytes[0] & 7];
    if ((bytes[0] & 63) < 2 || (bytes[0] & 63) > 7) fail(publisher, "chunk stream id over 7");
    if (count < 1 + header || publisher->phase == FAILED) return 0;
    size_t length = header >= 7 ? big_endian(bytes + 4, 3) : message->length;
    size_t part = length - message->count;
    if (part > publisher->server_chunk_bytes) part = publisher->server_chunk_bytes;
    if (1 + header + part > sizeof publisher->input) fail(publisher, "chunk over 8 KiB");
    if (count < 1 + header + part) return 0;
    message->length = length;
    if (header >= 7) message->type = bytes[7];
    for (size_t i = 0; i < part && message->count + i < sizeof message->body; i++)
        message->body[message->count + i] = bytes[1 + header + i];
    message->count += part;
    if (message->count == length) take_message(publisher, message);
    return 1 + header + part;
}

static size_t take_input(struct publisher *publisher, const uint8_t *bytes, size_t count) {
    if (publisher->phase != SHAKING_HANDS) return take_chunk(publisher, bytes, count);
    if (count < 1 + 2 * HANDSHAKE) return 0;
    put(publisher, bytes + 1, HANDSHAKE);
    if (publisher->phase != FAILED) ask_connect(publisher);
    return 1 + 2 * HANDSHAKE;
}

static void take_all_input(struct publisher *publisher) {
    ssize_t count = recv(publisher->fd, publisher->input + publisher->input_count,
        sizeof publisher->input - publisher->input_count, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
        if (publisher->phase != ENDING) return fail(publisher, "the server closed the connection");
        publisher->phase = OVER;
        close(publisher->fd);
        return;
    }
    publisher->input_count += (size_t)count;
    size_t taken, at = 0;
    while (publisher->phase != FAILED &&
           (taken = take_input(publisher, publisher->input + at, publisher->input_count - at)))
        at += taken;
    publisher->input_count -= at;
    memmove(publisher->input, publisher->input + at, publisher->input_count);
}

/* The publisher's life. */

const char *publication_take_url(struct publication *publication, char *url) {
    static const char scheme[] = "rtmp://";
    char *host = url + sizeof scheme - 1, *app, *name;
    if (strncmp(url, scheme, sizeof scheme - 1) || !(app = strchr(host, '/')) || !(name = strrchr(app + 1, '/')))
        give_up(url, "not rtmp://HOST:PORT/APP/NAME");
    *app++ = *name++ = 0;
    publication->server = endpoint_named(host);
    publication->app = app;
    return name;
}

void publisher_set_up(struct publisher *publisher, const struct publication *publication, struct journal *journal,
    const char *pattern, int number, int64_t start_ns) {
    memset(publisher, 0, sizeof *publisher);
    publisher->watch.ready = publisher_ready;
    publisher->publication = publication;
    publisher->journal = journal;
    publisher->start_ns = start_ns;
    const char *place = strstr(pattern, "%d");
    int before = place ? (int)(place - pattern) : (int)strlen(pattern);
    snprintf(publisher->name, sizeof publisher->name, "%.*s", before, pattern);
    size_t length = strlen(publisher->name);
    if (place) snprintf(publisher->name + length, sizeof publisher->name - length, "%d%s", number, place + 2);
}

static void begin(struct publisher *publisher) {
    publisher->fd = dial(&publisher->publication->server, SOCK_NONBLOCK);
    if (publisher->fd < 0) return fail(publisher, strerror(errno));
    publisher->phase = CONNECTING;
    publisher->limit_ns = now_ns() + set_up_limit_ns;
    publisher->server_chunk_bytes = 128;
    watch_descriptor(publisher->publication->epoll, EPOLL_CTL_ADD, publisher->fd, EPOLLOUT, &publisher->watch);
}

static void shake_hands(struct publisher *publisher) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(publisher->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error) return fail(publisher, strerror(error));
    publisher->phase = SHAKING_HANDS;
    watch_writable(publisher, false);
    uint8_t c0c1[1 + HANDSHAKE] = {3};
    for (size_t i = 9; i < sizeof c0c1; i++) c0c1[i] = (uint8_t)(i * 167 >> 3);
    put(publisher, c0c1, sizeof c0c1);
}

static void end(struct publisher *publisher) {
    put_command(publisher, "FCUnpublish", 6, publisher->name, NULL);
    uint8_t body[64], *end = put_number(put_string(body, "deleteStream"), 7);
    *end++ = 5;
    end = put_number(end, publisher->stream_id);
    put_message(publisher, COMMAND_STREAM, COMMAND, 0, body, (size_t)(end - body));
    if (publisher->phase == FAILED) return;
    publisher->phase = ENDING;
    publisher->limit_ns = now_ns() + ending_limit_ns;
    if (!publisher->queue_count) shutdown(publisher->fd, SHUT_WR);
}

/* Sends the tag, or refuses it whole when the queue is full. */
static void put_tag(struct publisher *publisher, struct flv_tag *tag) {
    uint32_t milliseconds = publisher->round_ms + tag->milliseconds;
    if (publisher->media_begun && (int32_t)(milliseconds - publisher->last_ms) < 0) milliseconds = publisher->last_ms;
    if (publisher->queue_count + tag->count > QUEUE_LIMIT) {
        publisher->refused_frames += tag->mark != NULL;
        return;
    }
    if (tag->mark) {
        int64_t now = now_ns();
        mark_set(tag->mark, now);
        journal_sent(publisher->journal, now);
    }
    put_message(publisher, MEDIA_STREAM, tag->type, milliseconds, tag->body, tag->count);
}

static int64_t put_due_tags(struct publisher *publisher, int64_t now) {
    const struct flv_file *file = &publisher->publication->file;
    for (;;) {
        struct flv_tag *tag = &file->tags[publisher->tag];
        bool is_wanted = !tag->is_header || !publisher->round_ms;
        int64_t after = (int64_t)(publisher->round_ms + tag->milliseconds) * 1000000;
        if (is_wanted && after >= publisher->publication->duration_ns) {
            end(publisher);
            return publisher->limit_ns;
        }
        if (is_wanted && publisher->start_ns + after > now) return publisher->start_ns + after;
        if (is_wanted) put_tag(publisher, tag);
        if (publisher->phase == FAILED) return INT64_MAX;
        if (++publisher->tag < file->count) continue;
        publisher->tag = 0;
        publisher->round_ms += file->milliseconds;
    }
}

int64_t publisher_tick(struct publisher *publisher, int64_t now) {
    if (publisher->phase == WAITING && now < publisher->start_ns) return publisher->start_ns;
    if (publisher->phase == WAITING) begin(publisher);
    if (publisher->phase == LIVE) return put_due_tags(publisher, now);
    if (publisher->phase >= OVER) return INT64_MAX;
    if (now < publisher->limit_ns) return publisher->limit_ns;
    if (publisher->phase == ENDING && !publisher->queue_count) {
        publisher->phase = OVER;
        close(publisher->fd);
    } else {
        fail(publisher, "the server took too long");
    }
    return INT64_MAX;
}

void publisher_ready(struct watch *watch, uint32_t events) {
    struct publisher *publisher = (struct publisher *)watch;
    if (publisher->phase == CONNECTING) return shake_hands(publisher);
    if (events & EPOLLOUT && publisher->queue_count) send_queue(publisher);
    /* To close before the server does could lose what it has not read yet. */
    if (publisher->phase == ENDING && !publisher->queue_count) shutdown(publisher->fd, SHUT_WR);
    if (publisher->phase != FAILED && events & ~(uint32_t)EPOLLOUT) take_all_input(publisher);
}
