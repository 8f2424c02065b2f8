import MartletCore
import MartletSockets
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How long a test waits for what must happen before it calls it a failure.
let patience = Duration.seconds(10)

/// A place to listen, different at every call.
enum Place: String, CaseIterable, CustomTestStringConvertible {
    case inproc, ipc, tcp4, tcp6

    var testDescription: String { rawValue }

    /// The places that this machine has.
    static let available = allCases.filter { $0 != .tcp6 || hasIPv6 }

    private static let counter = Atomic<Int>(0)

    func endpoint() throws -> Endpoint {
        let number = Place.counter.add(1, ordering: .relaxed).newValue
        switch self {
        case .inproc: return try Endpoint("inproc://place-\(number)")
        case .ipc: return try Endpoint("ipc:///tmp/martlet-test-\(getpid())-\(number)")
        case .tcp4: return "tcp://127.0.0.1:*"
        case .tcp6: return "tcp://[::1]:*"
        }
    }

    private static let hasIPv6: Bool = {
        guard let context = try? Context(), let socket = try? context.socket(Pull.self) else {
            return false
        }
        return (try? socket.bind(to: "tcp://[::1]:*")) != nil
    }()
}

/// Removes what an ipc endpoint leaves in the file system.
func removeFile(of endpoint: Endpoint) {
    guard endpoint.transport == .ipc else { return }
    unlink(String(endpoint.description.dropFirst("ipc://".count)))
}

/// Bytes that differ by seed and by position: numbered blocks of the same noise.
func pattern(_ count: Int, seed: Int = 1) -> Bytes {
    var state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 | 1
    let noise = (0..<512).flatMap { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return withUnsafeBytes(of: state) { Array($0) }
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + noise.count)
    while bytes.count < count {
        withUnsafeBytes(of: bytes.count) { bytes += $0 }
        bytes += noise
    }
    return Bytes(Array(bytes.prefix(count)))
}

/// Repeats until the condition holds, giving way to other threads; false when patience runs out.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + patience
    while ContinuousClock.now < deadline {
        if try condition() { return true }
        sched_yield()
    }
    return false
}

extension Socket where Role: SendingRole {
    /// A socket whose sends give up when patience runs out.
    func beImpatientSending() throws { try set(.sendTimeout, to: patience) }
}

extension Socket where Role: ReceivingRole {
    /// A socket whose receives give up when patience runs out.
    func beImpatientReceiving() throws { try set(.receiveTimeout, to: patience) }
}

func isRoot() -> Bool { getuid() == 0 }
