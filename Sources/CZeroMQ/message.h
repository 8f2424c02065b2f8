// Messages: creation, sending and receiving, with errno as a negative result.

#ifndef MARTLET_CZEROMQ_MESSAGE_H
#define MARTLET_CZEROMQ_MESSAGE_H

ZEROMQ_INLINE zmq_msg_t zeromq_message_empty(void) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    return message;
}

// Room for `size` bytes that the caller fills. 0 or -ENOMEM; on failure the message is not
// initialised and must not be closed.
ZEROMQ_INLINE int zeromq_message_init_size(zmq_msg_t *message, size_t size) {
    return zmq_msg_init_size(message, size) == 0 ? 0 : -errno;
}

ZEROMQ_INLINE int zeromq_message_init_copy(zmq_msg_t *message, const void *bytes, size_t size) {
    if (zmq_msg_init_size(message, size) != 0)
        return -errno;
    if (size > 0)
        memcpy(zmq_msg_data(message), bytes, size);
    return 0;
}

// A message over memory that somebody else owns. libzmq calls `release(bytes, owner)` exactly once,
// on any thread, when it has done with the memory. On failure `release` has not been called.
ZEROMQ_INLINE int zeromq_message_init_borrowed(zmq_msg_t *message, const void *bytes, size_t size,
                                               void (*release)(void *, void *), void *owner) {
    return zmq_msg_init_data(message, (void *)bytes, size, release, owner) == 0 ? 0 : -errno;
}

// The number of bytes sent, or -errno; the message is empty after a success and untouched
// after a failure.
ZEROMQ_INLINE int zeromq_message_send(zmq_msg_t *message, void *socket, int flags) {
    int sent = zmq_msg_send(message, socket, flags);
    return sent >= 0 ? sent : -errno;
}

// The number of bytes received, or -errno; what the message held before is released.
ZEROMQ_INLINE int zeromq_message_receive(zmq_msg_t *message, void *socket, int flags) {
    int received = zmq_msg_recv(message, socket, flags);
    return received >= 0 ? received : -errno;
}

#endif
