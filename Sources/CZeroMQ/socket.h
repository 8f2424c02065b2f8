// Contexts, sockets, options and polling.

#ifndef MARTLET_CZEROMQ_SOCKET_H
#define MARTLET_CZEROMQ_SOCKET_H

// Hidden behind the draft macro in Debian's header although the library knows it; whether this
// library does is probed at run time by setting it.
#define ZEROMQ_ZAP_ENFORCE_DOMAIN 93

static inline void *zeromq_context_new(int *error) {
    void *context = zmq_ctx_new();
    *error = context ? 0 : -errno;
    return context;
}

static inline int zeromq_context_set(void *context, int option, int value) {
    return zmq_ctx_set(context, option, value) == 0 ? 0 : -errno;
}

static inline int zeromq_context_get(void *context, int option) {
    int value = zmq_ctx_get(context, option);
    return value >= 0 ? value : -errno;
}

static inline int zeromq_context_shutdown(void *context) {
    return zmq_ctx_shutdown(context) == 0 ? 0 : -errno;
}

// Waits until every socket of the context is closed and its linger is over. A signal does not end
// the wait.
static inline int zeromq_context_terminate(void *context) {
    int result;
    do {
        result = zmq_ctx_term(context);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : -errno;
}

static inline void *zeromq_socket_new(void *context, int type, int *error) {
    void *socket = zmq_socket(context, type);
    *error = socket ? 0 : -errno;
    return socket;
}

static inline int zeromq_socket_close(void *socket) {
    return zmq_close(socket) == 0 ? 0 : -errno;
}

static inline int zeromq_socket_bind(void *socket, const char *endpoint) {
    return zmq_bind(socket, endpoint) == 0 ? 0 : -errno;
}

static inline int zeromq_socket_unbind(void *socket, const char *endpoint) {
    return zmq_unbind(socket, endpoint) == 0 ? 0 : -errno;
}

static inline int zeromq_socket_connect(void *socket, const char *endpoint) {
    return zmq_connect(socket, endpoint) == 0 ? 0 : -errno;
}

static inline int zeromq_socket_disconnect(void *socket, const char *endpoint) {
    return zmq_disconnect(socket, endpoint) == 0 ? 0 : -errno;
}

static inline int zeromq_socket_set(void *socket, int option, const void *value, size_t size) {
    return zmq_setsockopt(socket, option, value, size) == 0 ? 0 : -errno;
}

static inline int zeromq_socket_set_int(void *socket, int option, int value) {
    return zeromq_socket_set(socket, option, &value, sizeof value);
}

static inline int zeromq_socket_set_int64(void *socket, int option, int64_t value) {
    return zeromq_socket_set(socket, option, &value, sizeof value);
}

static inline int zeromq_socket_get(void *socket, int option, void *value, size_t *size) {
    return zmq_getsockopt(socket, option, value, size) == 0 ? 0 : -errno;
}

static inline int zeromq_socket_get_int(void *socket, int option, int *value) {
    size_t size = sizeof *value;
    return zeromq_socket_get(socket, option, value, &size);
}

static inline int zeromq_socket_get_int64(void *socket, int option, int64_t *value) {
    size_t size = sizeof *value;
    return zeromq_socket_get(socket, option, value, &size);
}

// The number of ready items, 0 after `timeout` milliseconds (-1: never), or -errno.
static inline int zeromq_poll(zmq_pollitem_t *items, int count, long timeout) {
    int ready = zmq_poll(items, count, timeout);
    return ready >= 0 ? ready : -errno;
}

static inline zmq_pollitem_t zeromq_poll_socket(void *socket, short events) {
    zmq_pollitem_t item = {.socket = socket, .fd = -1, .events = events, .revents = 0};
    return item;
}

#endif
