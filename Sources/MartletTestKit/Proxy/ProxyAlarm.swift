import MartletCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Wakes a thread that waits in `poll`: a pipe, which both of its users keep.
final class ProxyAlarm: Sendable {
    /// What the thread polls.
    let descriptor: Int32
    private let writing: Int32

    init() throws(MartletError) {
        var ends: [Int32] = [-1, -1]
        // Sound: the array has room for the two.
        guard unsafe pipe(&ends) == 0 else {
            throw MartletError(.resourceExhausted, "A proxy: no pipe can be made.")
        }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        (descriptor, writing) = (ends[0], ends[1])
    }

    deinit {
        close(descriptor)
        close(writing)
    }

    func ring() {
        var byte: UInt8 = 0
        // A pipe that is full wakes as well. Its reading end is open as long as this is.
        _ = unsafe write(writing, &byte, 1)
    }

    /// The thread is awake.
    func clear() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while unsafe read(descriptor, &bytes, bytes.count) > 0 {}
    }
}
