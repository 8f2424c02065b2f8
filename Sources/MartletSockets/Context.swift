import CZeroMQ
import Dispatch
public import MartletCore
import Synchronization

/// The home of a process's sockets and of the threads that do their input and output.
///
/// One context serves a whole node. It may be used from any thread. Sockets keep it alive; when the
/// last of them and the last reference are gone, it ends in the background, after what the sockets
/// had to linger for (nothing by default). A process that exits before cuts that short.
@safe
public final class Context: Sendable {
    // Sound to share: libzmq's contexts are thread-safe by contract, and the pointer never changes.
    // Calls that need a context that has not begun to end hold `isEnding` while they run.
    nonisolated(unsafe) private let pointer: UnsafeMutableRawPointer
    private let isEnding = Lock(false)

    /// Makes a context.
    ///
    /// - Parameters:
    ///   - ioThreads: threads that move bytes; one is enough up to about 1 GB/s.
    ///   - socketsMax: sockets that may be open at once, at most 65,535.
    ///
    /// C: `zmq_ctx_new`
    public init(ioThreads: Int = 1, socketsMax: Int = 1_023) throws(MartletError) {
        guard (1...64).contains(ioThreads), (1...65_535).contains(socketsMax) else {
            throw MartletError(
                .invalidArgument,
                "A context has 1 to 64 I/O threads and 1 to 65,535 sockets, not \(ioThreads) and "
                    + "\(socketsMax).")
        }
        var error: Int32 = 0
        guard let made = unsafe zeromq_context_new(&error) else {
            throw MartletError.socket(error, "zmq_ctx_new")
        }
        unsafe pointer = made
        // A context that is not in use yet accepts values within these bounds.
        unsafe zeromq_context_set(made, ZMQ_IO_THREADS, Int32(ioThreads))
        unsafe zeromq_context_set(made, ZMQ_MAX_SOCKETS, Int32(socketsMax))
        unsafe zeromq_context_set(made, ZMQ_BLOCKY, 0)
    }

    deinit {
        // No socket is left: each holds a reference. Lingering ones may still hold up the end,
        // which is nothing for a thread that has other work.
        guard !isEnding.withLock({ $0 }) else { return }
        let ending = unsafe Ending(pointer)
        do {
            try DedicatedThread.start(named: "martlet-end") { ending.run() }
        } catch {
            ending.run()
        }
    }

    /// Opens a socket, with Martlet's defaults (see `SocketOption`).
    ///
    /// C: `zmq_socket`
    public func socket<Role: SocketRole>(
        _ role: Role.Type
    ) throws(MartletError) -> Socket<Role> {
        let handle = try SocketHandle(role.kind, in: self)
        try handle.applyDefaults()
        return Socket(handle: handle)
    }

    /// Makes every call on every socket of the context fail with `closed`.
    ///
    /// Those that wait at this moment fail too. What sockets have queued is still sent within their
    /// linger once they are closed.
    ///
    /// C: `zmq_ctx_shutdown`
    public func shutdown() {
        isEnding.withLock { isEnding in
            if !isEnding { unsafe zeromq_context_shutdown(pointer) }
        }
    }

    /// Ends the context, whoever else refers to it: its open sockets fail with `closed` and hold up
    /// the end until they are closed, as closed ones do while they linger. Waits for the end, at
    /// most for so long; it goes on in the background.
    func end(waitingAtMost timeout: Duration) {
        let isFirst = isEnding.withLock { isEnding in
            defer { isEnding = true }
            return !isEnding
        }
        guard isFirst else { return }
        let ending = unsafe Ending(pointer)
        let hasEnded = DispatchSemaphore(value: 0)
        do {
            try DedicatedThread.start(named: "martlet-end") {
                ending.run()
                hasEnded.signal()
            }
        } catch {
            ending.run()
            return
        }
        let milliseconds = Int(max(0, timeout.milliseconds(rounded: .up)))
        _ = hasEnded.wait(timeout: .now() + .milliseconds(milliseconds))
    }

    /// A raw socket, for the handle that will own it.
    func openSocket(_ kind: SocketKind) throws(MartletError) -> UnsafeMutableRawPointer {
        var error: Int32 = -ETERM
        var socket: UnsafeMutableRawPointer?
        isEnding.withLock { isEnding in
            if !isEnding { unsafe socket = zeromq_socket_new(pointer, kind.number, &error) }
        }
        guard let socket = unsafe socket else { throw MartletError.socket(error, "zmq_socket") }
        return unsafe socket
    }

    /// The version of libzmq in use, as in `4.3.4`.
    ///
    /// C: `zmq_version`
    public static var libraryVersion: String {
        var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
        unsafe zmq_version(&major, &minor, &patch)
        return "\(major).\(minor).\(patch)"
    }

    /// Whether the libzmq in use can encrypt.
    ///
    /// C: `zmq_has`
    public static var hasCurve: Bool { unsafe zmq_has("curve") == 1 }
}

/// The end of a context, handed to the thread that waits for it.
// Sound to share: it is run once, by one thread, and nothing else uses the pointer any more.
@safe
private struct Ending: @unchecked Sendable {
    private let context: UnsafeMutableRawPointer

    init(_ context: UnsafeMutableRawPointer) {
        unsafe self.context = context
    }

    func run() {
        unsafe zeromq_context_terminate(context)
    }
}
