import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Commands of the shell.
enum Shell {
    /// One is started at a time: a pipe must not be left to another.
    static let starting = Mutex(())

    /// Starts a command, and returns its id, and an error of the system or 0.
    static func spawn(
        _ command: String, standardInput: Int32, standardOutput: Int32? = nil,
        environment: [String: String] = [:]
    ) -> (pid_t, Int32) {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, standardInput, 0)
        if let standardOutput {
            unsafe posix_spawn_file_actions_adddup2(&actions, standardOutput, 1)
        }
        var id: pid_t = 0
        var arguments = unsafe [UnsafeMutablePointer<CChar>?]()
        for text in ["/bin/sh", "-c", command] { unsafe arguments.append(strdup(text)) }
        unsafe arguments.append(nil)
        var variables = unsafe [UnsafeMutablePointer<CChar>?]()
        for (name, value) in environment { unsafe variables.append(strdup("\(name)=\(value)")) }
        var place = unsafe environ
        while let variable = unsafe place.pointee {
            unsafe variables.append(strdup(variable))
            unsafe place += 1
        }
        unsafe variables.append(nil)
        defer {
            unsafe arguments.forEach { unsafe free($0) }
            unsafe variables.forEach { unsafe free($0) }
        }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        setUp(&attributes)
        let error = unsafe posix_spawn(
            &id, "/bin/sh", &actions, &attributes, arguments, variables)
        return (id, error)
    }

    /// A command has a group of processes of its own, and takes signals as if a terminal had
    /// started it: this program ignores some.
    private static func setUp(_ attributes: inout posix_spawnattr_t) {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { unsafe sigaddset(&signals, signal) }
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
    }

    /// Ends a command, and what it has started.
    static func kill(_ id: pid_t) { _ = endGroup(id) }

    /// Writes all of it; false if nobody reads it.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        unsafe bytes.withUnsafeBytes { bytes in
            var rest = unsafe bytes[...]
            while unsafe !rest.isEmpty {
                let piece = unsafe UnsafeRawBufferPointer(rebasing: rest)
                let count = unsafe sendBytes(descriptor, piece)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                unsafe rest = rest.dropFirst(count)
            }
            return true
        }
    }

    /// Two ends of a pipe that commands do not inherit; nil if there are no more.
    static func pipe() -> (reading: Int32, writing: Int32)? {
        var ends: [Int32] = [-1, -1]
        guard unsafe makePipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// What the last error of the system was.
    static var why: String { unsafe String(cString: strerror(errno)) }
}

private func sendBytes(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    unsafe write(descriptor, bytes.baseAddress, bytes.count)
}

private func endGroup(_ id: pid_t) -> Int32 { kill(-id, SIGKILL) }

private func makePipe(_ ends: UnsafeMutablePointer<Int32>) -> Int32 { unsafe pipe(ends) }
