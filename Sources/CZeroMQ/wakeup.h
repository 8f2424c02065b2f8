// A descriptor that one thread waits on and any thread may set: an eventfd on Linux, which Swift's
// Glibc module does not show, and a pipe elsewhere.

#ifndef MARTLET_CZEROMQ_WAKEUP_H
#define MARTLET_CZEROMQ_WAKEUP_H

#include <fcntl.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/eventfd.h>
#endif

typedef struct {
    int read_end;
    int write_end;
} zeromq_wakeup;

static inline int zeromq_wakeup_open(zeromq_wakeup *wakeup) {
#ifdef __linux__
    wakeup->read_end = wakeup->write_end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return wakeup->read_end >= 0 ? 0 : -errno;
#else
    int ends[2];
    if (pipe(ends) != 0)
        return -errno;
    for (int end = 0; end < 2; end++) {
        fcntl(ends[end], F_SETFD, FD_CLOEXEC);
        fcntl(ends[end], F_SETFL, O_NONBLOCK);
    }
    wakeup->read_end = ends[0];
    wakeup->write_end = ends[1];
    return 0;
#endif
}

static inline void zeromq_wakeup_close(zeromq_wakeup wakeup) {
    close(wakeup.read_end);
    if (wakeup.write_end != wakeup.read_end)
        close(wakeup.write_end);
}

// Setting what is set already changes nothing, so a full pipe is as good as a write.
static inline void zeromq_wakeup_set(zeromq_wakeup wakeup) {
    uint64_t one = 1;
    ssize_t written;
    do {
        written = write(wakeup.write_end, &one, sizeof one);
    } while (written < 0 && errno == EINTR);
}

static inline void zeromq_wakeup_clear(zeromq_wakeup wakeup) {
    uint64_t buffer[16];
    ssize_t size;
    do {
        size = read(wakeup.read_end, buffer, sizeof buffer);
    } while (size == (ssize_t)sizeof buffer || (size < 0 && errno == EINTR));
}

#endif
