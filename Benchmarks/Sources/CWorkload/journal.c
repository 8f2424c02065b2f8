// What durable streams are measured against: a program that appends to a plain file.

#include "workload.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// The sizes of the groups of a segment of Martlet's journal, as its format says (LogGroup.swift).
size_t baseline_groups(const char *segment, uint64_t *sizes, size_t max) {
    FILE *file = fopen(segment, "rb");
    if (file == NULL)
        return 0;
    size_t count = 0;
    uint64_t offset = 64;
    uint64_t head[4];
    while (count < max && fseek(file, (long)offset, SEEK_SET) == 0 &&
           fread(head, sizeof head, 1, file) == 1 && (uint32_t)head[0] == 0x5052474d) {
        uint64_t size = 32 + (head[0] >> 32) + head[2];
        sizes[count++] = size;
        offset += (size + 7) / 8 * 8;
    }
    fclose(file);
    return count;
}

// Appends groups of these sizes, and synchronizes behind each. Returns nanoseconds; the time of
// each goes to `times`, if there is one.
uint64_t baseline_append(const char *path, const uint64_t *sizes, size_t count, uint64_t *times) {
    uint64_t largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = sizes[i] > largest ? sizes[i] : largest;
    char *buffer = malloc(largest > 0 ? largest : 1);
    int file = open(path, O_CREAT | O_WRONLY | O_APPEND | O_TRUNC, 0644);
    if (buffer == NULL || file < 0)
        return 0;
    memset(buffer, 0x5a, largest);
    uint64_t started = workload_now();
    for (size_t i = 0; i < count; i++) {
        uint64_t before = workload_now();
        uint64_t left = sizes[i];
        while (left > 0) {
            ssize_t written = write(file, buffer, left);
            if (written <= 0)
                return 0;
            left -= (uint64_t)written;
        }
        if (fdatasync(file) != 0)
            return 0;
        if (times != NULL)
            times[i] = workload_now() - before;
    }
    uint64_t elapsed = workload_now() - started;
    close(file);
    unlink(path);
    free(buffer);
    return elapsed;
}
