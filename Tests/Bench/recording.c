#define _GNU_SOURCE
#include "recording.h"
#include "measure.h"
#include <string.h>

enum { PACKET = 188, PES_HEADER = 9 };

void recording_take(struct recording *recording, struct bytes body, int64_t now) {
    if (recording->room - recording->count < body.count) {
        recording->room = recording->room * 2 + body.count + (1 << 20);
        recording->bytes = resized(recording->bytes, recording->room);
    }
    if (body.count) memcpy(recording->bytes + recording->count, body.start, body.count);
    recording->count += body.count;
    if (recording->arrival_count == recording->arrival_room) {
        recording->arrival_room = recording->arrival_room * 2 + 1024;
        recording->arrivals = resized(recording->arrivals, recording->arrival_room * sizeof *recording->arrivals);
    }
    recording->arrivals[recording->arrival_count++] =
        (struct arrival){.end = recording->count, .now = now, .is_segment = !body.count};
}

/* The access unit that is being put together, and whom it is for. */
struct gathering {
    void (*found)(void *context, const uint8_t *bytes, size_t count, int64_t now);
    void *context;
    int video_pid;
    uint8_t *bytes;
    size_t count, room;
    int64_t now;
};

static void end_unit(struct gathering *gathering) {
    if (gathering->count) gathering->found(gathering->context, gathering->bytes, gathering->count, gathering->now);
    gathering->count = 0;
}

/* One packet (ISO 13818-1 §2.4.3); a PES packet holds one access unit, and its end is known when the next begins. */
static void take_packet(struct gathering *gathering, const uint8_t *packet, int64_t now) {
    int pid = (packet[1] & 31) << 8 | packet[2], start = packet[3] & 0x20 ? 5 + packet[4] : 4;
    if (packet[0] != 0x47 || !(packet[3] & 0x10) || start >= PACKET) return;
    bool begins = packet[1] & 0x40 && PACKET - start >= PES_HEADER && !memcmp(packet + start, "\0\0\1", 3) &&
                  (packet[start + 3] & 0xf0) == 0xe0;
    if (begins) {
        end_unit(gathering);
        gathering->video_pid = pid;
        start += PES_HEADER + packet[start + 8];
    }
    if (pid != gathering->video_pid || !pid || start > PACKET) return;
    if (gathering->room - gathering->count < PACKET)
        gathering->bytes = resized(gathering->bytes, gathering->room = gathering->room * 2 + (64 << 10));
    memcpy(gathering->bytes + gathering->count, packet + start, (size_t)(PACKET - start));
    gathering->count += (size_t)(PACKET - start);
    gathering->now = now;
}

void recording_access_units(const struct recording *recording,
    void (*found)(void *context, const uint8_t *bytes, size_t count, int64_t now), void *context) {
    struct gathering gathering = {.found = found, .context = context};
    size_t at = 0;
    for (size_t i = 0; i < recording->arrival_count; i++) {
        const struct arrival *arrival = &recording->arrivals[i];
        if (arrival->is_segment) {
            end_unit(&gathering);
            gathering.video_pid = 0;
            at = arrival->end;
        }
        for (; arrival->end - at >= PACKET; at += PACKET) take_packet(&gathering, recording->bytes + at, arrival->now);
    }
    end_unit(&gathering);
    free(gathering.bytes);
}
