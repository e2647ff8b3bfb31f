#include "journal.h"

static const int64_t warm_up_ns = 2 * INT64_C(1000000000);

void journal_sent(struct journal *journal, int64_t sent_ns) {
    if (journal->sent == journal->room) {
        journal->room = journal->room * 2 + 1024;
        journal->sent_ns = resized(journal->sent_ns, journal->room * sizeof *journal->sent_ns);
        journal->received = resized(journal->received, journal->room * sizeof *journal->received);
    }
    journal->sent_ns[journal->sent] = sent_ns;
    journal->received[journal->sent++] = false;
}

/* The number of the frame sent at that time, or how many were sent if there is none. */
static size_t frame_sent_at(const struct journal *journal, int64_t sent_ns) {
    size_t low = 0, high = journal->sent;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (journal->sent_ns[middle] < sent_ns) low = middle + 1;
        else high = middle;
    }
    return low < journal->sent && journal->sent_ns[low] == sent_ns ? low : journal->sent;
}

void journal_received(struct journal *journal, int64_t sent_ns, int64_t now, struct lags *lags) {
    size_t frame = journal->next;
    if (frame >= journal->sent || journal->sent_ns[frame] != sent_ns) frame = frame_sent_at(journal, sent_ns);
    if (frame == journal->sent) {
        journal->unknown++;
    } else if (journal->received[frame]) {
        journal->repeated++;
    } else {
        journal->received[frame] = true;
        journal->came++;
        if (frame < journal->next) journal->misplaced++;
        else journal->next = frame + 1;
        if (sent_ns - journal->sent_ns[0] >= warm_up_ns) lags_add(lags, now - sent_ns);
    }
}
