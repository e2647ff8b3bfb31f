#ifndef FOLLOWER_H
#define FOLLOWER_H

#include "http.h"
#include "net.h"
#include "watch.h"

/* Follows one media playlist on one connection, as a player does: each segment in turn, while it grows. The playlist is
   asked for again when it lists no further segment. */
struct follower {
    struct watch watch;
    const struct endpoint *origin;
    int epoll;
    char folder[128];            /* /APP/STREAM/ */
    const char *playlist_name;
    /* Called when a segment is asked for, with no bytes, and with what comes of it. */
    void (*take)(struct follower *follower, struct bytes body, int64_t now);
    enum { IDLE, READING_PLAYLIST, READING_SEGMENT } phase;
    int fd;                      /* 0: none */
    int64_t retry_ns;
    bool fails;                  /* the response is not 200 */
    struct http_response response;
    uint64_t sequence;           /* media sequence number of the segment wanted */
    bool joined;
    size_t missed, errors;
    size_t playlist_count;
    char playlist[32 * 1024];
};

/* A follower of no folder yet; all else begins at zero. */
void follower_set_up(struct follower *follower, const struct endpoint *origin, int epoll, const char *playlist_name,
    void (*take)(struct follower *follower, struct bytes body, int64_t now));

/* Asks when it is time to, and gives back when it is time again, in ns of CLOCK_MONOTONIC. */
int64_t follower_tick(struct follower *follower, int64_t now);

/* The watch's function. */
void follower_ready(struct watch *watch, uint32_t events);

#endif
