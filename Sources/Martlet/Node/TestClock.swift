import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A time of day that tests can set: the file that `MARTLET_TEST_CLOCK` names begins with eight
/// bytes, a number of microseconds that is added to the machine's time. Whoever writes there sets
/// the clock of all processes that look at it. Without the variable nothing is added.
enum TestClock {
    /// How far the time of day is set, in microseconds.
    static var offset: Int64 {
        // Sound: the mapping is never taken away.
        guard let place = unsafe place else { return 0 }
        return unsafe place.pointee.load(ordering: .relaxed)
    }

    // Sound to share: it is made once, before anybody has it, and what it leads to is atomic.
    nonisolated(unsafe) private static let place: UnsafeMutablePointer<Atomic<Int64>>? = {
        guard let name = unsafe getenv("MARTLET_TEST_CLOCK") else { return nil }
        let descriptor = unsafe open(name, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let size = MemoryLayout<Int64>.size
        // A file that is too short would be an error at every look.
        guard lseek(descriptor, 0, SEEK_END) >= size else { return nil }
        let mapped = unsafe mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0)
        guard unsafe mapped != MAP_FAILED else { return nil }
        return unsafe mapped?.assumingMemoryBound(to: Atomic<Int64>.self)
    }()
}
