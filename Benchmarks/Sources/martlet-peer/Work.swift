import CWorkload
import Glibc
import MartletSockets

/// What one end has to do, and how it talks to the runner.
struct Work {
    struct Wrong: Error { let what: String }

    let count: UInt64
    let size: Int
    /// Nanoseconds between messages; 0 for as fast as it goes, without timing each.
    let interval: UInt64

    var isTimed: Bool { interval > 0 }

    func say(_ line: String) {
        print(line)
        fflush(nil)
    }

    func waitForLine() {
        if readLine() == nil { exit(0) }
    }
}

/// Counts, checks and times what arrives.
struct Tally {
    private let work: Work
    private(set) var received: UInt64 = 0
    private var wrong: UInt64 = 0
    private var started: UInt64 = 0
    private var cpu: UInt64 = 0
    private var delays: [UInt64] = []
    /// The next number of each sender, where several take turns at numbers.
    private var expected: [UInt64]

    init(_ work: Work, senders: Int = 1) {
        self.work = work
        expected = (0..<UInt64(senders)).map { $0 }
        if work.isTimed { delays.reserveCapacity(Int(work.count)) }
    }

    var isComplete: Bool { received == work.count }

    mutating func add(_ span: RawSpan) {
        if received == 0 {
            started = workload_now()
            cpu = workload_cpu()
        }
        span.withUnsafeBytes { bytes in
            if work.isTimed {
                delays.append(
                    workload_now() - workload_sent_at(bytes.baseAddress, bytes.count))
            }
            check(bytes)
        }
        received += 1
    }

    @inline(__always)
    private mutating func check(_ bytes: UnsafeRawBufferPointer) {
        guard expected.count > 1 else {
            if !workload_check(bytes.baseAddress, bytes.count, work.size, received) { wrong += 1 }
            return
        }
        let senders = UInt64(expected.count)
        let sender = Int(workload_number(bytes.baseAddress, bytes.count) % senders)
        if !workload_check(bytes.baseAddress, bytes.count, work.size, expected[sender]) {
            wrong += 1
        }
        expected[sender] += senders
    }

    mutating func report() {
        let elapsed = workload_now() - started
        let used = workload_cpu() - cpu
        let median = workload_percentile(&delays, delays.count, 0.5)
        let tail = workload_percentile(&delays, delays.count, 0.99)
        work.say("received \(elapsed) \(used) \(wrong) \(median) \(tail)")
    }
}
