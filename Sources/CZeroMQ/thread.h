// The name that debuggers and `top` show for the calling thread, which Swift's Glibc module hides.

#ifndef MARTLET_CZEROMQ_THREAD_H
#define MARTLET_CZEROMQ_THREAD_H

#ifdef __linux__
#include <sys/prctl.h>
#else
#include <pthread.h>
#endif

static inline void zeromq_thread_set_name(const char *name) {
#ifdef __linux__
    prctl(PR_SET_NAME, name, 0, 0, 0);
#else
    pthread_setname_np(name);
#endif
}

#endif
