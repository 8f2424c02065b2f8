// What libzmq does not do for ipc: it unlinks the path before it binds, and so takes it away from
// whoever listens there.

#ifndef MARTLET_CZEROMQ_IPC_H
#define MARTLET_CZEROMQ_IPC_H

#include <sys/socket.h>
#include <sys/un.h>

// Whether something listens at the path. A file that a crashed process left behind refuses the
// connection, and may be replaced. A listener whose backlog is full answers EAGAIN.
static inline bool zeromq_ipc_is_listening(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, path, length + 1);
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
    if (descriptor < 0)
        return false;
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    fcntl(descriptor, F_SETFL, O_NONBLOCK);
    int result = connect(descriptor, (const struct sockaddr *)&address, sizeof address);
    bool is_listening = result == 0 || errno == EAGAIN || errno == EINPROGRESS;
    close(descriptor);
    return is_listening;
}

#endif
