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
        let error = unsafe posix_spawn(&id, "/bin/sh", &actions, nil, arguments, variables)
        return (id, error)
    }

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

private func makePipe(_ ends: UnsafeMutablePointer<Int32>) -> Int32 { unsafe pipe(ends) }
