#ifndef CLIBAV_H
#define CLIBAV_H

#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/error.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>

// Macros that Swift does not import.
static const int clibav_again = AVERROR(EAGAIN);
static const int clibav_end = AVERROR_EOF;
static const int clibav_exit = AVERROR_EXIT;
static const int clibav_invalid_data = AVERROR_INVALIDDATA;
static const int clibav_no_memory = AVERROR(ENOMEM);
static const int clibav_no_option = AVERROR_OPTION_NOT_FOUND;
static const int64_t clibav_no_time = AV_NOPTS_VALUE;

#endif
