#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A run of bytes somewhere else. */
struct bytes {
    const char *start;
    size_t count;
};

enum http_event {
    HTTP_MORE,    /* the input is used up */
    HTTP_HEAD,    /* status is known */
    HTTP_BODY,    /* some of the body, without its framing */
    HTTP_END,     /* the response is over; the next may follow */
    HTTP_INVALID  /* not an HTTP/1.1 response */
};

/* Reads HTTP/1.1 responses (RFC 9112) from any cuts of the byte stream; all zero is its beginning. */
struct http_response {
    enum { HTTP_STATUS, HTTP_FIELD, HTTP_LENGTH, HTTP_CHUNK_SIZE, HTTP_CHUNK, HTTP_CHUNK_END, HTTP_TRAILER, HTTP_DONE }
        state;
    int status;
    bool chunked, closes;
    uint64_t remaining;
    size_t line_count;
    char line[1024];
};

/* Takes the next event's bytes off the input; body is set by HTTP_BODY alone. */
enum http_event http_next(struct http_response *response, struct bytes *input, struct bytes *body);

#endif
