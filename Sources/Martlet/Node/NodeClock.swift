internal import MartletDelivery

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The clocks that a node looks at.
enum NodeClock {
    #if canImport(Glibc)
        private static let bootTime = CLOCK_BOOTTIME
    #else
        private static let bootTime = CLOCK_MONOTONIC
    #endif

    /// The time of day, for events.
    static var timestamp: Timestamp {
        var time = timespec()
        // Sound: the clock exists and the target is a local. Nothing can fail.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(
            unchecked: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
                &+ TestClock.offset)
    }

    /// The time since the machine started, its sleep included, for everything else.
    static var now: MonotonicTime { read(bootTime) }

    #if canImport(Glibc)
        private static let coarseTime = CLOCK_REALTIME_COARSE
    #else
        private static let coarseTime = CLOCK_REALTIME
    #endif

    /// Changes every few milliseconds, the machine's sleep included, and costs a fraction of a look
    /// at the time: as long as it stays the same, hardly any has passed.
    static var beat: UInt64 { read(coarseTime).microseconds }

    private static func read(_ clock: clockid_t) -> MonotonicTime {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return MonotonicTime(
            microseconds: UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1_000)
    }
}

extension Timestamp {
    /// The time of day by this machine's clock.
    public static var now: Timestamp { NodeClock.timestamp }
}
