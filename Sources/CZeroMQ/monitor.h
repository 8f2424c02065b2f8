// Monitor frames: a socket's events arrive on a PAIR socket as two parts, the first six packed
// bytes (event as u16, value as u32, both in host order), the second the endpoint.

#ifndef MARTLET_CZEROMQ_MONITOR_H
#define MARTLET_CZEROMQ_MONITOR_H

typedef struct {
    uint16_t event;
    uint32_t value;
} zeromq_monitor_event;

// The endpoint may be NULL, which disarms the monitor.
static inline int zeromq_socket_monitor(void *socket, const char *endpoint, int events) {
    return zmq_socket_monitor(socket, endpoint, events) == 0 ? 0 : -errno;
}

// False when the part is not the first part of an event.
static inline bool zeromq_monitor_decode(const void *part, size_t size,
                                         zeromq_monitor_event *event) {
    if (size != sizeof event->event + sizeof event->value)
        return false;
    memcpy(&event->event, part, sizeof event->event);
    memcpy(&event->value, (const char *)part + sizeof event->event, sizeof event->value);
    return true;
}

#endif
