#ifndef WIRE_H
#define WIRE_H

/* Connections of the measuring programs, with or without TLS. */

#include "net.h"
#include <fcntl.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>

/* A TCP connection; tls is null where there is none. */
struct wire {
    int fd;
    SSL *tls;
};

/* What wire_open needs for TLS: HTTP/1.1 alone, and whatever certificate the server has. */
static inline SSL_CTX *tls_client(void) {
    static const unsigned char protocols[] = "\x08http/1.1";
    SSL_CTX *client = SSL_CTX_new(TLS_client_method());
    if (!client) give_up("TLS", "out of memory");
    SSL_CTX_set_alpn_protos(client, protocols, sizeof protocols - 1);
    SSL_CTX_set_mode(client, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(client, 1);
    signal(SIGPIPE, SIG_IGN);
    return client;
}

static inline void wire_close(struct wire *wire) {
    SSL_free(wire->tls);
    if (wire->fd >= 0) close(wire->fd);
    *wire = (struct wire){.fd = -1};
}

/* Connects, and shakes hands where client is given; the wire's fd is -1 where that fails. */
static inline struct wire wire_open(const struct endpoint *endpoint, SSL_CTX *client) {
    struct wire wire = {.fd = dial(endpoint, 0)};
    if (wire.fd < 0 || !client) return wire;
    wire.tls = SSL_new(client);
    if (!wire.tls || !SSL_set_fd(wire.tls, wire.fd) || SSL_connect(wire.tls) != 1) wire_close(&wire);
    return wire;
}

/* What comes is read as far as it is there from now on. */
static inline void wire_do_not_block(struct wire *wire) { fcntl(wire->fd, F_SETFL, O_NONBLOCK); }

/* All of the bytes, on a wire that blocks. */
static inline bool wire_send(struct wire *wire, const char *bytes, size_t count) {
    if (wire->tls) return !count || SSL_write(wire->tls, bytes, (int)count) == (int)count;
    while (count) {
        ssize_t sent = send(wire->fd, bytes, count, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes += sent;
        count -= (size_t)sent;
    }
    return true;
}

/* As recv(2): -1 with EAGAIN where there is nothing yet. */
static inline ssize_t wire_receive(struct wire *wire, char *bytes, size_t count) {
    if (!wire->tls) return recv(wire->fd, bytes, count, 0);
    int taken = SSL_read(wire->tls, bytes, (int)count);
    if (taken > 0) return taken;
    if (SSL_get_error(wire->tls, taken) != SSL_ERROR_WANT_READ) return 0;
    errno = EAGAIN;
    return -1;
}

/* Whether bytes wait that epoll does not know of. */
static inline bool wire_holds_more(const struct wire *wire) { return wire->tls && SSL_has_pending(wire->tls); }

#endif
