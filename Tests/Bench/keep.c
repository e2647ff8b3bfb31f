/* keep: whether a server keeps what it said it has, however it ends.

   keep write LOG HOST:PORT      uploads objects, each version after version, and a playlist of them, until the server is gone
   keep check LOG HOST:PORT      reads all of them again

   LOG has a line for each version that the server has taken, `object version ns`, and one with `end ns` when a writer
   found the server gone. An object that is served must be a version as a whole, and not older than the newest that was
   taken a second before the server's end. Prints one line of NAME=VALUE; fails where something is lost or wrong. */

#define _GNU_SOURCE
#include "http.h"
#include "net.h"
#include <pthread.h>
#include <stdbool.h>

enum { object_count = 64, writer_count = 4, largest_bytes = 96 * 1024 };
static const int64_t lag_limit_ns = INT64_C(1000000000);

static FILE *record;
static pthread_mutex_t record_lock = PTHREAD_MUTEX_INITIALIZER;
static struct endpoint endpoint;
/* What the log says: the newest version of each object that was begun before, and that must be there. */
static long newest[object_count + 1], wanted[object_count + 1];

static uint64_t mixed(uint64_t value) {
    value ^= value >> 33;
    value *= UINT64_C(0xff51afd7ed558ccd);
    value ^= value >> 29;
    value *= UINT64_C(0xc4ceb9fe1a85ec53);
    return value ^ value >> 32;
}

/* The bytes of a version, which begin with its number; gives back how many. */
static size_t lay_out(char *bytes, int object, long version) {
    uint64_t state = mixed((uint64_t)object << 32 ^ (uint64_t)version);
    size_t size = 1024 + state % (largest_bytes - 1024), at = (size_t)sprintf(bytes, "%d %ld ", object, version);
    for (; at < size; at++) {
        if (at % 8 == 0) state = mixed(state + at);
        bytes[at] = (char)(state >> at % 8 * 8);
    }
    return size;
}

