#ifndef MEASURE_H
#define MEASURE_H

/* What every measuring program needs: one clock, lags with their percentiles, and a way to give up. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

/* CLOCK_MONOTONIC in nanoseconds: the same for every process of the host. */
static inline int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

_Noreturn static inline void give_up(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(2);
}

/* Memory of that size, or the end of the program. */
static inline void *resized(void *old, size_t bytes) {
    void *new = realloc(old, bytes);
    if (!new) give_up("realloc", "out of memory");
    return new;
}

/* As many open files as the host allows. */
static inline void raise_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* Processor time of this process so far, in seconds. */
static inline double cpu_seconds(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* Every lag measured, in microseconds. */
struct lags {
    uint32_t *values;
    size_t count, room;
};

static inline void lags_add(struct lags *lags, int64_t nanoseconds) {
    if (lags->count == lags->room) {
        lags->room = lags->room ? lags->room * 2 : 4096;
        lags->values = resized(lags->values, lags->room * sizeof *lags->values);
    }
    int64_t microseconds = nanoseconds / 1000;
    lags->values[lags->count++] = microseconds > UINT32_MAX ? UINT32_MAX : (uint32_t)microseconds;
}

static inline int lags_order(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* Prints p50_ms, p90_ms, p99_ms and max_ms, each behind the prefix. */
static inline void lags_print(struct lags *lags, const char *prefix) {
    static const struct { const char *name; double part; } ranks[] = {
        {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"max", 1}};
    if (lags->count) qsort(lags->values, lags->count, sizeof *lags->values, lags_order);
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        size_t rank = (size_t)((double)lags->count * ranks[i].part);
        if (rank >= lags->count && rank) rank = lags->count - 1;
        printf(" %s%s_ms=%.2f", prefix, ranks[i].name, lags->count ? lags->values[rank] / 1000.0 : 0);
    }
}

#endif
