// What libzmq does not do for ipc: it unlinks the path before it binds, whatever lies there.

#ifndef MARTLET_CZEROMQ_IPC_H
#define MARTLET_CZEROMQ_IPC_H

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

// 0 when the path may be bound: nothing is there, or a socket that a crashed process left behind
// and that refuses connections. -EADDRINUSE when something listens, -EEXIST when it is not a
// socket, another -errno when it cannot be found out.
static inline int zeromq_ipc_check_free(const char *path) {
    struct stat status;
    // Why a folder is missing or closed is what bind itself will say.
    if (lstat(path, &status) != 0)
        return 0;
    if (!S_ISSOCK(status.st_mode))
        return -EEXIST;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, length + 1);
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
    if (descriptor < 0)
        return -errno;
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    fcntl(descriptor, F_SETFL, O_NONBLOCK);
    int failure = 0;
    if (connect(descriptor, (const struct sockaddr *)&address, sizeof address) != 0)
        failure = errno;
    close(descriptor);
    // A listener whose backlog is full says EAGAIN.
    if (failure == 0 || failure == EAGAIN || failure == EINPROGRESS)
        return -EADDRINUSE;
    return failure == ECONNREFUSED || failure == ENOENT ? 0 : -failure;
}

#endif
