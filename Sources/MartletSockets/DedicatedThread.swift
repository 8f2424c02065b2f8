import CZeroMQ
package import MartletCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A thread of our own for calls that block: Swift's cooperative pool has few threads, and none to
/// spare for waiting in C.
// Sound to share: a pthread_t is a name, which any thread may use to join, once.
package struct DedicatedThread: @unchecked Sendable {
    private let identity: pthread_t

    /// Runs `body` on a new thread that nobody waits for.
    package static func start(
        named name: String, _ body: @escaping @Sendable () -> Void
    ) throws(MartletError) {
        let thread = try DedicatedThread(named: name, body)
        pthread_detach(thread.identity)
    }

    /// Runs `body` on a new thread that must be joined.
    init(named name: String, _ body: @escaping @Sendable () -> Void) throws(MartletError) {
        let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
        #if canImport(Glibc)
            var identity = pthread_t()
            let result = unsafe pthread_create(&identity, nil, threadMain, start.toOpaque())
        #else
            var optional: pthread_t?
            let result = unsafe pthread_create(&optional, nil, threadMain, start.toOpaque())
            let identity = unsafe optional ?? pthread_self()
        #endif
        guard result == 0 else {
            unsafe start.release()
            throw MartletError(
                .resourceExhausted,
                "The system gives no further thread (errno \(result)). Raise `ulimit -u`, or use "
                    + "fewer loops and monitors.")
        }
        self.identity = identity
    }

    private init(identity: pthread_t) {
        self.identity = identity
    }

    /// The thread that calls.
    static var current: DedicatedThread { DedicatedThread(identity: pthread_self()) }

    /// Waits until the thread has ended.
    func join() {
        pthread_join(identity, nil)
    }

    /// Whether the caller runs on this thread.
    var isCurrent: Bool { pthread_equal(identity, pthread_self()) != 0 }

    fileprivate static func run(_ argument: UnsafeMutableRawPointer) {
        let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        unsafe zeromq_thread_set_name(start.name)
        start.body()
    }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}

#if canImport(Glibc)
    private let threadMain: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? =
        {
            argument in
            guard let argument = unsafe argument else { return nil }
            unsafe DedicatedThread.run(argument)
            return nil
        }
#else
    private let threadMain: @convention(c) (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? = {
        argument in
        unsafe DedicatedThread.run(argument)
        return nil
    }
#endif