static size_t lay_out_playlist(char *text, long version) {
    size_t size = (size_t)sprintf(text, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#VERSION:%ld\n", version);
    for (int i = 0; i < object_count; i++) size += (size_t)sprintf(text + size, "#EXTINF:1,\n%d.ts\n", i);
    return size + (size_t)sprintf(text + size, "#END\n");
}

static bool send_all(int fd, const char *bytes, size_t count) {
    while (count) {
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes += sent;
        count -= (size_t)sent;
    }
    return true;
}

/* The status of the next response, 0 where there is none; its body if it is wanted. */
static int answer(int fd, char *body, size_t room, size_t *size) {
    static _Thread_local char bytes[64 * 1024];
    struct http_response response = {0};
    *size = 0;
    for (;;) {
        ssize_t count = recv(fd, bytes, sizeof bytes, 0);
        if (count <= 0) return 0;
        struct bytes input = {bytes, (size_t)count}, piece;
        enum http_event event;
        while ((event = http_next(&response, &input, &piece)) != HTTP_MORE) {
            if (event == HTTP_INVALID) return 0;
            if (event == HTTP_END) return response.status;
            if (event != HTTP_BODY || *size + piece.count > room) continue;
            memcpy(body + *size, piece.start, piece.count);
            *size += piece.count;
        }
    }
}

static void path_of(char *path, int object) {
    if (object == object_count) strcpy(path, "/keep/live/list.m3u8");
    else sprintf(path, "/keep/live/%d.ts", object);
}

/* A version in two halves, chunked where it is odd. */
static bool upload(int fd, int object, long version, const char *bytes, size_t size) {
    char head[256], path[64], nothing[16];
    size_t half = size / 2, unused;
    path_of(path, object);
    int count = version % 2
        ? sprintf(head, "PUT %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n", path, size)
        : sprintf(head, "PUT %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", path, size);
    if (!send_all(fd, head, (size_t)count) || !send_all(fd, bytes, half)) return false;
    usleep(5000);
    return send_all(fd, bytes + half, size - half) && (!(version % 2) || send_all(fd, "\r\n0\r\n\r\n", 7)) &&
           answer(fd, nothing, 0, &unused) / 100 == 2;
}

static void *write_objects(void *argument) {
    int first = (int)(intptr_t)argument, fd = dial(&endpoint, 0);
    char *bytes = resized(NULL, largest_bytes + 64);
    bool alive = fd >= 0;
    for (long round = 1; alive; round++) {
        for (int object = first; alive && object <= object_count; object += writer_count) {
            long version = newest[object] + round;
            size_t size = object < object_count ? lay_out(bytes, object, version) : lay_out_playlist(bytes, version);
            alive = upload(fd, object, version, bytes, size);
            pthread_mutex_lock(&record_lock);
            if (alive) fprintf(record, "%d %ld %lld\n", object, version, (long long)now_ns());
            pthread_mutex_unlock(&record_lock);
        }
    }
    free(bytes);
    return NULL;
}

/* Reads the log; what was taken within the last moment before an end may be lost. */
static void read_log(const char *name) {
    char line[128];
    FILE *file = fopen(name, "r");
    long first = 0, at = 0;
    if (!file) return;
    struct taken { int object; long version; long long ns; } *all = NULL;
    while (fgets(line, sizeof line, file)) {
        long long end;
        struct taken taken;
        if (sscanf(line, "end %lld", &end) == 1) {
            for (; first < at; first++) {
                struct taken *one = &all[first];
                if (one->ns < end - lag_limit_ns && one->version > wanted[one->object]) wanted[one->object] = one->version;
            }
        } else if (sscanf(line, "%d %ld %lld", &taken.object, &taken.version, &taken.ns) == 3 && taken.object >= 0 &&
                   taken.object <= object_count) {
            if (at % 1024 == 0) all = resized(all, (size_t)(at + 1024) * sizeof *all);
            all[at++] = taken;
            if (taken.version > newest[taken.object]) newest[taken.object] = taken.version;
        }
    }
    free(all);
    fclose(file);
}

static int write_all(const char *log) {
    pthread_t writers[writer_count];
    record = fopen(log, "a");
    if (!record) give_up(log, strerror(errno));
    /* A version that was begun and not taken is never begun again. */
    for (int i = 0; i <= object_count; i++) newest[i] += 1;
    for (int i = 0; i < writer_count; i++) {
        if (pthread_create(&writers[i], NULL, write_objects, (void *)(intptr_t)i)) give_up("pthread_create", "no thread");
    }
    for (int i = 0; i < writer_count; i++) pthread_join(writers[i], NULL);
    fprintf(record, "end %lld\n", (long long)now_ns());
    fclose(record);
    return 0;
}

static int check_all(void) {
    char *body = resized(NULL, 2 * largest_bytes), *expected = resized(NULL, 2 * largest_bytes);
    long served = 0, lost = 0, corrupt = 0;
    int64_t start = now_ns();
    int fd = dial(&endpoint, 0);
    for (int object = 0; object <= object_count; object++) {
        char request[256], path[64];
        size_t size, right;
        long version = 0;
        int number = object;
        path_of(path, object);
        int count = sprintf(request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
        int status = send_all(fd, request, (size_t)count) ? answer(fd, body, 2 * largest_bytes - 1, &size) : 0;
        if (status != 200) {
            if (wanted[object] || status != 404) {
                lost++;
                fprintf(stderr, "%s: %d, version %ld was taken\n", path, status, wanted[object]);
            }
            continue;
        }
        served++;
        body[size] = 0;
        const char *mark = object < object_count ? body : strstr(body, "#VERSION:");
        if (object < object_count) sscanf(body, "%d %ld ", &number, &version);
        else if (mark) sscanf(mark, "#VERSION:%ld", &version);
        right = object < object_count ? lay_out(expected, number, version) : lay_out_playlist(expected, version);
        if (number != object || right != size || memcmp(body, expected, size)) {
            corrupt++;
            fprintf(stderr, "%s: %zu bytes that are no version\n", path, size);
        } else if (version < wanted[object]) {
            lost++;
            fprintf(stderr, "%s: version %ld, %ld was taken\n", path, version, wanted[object]);
        }
    }
    printf("served=%ld lost=%ld corrupt=%ld ms=%.1f\n", served, lost, corrupt, (double)(now_ns() - start) / 1e6);
    return lost || corrupt ? 1 : 0;
}

int main(int count, char **arguments) {
    if (count != 4) give_up("keep", "write or check, LOG and HOST:PORT are needed");
    endpoint = endpoint_named(arguments[3]);
    read_log(arguments[2]);
    return strcmp(arguments[1], "write") ? check_all() : write_all(arguments[2]);
}
