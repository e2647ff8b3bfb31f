#define _GNU_SOURCE
#include "mark.h"
#include <string.h>

static const char label[] = "HWTS";
enum { PACKET = 188, LABEL = sizeof label - 1 };

char *mark_sei(char *sei) {
    static const char start[] = {0, 0, 0, MARK_SEI_BYTES - 4, 6, 5, 16 + MARK_TEXT};
    memcpy(sei, start, sizeof start);
    char *text = sei + sizeof start + 16;
    memset(sei + sizeof start, 0x5a, 16);
    memcpy(text, label, LABEL);
    memset(text + LABEL, '0', MARK_DIGITS);
    text[MARK_TEXT] = (char)0x80;
    return text + LABEL;
}

void mark_set(char *digits, int64_t sent_ns) {
    for (int i = MARK_DIGITS; i--; sent_ns >>= 4) digits[i] = "0123456789abcdef"[sent_ns & 15];
}

/* The time that the digits tell; negative where they are none. */
static int64_t mark_time(const char *digits) {
    uint64_t time = 0;
    for (int i = 0; i < MARK_DIGITS; i++) {
        const char *digit = memchr("0123456789abcdef", digits[i], 16);
        if (!digit) return -1;
        time = time << 4 | (uint64_t)(digits[i] <= '9' ? digits[i] - '0' : digits[i] - 'a' + 10);
    }
    return (int64_t)time;
}

/* Finds the marks in the payload gathered and keeps what may be the beginning of one. */
static void search(struct mark_finder *finder, void (*found)(void *context, int64_t sent_ns), void *context) {
    const char *at = finder->payload, *end = at + finder->payload_count, *mark;
    while ((mark = memmem(at, (size_t)(end - at), label, LABEL)) && end - mark >= MARK_TEXT) {
        int64_t time = mark_time(mark + LABEL);
        if (time >= 0) found(context, time);
        at = mark + LABEL;
    }
    const char *kept = mark ? mark : end - at < LABEL ? at : end - (LABEL - 1);
    finder->payload_count = (size_t)(end - kept);
    memmove(finder->payload, kept, finder->payload_count);
}

/* Gathers the payload of the packets that carry video (ISO 13818-1 §2.4.3). */
static bool take_packet(struct mark_finder *finder, const unsigned char *packet) {
    if (packet[0] != 0x47) return false;
    int pid = (packet[1] & 31) << 8 | packet[2], start = packet[3] & 0x20 ? 5 + packet[4] : 4;
    if (!(packet[3] & 0x10) || start >= PACKET) return true;
    bool begins = packet[1] & 0x40 && PACKET - start >= 4 && !memcmp(packet + start, "\0\0\1", 3);
    if (begins && (packet[start + 3] & 0xf0) == 0xe0) finder->video_pid = pid;
    if (pid != finder->video_pid || !pid) return true;
    memcpy(finder->payload + finder->payload_count, packet + start, (size_t)(PACKET - start));
    finder->payload_count += (size_t)(PACKET - start);
    return true;
}

bool mark_find(struct mark_finder *finder, struct bytes input, void (*found)(void *context, int64_t sent_ns),
    void *context) {
    bool valid = true;
    while (input.count) {
        const char *packet = input.start;
        size_t taken = PACKET - finder->packet_count;
        if (taken > input.count) taken = input.count;
        if (taken < PACKET) {
            memcpy(finder->packet + finder->packet_count, input.start, taken);
            finder->packet_count = (finder->packet_count + taken) % PACKET;
            packet = finder->packet_count ? NULL : finder->packet;
        }
        input.start += taken;
        input.count -= taken;
        if (packet) valid &= take_packet(finder, (const unsigned char *)packet);
        if (sizeof finder->payload - finder->payload_count < PACKET) search(finder, found, context);
    }
    search(finder, found, context);
    return valid;
}

void mark_reset(struct mark_finder *finder) {
    finder->packet_count = finder->payload_count = 0;
    finder->video_pid = 0;
}
