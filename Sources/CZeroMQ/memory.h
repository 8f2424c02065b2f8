// What becomes of freed memory, which libzmq's threads and others pass to each other.

#ifndef CZEROMQ_MEMORY_H
#define CZEROMQ_MEMORY_H

#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

// Lets glibc keep so much freed memory for each of its arenas, and map blocks of the other size and
// above for themselves. False for other C libraries. glibc adapts neither by itself from then on.
static inline bool zeromq_keep_freed_memory(int bytes, int mapped_bytes) {
#ifdef __GLIBC__
    return mallopt(M_TRIM_THRESHOLD, bytes) == 1 && mallopt(M_MMAP_THRESHOLD, mapped_bytes) == 1;
#else
    (void)bytes;
    (void)mapped_bytes;
    return false;
#endif
}

#endif
