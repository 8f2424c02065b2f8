#define _GNU_SOURCE
#include "slow_disk.h"

#ifdef __linux__
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void wait_for_slow_disk(void) {
    const char *path = getenv("MARTLET_SLOW_DISK");
    int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return;
    uint64_t microseconds = 0;
    if (read(file, &microseconds, sizeof microseconds) != sizeof microseconds)
        microseconds = 0;
    close(file);
    struct timespec left = {.tv_sec = (time_t)(microseconds / 1000000),
                            .tv_nsec = (long)(microseconds % 1000000) * 1000};
    while (microseconds > 0 && nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

int fdatasync(int descriptor) {
    static int (*next)(int);
    if (next == NULL)
        next = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_for_slow_disk();
    return next(descriptor);
}

int fsync(int descriptor) {
    static int (*next)(int);
    if (next == NULL)
        next = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_for_slow_disk();
    return next(descriptor);
}
#endif
