#ifndef CCURL_H
#define CCURL_H

#include <curl/curl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

/* curl_easy_setopt, curl_multi_setopt and curl_easy_getinfo are variadic, which Swift does not import: one function for
   each form of argument in use. The option's own type decides which form is right. */

static inline CURLcode ccurl_easy_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_easy_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_easy_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_easy_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_easy_set_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_easy_set_read_function(CURL *easy, curl_read_callback function) {
    return curl_easy_setopt(easy, CURLOPT_READFUNCTION, function);
}

static inline CURLcode ccurl_easy_set_write_function(CURL *easy, curl_write_callback function) {
    return curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, function);
}

static inline CURLcode ccurl_easy_set_seek_function(CURL *easy, curl_seek_callback function) {
    return curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, function);
}

static inline CURLcode ccurl_easy_set_socket_option_function(CURL *easy, curl_sockopt_callback function) {
    return curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, function);
}

static inline CURLcode ccurl_easy_get_long(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode ccurl_easy_get_private(CURL *easy, void **value) {
    return curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)value);
}

static inline CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode ccurl_multi_set_pointer(CURLM *multi, CURLMoption option, void *value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode ccurl_multi_set_socket_function(CURLM *multi, curl_socket_callback function) {
    return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, function);
}

static inline CURLMcode ccurl_multi_set_timer_function(CURLM *multi, curl_multi_timer_callback function) {
    return curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, function);
}

/* A message's result is in a union; it is valid for CURLMSG_DONE alone. */
static inline CURLcode ccurl_message_result(const CURLMsg *message) {
    return message->data.result;
}

static inline long ccurl_global_default(void) { return CURL_GLOBAL_DEFAULT; }

/* The thread that drives libcurl waits with epoll and is woken by an eventfd: their constants are enums and macros that
   the Glibc module leaves out, and so is a thread's name (at most 15 bytes). */

static const uint32_t ccurl_epoll_in = EPOLLIN;
static const uint32_t ccurl_epoll_out = EPOLLOUT;
static const uint32_t ccurl_epoll_broken = EPOLLERR | EPOLLHUP;
static const uint32_t ccurl_epoll_closed = EPOLLRDHUP;
static const uint32_t ccurl_epoll_edge = EPOLLET;

static inline int ccurl_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline int ccurl_epoll_control(int epoll, int operation, int socket, uint32_t events) {
    struct epoll_event event = { .events = events, .data = { .fd = socket } };
    return epoll_ctl(epoll, operation, socket, &event);
}

static inline int ccurl_event_create(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline int ccurl_event_signal(int event) { return eventfd_write(event, 1); }

static inline void ccurl_event_clear(int event) {
    eventfd_t value;
    eventfd_read(event, &value);
}

static inline void ccurl_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

#endif
