#define _GNU_SOURCE
#include "picture.h"
#include "measure.h"
#include <libavcodec/avcodec.h>
#include <stdbool.h>

struct picture_reader {
    AVCodecContext *decoder;
    AVPacket *packet;
    AVFrame *frame;
    void (*found)(void *context, int number, int64_t now);
    void *context;
};

struct picture_reader *picture_reader_new(void (*found)(void *context, int number, int64_t now), void *context) {
    struct picture_reader *reader = resized(NULL, sizeof *reader);
    const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_H264);
    if (!codec) give_up("libavcodec", "no H.264 decoder");
    *reader = (struct picture_reader){.decoder = avcodec_alloc_context3(codec), .packet = av_packet_alloc(),
        .frame = av_frame_alloc(), .found = found, .context = context};
    av_log_set_level(AV_LOG_FATAL);
    if (avcodec_open2(reader->decoder, codec, NULL) < 0) give_up("libavcodec", "the H.264 decoder does not open");
    return reader;
}

/* The mean of 3×3 samples. */
static int luma(const AVFrame *frame, int x, int y) {
    int sum = 0;
    for (int row = y - 1; row <= y + 1; row++)
        for (int column = x - 1; column <= x + 1; column++) sum += frame->data[0][row * frame->linesize[0] + column];
    return sum / 9;
}

static int number_in(const AVFrame *frame) {
    bool is_eight_bit = frame->format == AV_PIX_FMT_YUV420P || frame->format == AV_PIX_FMT_YUVJ420P ||
                        frame->format == AV_PIX_FMT_NV12;
    if (!is_eight_bit || frame->width < 160 || frame->height < 90) return -1;
    int number = 0, middle = frame->height / 2, row = frame->height / 36;
    for (int bit = 0; bit < PICTURE_BITS; bit++) {
        int x = frame->width / 4 + (2 * bit + 1) * frame->width / (4 * PICTURE_BITS);
        int upper = luma(frame, x, middle - row), lower = luma(frame, x, middle + row);
        if (abs(upper - lower) < 96) return -1;
        if (upper > lower) number |= 1 << bit;
    }
    return number;
}

void picture_read(struct picture_reader *reader, const uint8_t *bytes, int count, int64_t now) {
    if (bytes) {
        if (av_new_packet(reader->packet, count) < 0) give_up("libavcodec", "out of memory");
        for (int i = 0; i < count; i++) reader->packet->data[i] = bytes[i];
        reader->packet->pts = now;
    }
    /* A damaged access unit is an error here; its picture is then missing, which shows. */
    avcodec_send_packet(reader->decoder, bytes ? reader->packet : NULL);
    av_packet_unref(reader->packet);
    while (avcodec_receive_frame(reader->decoder, reader->frame) >= 0)
        reader->found(reader->context, number_in(reader->frame), reader->frame->pts);
    if (bytes) return;
    avcodec_free_context(&reader->decoder);
    av_packet_free(&reader->packet);
    av_frame_free(&reader->frame);
    free(reader);
}
