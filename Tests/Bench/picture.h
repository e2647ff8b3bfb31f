#ifndef PICTURE_H
#define PICTURE_H

#include <stdint.h>

/* Numbered pictures: in the middle stand two rows of PICTURE_BITS squares, as wide as half the picture. The upper row is
   the number, white for 1, the lowest bit first; the lower is its complement. Tests/Bench/run draws them. */
enum { PICTURE_BITS = 16 };

struct picture_reader;

/* A decoder of H.264 with its parameter sets in band, or the end of the program. Calls found for each picture in the
   order of presentation, with its number, -1 where none can be read, and what came with its access unit. */
struct picture_reader *picture_reader_new(void (*found)(void *context, int number, int64_t now), void *context);

/* Takes an access unit; NULL ends the stream, and the reader. */
void picture_read(struct picture_reader *reader, const uint8_t *bytes, int count, int64_t now);

#endif
