#ifndef JOURNAL_H
#define JOURNAL_H

#include "measure.h"
#include <stdbool.h>

/* What was sent of one stream, and which of it has come back. A frame is known by its sending time. */
struct journal {
    int64_t *sent_ns;
    bool *received;
    size_t sent, room, next;
    size_t came, repeated, misplaced, unknown;
};

void journal_sent(struct journal *journal, int64_t sent_ns);

/* Frames of the stream's first seconds give no lag: their reader had to find the playlist first. */
void journal_received(struct journal *journal, int64_t sent_ns, int64_t now, struct lags *lags);

#endif
