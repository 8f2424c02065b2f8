// Files of a journal: the calls of the system whose errors must be read before anything else runs.
// What fails returns a negative errno; interrupted calls are made again.

#ifndef MARTLET_CDISK_H
#define MARTLET_CDISK_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif
#include <unistd.h>

// What kind of file system a folder is on, and how much room there is.
struct cdisk_place {
    int64_t kind;
    uint64_t free_bytes;
};

static inline int cdisk_place_of(const char *name, struct cdisk_place *place) {
#ifdef __linux__
    struct statfs status;
    if (statfs(name, &status) < 0) return -errno;
    place->kind = (int64_t)status.f_type;
    place->free_bytes = (uint64_t)status.f_bavail * (uint64_t)status.f_bsize;
    return 0;
#else
    (void)name;
    (void)place;
    return -ENOSYS;
#endif
}

// How many files and sockets the process may have open.
static inline int64_t cdisk_files_max(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : (int64_t)limit.rlim_cur;
}

// How many it has.
static inline int64_t cdisk_files_open(void) {
    DIR *folder = opendir("/proc/self/fd");
    if (!folder) return -errno;
    int64_t count = -1;  // The folder itself is one of them.
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        if (entry->d_name[0] != '.') count += 1;
    closedir(folder);
    return count;
}

static inline int cdisk_result(int result) { return result < 0 ? -errno : result; }

// A file that is made if it is not there.
static inline int cdisk_open_file(const char *name) {
    return cdisk_result(open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644));
}

static inline int cdisk_open_folder(const char *name) {
    return cdisk_result(open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static inline void cdisk_close(int descriptor) { close(descriptor); }

static inline int cdisk_make_folder(const char *name) { return cdisk_result(mkdir(name, 0755)); }

static inline int cdisk_remove(const char *name) { return cdisk_result(unlink(name)); }

static inline int cdisk_rename(const char *name, const char *other) {
    return cdisk_result(rename(name, other));
}

static inline int64_t cdisk_size(int descriptor) {
    struct stat status;
    return fstat(descriptor, &status) < 0 ? -errno : (int64_t)status.st_size;
}

static inline int64_t cdisk_inode(int descriptor) {
    struct stat status;
    return fstat(descriptor, &status) < 0 ? -errno : (int64_t)status.st_ino;
}

static inline int cdisk_resize(int descriptor, int64_t size) {
    int result;
    do
        result = ftruncate(descriptor, (off_t)size);
    while (result < 0 && errno == EINTR);
    return cdisk_result(result);
}

// How many bytes were written, which may be fewer than there are.
static inline int64_t cdisk_write(int descriptor, const struct iovec *pieces, int count,
                                  int64_t offset) {
    ssize_t result;
    do
        result = pwritev(descriptor, pieces, count, (off_t)offset);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

// How many bytes were read, which are fewer than were asked for only at the end.
static inline int64_t cdisk_read(int descriptor, void *memory, int64_t count, int64_t offset) {
    int64_t done = 0;
    while (done < count) {
        char *place = (char *)memory + done;
        ssize_t result = pread(descriptor, place, (size_t)(count - done), (off_t)(offset + done));
        if (result < 0 && errno == EINTR)
            continue;
        if (result < 0)
            return -errno;
        if (result == 0)
            break;
        done += result;
    }
    return done;
}

// The contents, and what reading needs of the rest, such as the length. An error is not tried
// again: the system may have forgotten by then what it could not write.
static inline int cdisk_synchronize(int descriptor) {
#ifdef __APPLE__
    return cdisk_result(fcntl(descriptor, F_FULLFSYNC));
#else
    return cdisk_result(fdatasync(descriptor));
#endif
}

#if defined(__linux__) && !defined(SYNC_FILE_RANGE_WRITE)
// Headers show it to programs of GNU alone; every C library of Linux has it.
#define SYNC_FILE_RANGE_WRITE 2
extern int sync_file_range(int descriptor, int64_t offset, int64_t count, unsigned int flags);
#endif

// The disk begins with this part. What fails there is found when it is synchronized.
static inline void cdisk_begin_synchronizing(int descriptor, int64_t offset, int64_t count) {
#ifdef __linux__
    (void)sync_file_range(descriptor, offset, count, SYNC_FILE_RANGE_WRITE);
#else
    (void)descriptor;
    (void)offset;
    (void)count;
#endif
}

// All of it; for folders, the names.
static inline int cdisk_synchronize_all(int descriptor) { return cdisk_result(fsync(descriptor)); }

static inline void cdisk_forget_cached(int descriptor) {
#ifndef __APPLE__
    (void)posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
#endif
}

// 0 if the file is this process's now.
static inline int cdisk_lock(int descriptor) {
    return cdisk_result(flock(descriptor, LOCK_EX | LOCK_NB));
}

#endif
