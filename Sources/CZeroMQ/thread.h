// The calling thread: its name in debuggers and `top`, which Swift's Glibc module hides, and how
// exactly it sleeps.

#ifndef MARTLET_CZEROMQ_THREAD_H
#define MARTLET_CZEROMQ_THREAD_H

#ifdef __linux__
#include <sys/prctl.h>
#else
#include <pthread.h>
#endif
#include <sched.h>

// Lets another thread have the processor, if one waits for it.
static inline void zeromq_thread_yield(void) { sched_yield(); }

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
