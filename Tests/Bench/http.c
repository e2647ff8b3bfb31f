#define _GNU_SOURCE
#include "http.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Whether a whole line has been gathered; it stands in response->line without its end. A longer one loses its tail. */
static bool take_line(struct http_response *response, struct bytes *input) {
    const char *end = memchr(input->start, '\n', input->count);
    size_t taken = end ? (size_t)(end - input->start) : input->count;
    size_t room = sizeof response->line - 1 - response->line_count, kept = taken < room ? taken : room;
    memcpy(response->line + response->line_count, input->start, kept);
    response->line_count += kept;
    input->start += taken;
    input->count -= taken;
    if (!end) return false;
    input->start++;
    input->count--;
    if (response->line_count && response->line[response->line_count - 1] == '\r') response->line_count--;
    response->line[response->line_count] = 0;
    response->line_count = 0;
    return true;
}

static void take_field(struct http_response *response) {
    char *value = strchr(response->line, ':');
    if (!value) return;
    *value++ = 0;
    if (!strcasecmp(response->line, "content-length")) response->remaining = strtoull(value, NULL, 10);
    if (!strcasecmp(response->line, "transfer-encoding")) response->chunked = strcasestr(value, "chunked");
    if (!strcasecmp(response->line, "connection")) response->closes = strcasestr(value, "close");
}

/* As much of the body, or of the chunk, as the input holds. */
static void take_body(struct http_response *response, struct bytes *input, struct bytes *body) {
    body->start = input->start;
    body->count = input->count < response->remaining ? input->count : response->remaining;
    input->start += body->count;
    input->count -= body->count;
    response->remaining -= body->count;
}

enum http_event http_next(struct http_response *response, struct bytes *input, struct bytes *body) {
    for (;;) switch (response->state) {
        case HTTP_STATUS:
            if (!take_line(response, input)) return HTTP_MORE;
            if (strncmp(response->line, "HTTP/1.1 ", 9)) return HTTP_INVALID;
            response->status = atoi(response->line + 9);
            response->chunked = response->closes = false;
            response->remaining = 0;
            response->state = HTTP_FIELD;
            break;
        case HTTP_FIELD:
            if (!take_line(response, input)) return HTTP_MORE;
            if (*response->line) {
                take_field(response);
                break;
            }
            response->state = response->chunked ? HTTP_CHUNK_SIZE : response->remaining ? HTTP_LENGTH : HTTP_DONE;
            return HTTP_HEAD;
        case HTTP_CHUNK_SIZE:
            if (!take_line(response, input)) return HTTP_MORE;
            response->remaining = strtoull(response->line, NULL, 16);
            response->state = response->remaining ? HTTP_CHUNK : HTTP_TRAILER;
            break;
        case HTTP_CHUNK:
        case HTTP_LENGTH:
            if (!input->count) return HTTP_MORE;
            take_body(response, input, body);
            if (!response->remaining) response->state = response->chunked ? HTTP_CHUNK_END : HTTP_DONE;
            return HTTP_BODY;
        case HTTP_CHUNK_END:
            if (!take_line(response, input)) return HTTP_MORE;
            response->state = HTTP_CHUNK_SIZE;
            break;
        case HTTP_TRAILER:
            if (!take_line(response, input)) return HTTP_MORE;
            if (!*response->line) response->state = HTTP_DONE;
            break;
        case HTTP_DONE:
            response->state = HTTP_STATUS;
            return HTTP_END;
    }
}
