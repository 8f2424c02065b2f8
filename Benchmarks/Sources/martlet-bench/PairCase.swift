import CWorkload
import MartletSockets

/// The same work as `baseline_pair`, with Martlet's sockets.
func martletPair(count: UInt64, burst: UInt64, size: Int) throws -> UInt64 {
    let context = try Context()
    let left = try context.socket(Pair.self)
    let right = try context.socket(Pair.self)
    try left.bind(to: "inproc://pair")
    try right.connect(to: "inproc://pair")
    var failures = 0
    let started = workload_now()
    var received = Message()
    var first: UInt64 = 0
    while first < count {
        for number in first..<first + burst {
            let message = Message(count: size) { span in
                span.withUnsafeMutableBytes { bytes, written in
                    workload_fill(bytes.baseAddress, size, number, 0)
                    written = size
                }
            }
            try left.send(message)
        }
        for number in first..<first + burst {
            try right.receive(into: &received)
            let isRight = received.withBytes { span in
                span.withUnsafeBytes { workload_check($0.baseAddress, $0.count, size, number) }
            }
            if !isRight { failures += 1 }
        }
        first += burst
    }
    let elapsed = workload_now() - started
    return failures == 0 ? elapsed : 0
}
