#ifndef NET_H
#define NET_H

/* Addresses and sockets of the measuring programs. */

#include "measure.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server's address, and its name as Host headers have it. */
struct endpoint {
    struct sockaddr_storage address;
    socklen_t length;
    char name[128];
};

/* Resolves HOST:PORT, or ends the program. */
static inline struct endpoint endpoint_named(const char *text) {
    struct endpoint endpoint = {0};
    char host[128];
    const char *colon = strrchr(text, ':');
    if (!colon || strlen(text) >= sizeof host) give_up(text, "not HOST:PORT");
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = 0;
    struct addrinfo *found, wanted = {.ai_socktype = SOCK_STREAM};
    int code = getaddrinfo(host, colon + 1, &wanted, &found);
    if (code) give_up(text, gai_strerror(code));
    memcpy(&endpoint.address, found->ai_addr, found->ai_addrlen);
    endpoint.length = found->ai_addrlen;
    strcpy(endpoint.name, text);
    freeaddrinfo(found);
    return endpoint;
}

/* A TCP socket on its way to the endpoint; flags may be SOCK_NONBLOCK. -1 where there is none to be had. */
static inline int dial(const struct endpoint *endpoint, int flags) {
    int one = 1, fd = socket(endpoint->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0) return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (const struct sockaddr *)&endpoint->address, endpoint->length) < 0 && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

#endif
