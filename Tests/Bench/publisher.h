#ifndef PUBLISHER_H
#define PUBLISHER_H

#include "flv.h"
#include "journal.h"
#include "net.h"
#include "watch.h"

/* What all publishers share. */
struct publication {
    struct flv_file file;
    struct endpoint server;
    const char *app;
    size_t chunk_bytes;   /* outgoing chunk size */
    int64_t duration_ns;
    int epoll;
};

/* A message of the server, as far as it has come on its chunk stream. */
struct inbound {
    uint8_t type;
    size_t length, count;
    uint8_t body[1024];   /* a longer message loses its tail */
};

/* One RTMP publisher (RTMP 1.0), on a socket that does not block:
   waiting → connecting → shaking hands → connect → createStream → publish → live → ending → over; or failed. */
struct publisher {
    struct watch watch;
    const struct publication *publication;
    struct journal *journal;
    enum publisher_phase {
        WAITING, CONNECTING, SHAKING_HANDS, ASKED_CONNECT, ASKED_STREAM, ASKED_PUBLISH, LIVE, ENDING, OVER, FAILED
    } phase;
    char name[64];
    int fd;
    int64_t start_ns;              /* when to connect; from live on, the time of the first tag */
    int64_t limit_ns;              /* when setting up, or ending, has to be over */
    uint32_t stream_id;
    size_t tag;
    uint32_t round_ms, last_ms;
    bool media_begun;
    size_t refused_frames;         /* the queue was full */

    uint8_t *queue;                /* what the socket has not taken yet */
    size_t queue_count, queue_room;

    uint8_t input[8192];
    size_t input_count, server_chunk_bytes;
    struct inbound inbound[8];     /* by chunk stream id */
};

/* Takes rtmp://HOST:PORT/APP/NAME apart and gives back NAME, or ends the program. */
const char *publication_take_url(struct publication *publication, char *url);

/* A publisher that starts at that time; %d in NAME stands for its number. */
void publisher_set_up(struct publisher *publisher, const struct publication *publication, struct journal *journal,
    const char *pattern, int number, int64_t start_ns);

/* Does what is due and gives back when something is due again, in ns of CLOCK_MONOTONIC. */
int64_t publisher_tick(struct publisher *publisher, int64_t now);

/* The watch's function. */
void publisher_ready(struct watch *watch, uint32_t events);

static inline bool publisher_is_over(const struct publisher *publisher) { return publisher->phase >= OVER; }

#endif
