#ifndef WATCH_H
#define WATCH_H

#include "measure.h"
#include <poll.h>
#include <stdbool.h>
#include <sys/epoll.h>

/* What an epoll event belongs to; the first member of its owner. */
struct watch {
    void (*ready)(struct watch *watch, uint32_t events);
};

static inline void watch_descriptor(int epoll, int operation, int fd, uint32_t events, struct watch *watch) {
    struct epoll_event event = {.events = events, .data.ptr = watch};
    epoll_ctl(epoll, operation, fd, &event);
}

/* Serves what is ready and does what is due, until all is over. tick does the latter and gives back when something is
   due again. */
static inline void watch_all(int epoll, int64_t (*tick)(int64_t now, bool *is_over)) {
    struct epoll_event events[256];
    struct pollfd descriptor = {.fd = epoll, .events = POLLIN};
    bool is_over = false;
    for (;;) {
        int64_t now = now_ns(), due = tick(now, &is_over), wait = due > now ? due - now : 0;
        if (is_over) return;
        struct timespec timeout = {wait / 1000000000, wait % 1000000000};
        /* epoll_wait counts in milliseconds. */
        if (ppoll(&descriptor, 1, due == INT64_MAX ? NULL : &timeout, NULL) <= 0) continue;
        int ready = epoll_wait(epoll, events, 256, 0);
        for (int i = 0; i < ready; i++) {
            struct watch *watch = events[i].data.ptr;
            watch->ready(watch, events[i].events);
        }
    }
}

#endif
