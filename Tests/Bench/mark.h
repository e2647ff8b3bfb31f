#ifndef MARK_H
#define MARK_H

#include "http.h"

/* The mark of a video frame: a user_data_unregistered SEI NAL unit (H.264 D.1.7) behind the slices, with its length in
   four bytes before it, that holds "HWTS" and the sending time in ns as 16 hexadecimal digits. Text, so that no
   emulation prevention gets into it. */
enum { MARK_DIGITS = 16, MARK_TEXT = 4 + MARK_DIGITS, MARK_SEI_BYTES = 4 + 3 + 16 + MARK_TEXT + 1 };

/* Lays the SEI out in MARK_SEI_BYTES and gives back where its digits stand. */
char *mark_sei(char *sei);

void mark_set(char *digits, int64_t sent_ns);

/* Finds marks in the bytes of one MPEG-TS segment, however they are cut; all zero is a segment's beginning. */
struct mark_finder {
    char packet[188];
    size_t packet_count;
    int video_pid;
    size_t payload_count;
    char payload[64 * 1024];
};

/* Calls found for each mark that is whole with these bytes; false where they are no MPEG-TS. */
bool mark_find(struct mark_finder *finder, struct bytes input, void (*found)(void *context, int64_t sent_ns),
    void *context);

/* Back to a segment's beginning. */
void mark_reset(struct mark_finder *finder);

#endif
