// What every benchmark sends, and how both sides check it: the same inline C in either language.

#ifndef MARTLET_WORKLOAD_H
#define MARTLET_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define WORKLOAD_PROBE UINT64_MAX

// A payload begins with its number and a time, and goes on with bytes that depend on the number.
typedef struct {
    uint64_t number;
    uint64_t sent_at;
} workload_head;

static inline uint64_t workload_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// Processor time of the whole process, in nanoseconds.
static inline uint64_t workload_cpu(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000u +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000u;
}

static inline void workload_fill(void *payload, size_t size, uint64_t number, uint64_t sent_at) {
    workload_head head = {number, sent_at};
    memset(payload, (int)(number & 0xff), size);
    memcpy(payload, &head, size < sizeof head ? size : sizeof head);
}

// Whether the payload is the one with this number: its size, its number and its first and last
// filling byte.
static inline bool workload_check(const void *payload, size_t size, size_t expected_size,
                                  uint64_t expected_number) {
    uint64_t number;
    if (size != expected_size || size < sizeof(workload_head) + 1)
        return false;
    memcpy(&number, payload, sizeof number);
    const uint8_t *bytes = payload;
    uint8_t filling = (uint8_t)(expected_number & 0xff);
    return number == expected_number && bytes[sizeof(workload_head)] == filling &&
           bytes[size - 1] == filling;
}

static inline uint64_t workload_number(const void *payload, size_t size) {
    uint64_t number = 0;
    if (size >= sizeof number)
        memcpy(&number, payload, sizeof number);
    return number;
}

static inline uint64_t workload_sent_at(const void *payload, size_t size) {
    workload_head head = {0, 0};
    if (size >= sizeof head)
        memcpy(&head, payload, sizeof head);
    return head.sent_at;
}

// Sends and receives `count` messages over an inproc PAIR in turns of `burst`, on one thread.
// Returns nanoseconds, or 0 if a message was not what it should have been.
uint64_t baseline_pair(uint64_t count, uint64_t burst, size_t size);

// The sizes of the groups of a segment of Martlet's journal.
size_t baseline_groups(const char *segment, uint64_t *sizes, size_t max);

// Appends groups of these sizes to a file, and synchronizes behind each. Returns nanoseconds, or 0
// if that failed; the time of each goes to `times`, if there is one.
uint64_t baseline_append(const char *path, const uint64_t *sizes, size_t count, uint64_t *times);

// Sorts, and returns the value below which `fraction` of the samples lie.
uint64_t workload_percentile(uint64_t *samples, size_t count, double fraction);

#endif
