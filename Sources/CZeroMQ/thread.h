// The calling thread: its name in debuggers and `top`, which Swift's Glibc module hides, and naps.

#ifndef MARTLET_CZEROMQ_THREAD_H
#define MARTLET_CZEROMQ_THREAD_H

#include <time.h>
#ifdef __linux__
#include <sys/prctl.h>
#else
#include <pthread.h>
#endif

// Sleeps for less than a millisecond. A signal may end it early.
static inline void zeromq_thread_nap(uint32_t nanoseconds) {
    struct timespec duration = {0, (long)nanoseconds};
    nanosleep(&duration, NULL);
}

// Lets short sleeps of the calling thread end when they should: the system may else add 50 µs.
static inline void zeromq_thread_sleep_exactly(void) {
#ifdef __linux__
    prctl(PR_SET_TIMERSLACK, 1000UL, 0, 0, 0);
#endif
}

static inline void zeromq_thread_set_name(const char *name) {
#ifdef __linux__
    prctl(PR_SET_NAME, name, 0, 0, 0);
#else
    pthread_setname_np(name);
#endif
}

#endif
