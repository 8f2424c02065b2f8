import CZeroMQ
import MartletCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What becomes of the memory that messages have freed.
///
/// glibc gives it back to the system as soon as 128 KiB are free together. Frames come and go by
/// the thousand, so that the same pages are given back and taken anew with every one of them,
/// which costs a worker a sixth of its time.
package enum FreedMemory {
    /// Keeps some of it for what comes next, in the whole process, unless its environment says what
    /// glibc is to do.
    package static func keep() { _ = isKept }

    private static let isKept =
        !isSaid
        && zeromq_keep_freed_memory(Int32(Limits.freedBytes), Int32(Limits.mappedBytes))

    /// Whether the environment says it. glibc's tunables of other things do not matter.
    private static var isSaid: Bool {
        variable("MALLOC_TRIM_THRESHOLD_") != nil || variable("MALLOC_MMAP_THRESHOLD_") != nil
            || variable("GLIBC_TUNABLES")?.contains("glibc.malloc.") == true
    }

    private static func variable(_ name: String) -> String? {
        // Sound: what is found is copied before anything else runs.
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
