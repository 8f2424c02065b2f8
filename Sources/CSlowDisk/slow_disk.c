#define _GNU_SOURCE
#include "slow_disk.h"

#ifdef __linux__
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
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
    // Some threads sleep exactly and others do not: on this disk all do.
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    struct timespec left = {.tv_sec = (time_t)(microseconds / 1000000),
                            .tv_nsec = (long)(microseconds % 1000000) * 1000};
    while (microseconds > 0 && nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

// The call of this name, as whoever comes next has it.
static int synchronize(const char *name, int descriptor) {
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    wait_for_slow_disk();
    return next(descriptor);
}

int fdatasync(int descriptor) { return synchronize("fdatasync", descriptor); }

int fsync(int descriptor) { return synchronize("fsync", descriptor); }
#endif
