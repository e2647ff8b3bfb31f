#ifndef RECORDING_H
#define RECORDING_H

#include "http.h"
#include <stdbool.h>

/* What came of one rendition, and when: every byte is kept, so that decoding can wait until nothing is measured. */
struct recording {
    uint8_t *bytes;
    size_t count, room;
    struct arrival {
        size_t end;        /* how many bytes had come by then */
        int64_t now;
        bool is_segment;   /* a segment begins here */
    } *arrivals;
    size_t arrival_count, arrival_room;
};

/* No bytes stand for a segment's beginning. */
void recording_take(struct recording *recording, struct bytes body, int64_t now);

/* Calls found for each access unit of video in MPEG-TS segments, with the time when the last of its packets had come. */
void recording_access_units(const struct recording *recording,
    void (*found)(void *context, const uint8_t *bytes, size_t count, int64_t now), void *context);

#endif
