#ifndef WATCH_H
#define WATCH_H

#include <stdint.h>
#include <sys/epoll.h>

/* What an epoll event belongs to; the first member of its owner. */
struct watch {
    void (*ready)(struct watch *watch, uint32_t events);
};

static inline void watch_descriptor(int epoll, int operation, int fd, uint32_t events, struct watch *watch) {
    struct epoll_event event = {.events = events, .data.ptr = watch};
    epoll_ctl(epoll, operation, fd, &event);
}

#endif
