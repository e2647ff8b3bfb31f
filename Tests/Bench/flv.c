#define _GNU_SOURCE
#include "flv.h"
#include "mark.h"
#include "measure.h"
#include <string.h>

enum { AUDIO = 8, VIDEO = 9, SCRIPT = 18 };
enum { FILE_HEADER = 13, TAG_HEADER = 11, PREVIOUS_SIZE = 4 };

static uint32_t big_endian(const uint8_t *bytes, int count) {
    uint32_t value = 0;
    while (count--) value = value << 8 | *bytes++;
    return value;
}

static uint8_t *whole_file(const char *path, size_t *count) {
    FILE *file = fopen(path, "rb");
    if (!file) give_up(path, "cannot be read");
    fseek(file, 0, SEEK_END);
    *count = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = resized(NULL, *count);
    if (fread(bytes, 1, *count, file) != *count) give_up(path, "cannot be read");
    fclose(file);
    return bytes;
}

/* The message body: of metadata behind @setDataFrame, of a video frame with the marked SEI behind it. */
static void set_body(struct flv_tag *tag, const uint8_t *bytes, size_t count) {
    static const uint8_t set_data_frame[] = "\x02\x00\x0d@setDataFrame";
    size_t before = tag->type == SCRIPT ? sizeof set_data_frame - 1 : 0;
    bool marked = tag->type == VIDEO && !tag->is_header && count >= 5 && (bytes[0] & 15) == 7 && bytes[1] == 1;
    tag->count = before + count + (marked ? MARK_SEI_BYTES : 0);
    tag->body = resized(NULL, tag->count);
    memcpy(tag->body, set_data_frame, before);
    memcpy(tag->body + before, bytes, count);
    if (marked) tag->mark = mark_sei((char *)tag->body + count);
}

static struct flv_tag tag_at(const uint8_t *bytes, size_t count) {
    struct flv_tag tag = {.type = bytes[0], .milliseconds = big_endian(bytes + 4, 3) | (uint32_t)bytes[7] << 24};
    const uint8_t *body = bytes + TAG_HEADER;
    bool sequence = count >= 2 && body[1] == 0;
    tag.is_header = tag.type == SCRIPT || (tag.type == VIDEO && (body[0] & 15) == 7 && sequence) ||
                    (tag.type == AUDIO && body[0] >> 4 == 10 && sequence);
    set_body(&tag, body, count);
    return tag;
}

/* How long one round is: each track's time from first to last, and one mean interval. */
static uint32_t round_length(const struct flv_file *file) {
    uint32_t longest = 1;
    for (uint8_t type = AUDIO; type <= VIDEO; type++) {
        uint32_t first = 0, last = 0, count = 0;
        for (size_t i = 0; i < file->count; i++) {
            if (file->tags[i].type != type || file->tags[i].is_header) continue;
            if (!count++) first = file->tags[i].milliseconds;
            last = file->tags[i].milliseconds;
        }
        if (count < 2) continue;
        uint32_t end = last + (last - first + (count - 1) / 2) / (count - 1);
        if (end > longest) longest = end;
    }
    return longest;
}

struct flv_file flv_read(const char *path) {
    size_t count, at = FILE_HEADER, room = 0;
    uint8_t *bytes = whole_file(path, &count);
    if (count < FILE_HEADER || memcmp(bytes, "FLV", 3)) give_up(path, "not an FLV file");
    struct flv_file file = {0};
    while (count - at > TAG_HEADER + PREVIOUS_SIZE) {
        size_t length = big_endian(bytes + at + 1, 3);
        if (count - at < TAG_HEADER + length + PREVIOUS_SIZE) break;
        if (file.count == room) file.tags = resized(file.tags, (room = room * 2 + 64) * sizeof *file.tags);
        struct flv_tag tag = tag_at(bytes + at, length);
        if (file.count) tag.milliseconds -= file.tags[0].milliseconds;
        if (tag.count > file.largest) file.largest = tag.count;
        file.tags[file.count++] = tag;
        at += TAG_HEADER + length + PREVIOUS_SIZE;
    }
    free(bytes);
    if (!file.count) give_up(path, "no tags");
    file.tags[0].milliseconds = 0;
    file.milliseconds = round_length(&file);
    return file;
}
