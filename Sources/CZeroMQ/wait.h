// Waiting for descriptors, to the nanosecond where the system can.

#ifndef MARTLET_CZEROMQ_WAIT_H
#define MARTLET_CZEROMQ_WAIT_H

#include <poll.h>
#include <time.h>

// The number of readable descriptors, 0 after the time or a signal, or -errno.
static inline int zeromq_wait(struct pollfd *items, int count, int64_t nanoseconds) {
#ifdef __linux__
    struct timespec duration = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    int ready = ppoll(items, (nfds_t)count, &duration, NULL);
#else
    int ready = poll(items, (nfds_t)count, (int)((nanoseconds + 999999) / 1000000));
#endif
    if (ready < 0 && errno == EINTR)
        return 0;
    return ready >= 0 ? ready : -errno;
}

static inline struct pollfd zeromq_wait_item(int descriptor) {
    struct pollfd item = {.fd = descriptor, .events = POLLIN, .revents = 0};
    return item;
}

#endif
