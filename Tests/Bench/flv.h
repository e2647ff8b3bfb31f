#ifndef FLV_H
#define FLV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One FLV tag as the RTMP message that carries it. */
struct flv_tag {
    uint8_t type;
    bool is_header;          /* metadata or a sequence header: sent once, not in every round */
    uint32_t milliseconds;   /* since the file's first tag */
    uint8_t *body;
    size_t count;
    char *mark;              /* where the sending time is written into a video frame; NULL elsewhere */
};

struct flv_file {
    struct flv_tag *tags;
    size_t count, largest;
    uint32_t milliseconds;   /* of one round: the next begins where each track goes on */
};

/* Reads a whole file of AVC and AAC; a marked SEI is put at the end of every video frame. Ends the program where the
   file is none. */
struct flv_file flv_read(const char *path);

#endif
