import CWorkload
import Glibc
import MartletSockets

func push(_ work: Work, at endpoint: Endpoint) throws {
    let context = try Context()
    let socket = try context.socket(Push.self)
    work.say("bound \(try socket.bind(to: endpoint))")
    try sendAll(work, over: socket)
    socket.close()
}

func publish(_ work: Work, at endpoint: Endpoint) throws {
    let context = try Context()
    let socket = try context.socket(Pub.self)
    try socket.set(.isLossless, to: true)
    work.say("bound \(try socket.bind(to: endpoint))")
    // A subscription takes effect some time after the connection.
    var input = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
    while poll(&input, 1, 1) == 0 {
        try socket.send(message(.max, size: work.size, sentAt: 0))
    }
    try sendAll(work, over: socket)
    socket.close()
}

private func sendAll<Role: SendingRole>(
    _ work: Work, over socket: borrowing Socket<Role>
) throws {
    work.waitForLine()
    let cpu = workload_cpu()
    var next = workload_now()
    for number in 0..<work.count {
        if work.isTimed {
            next += work.interval
            waitUntil(next)
        }
        let sentAt = work.isTimed ? workload_now() : 0
        try socket.send(message(number, size: work.size, sentAt: sentAt))
    }
    work.waitForLine()
    work.say("sent \(workload_cpu() - cpu)")
}

@inline(__always)
private func message(_ number: UInt64, size: Int, sentAt: UInt64) -> Message {
    Message(count: size) { span in
        span.withUnsafeMutableBytes { bytes, written in
            workload_fill(bytes.baseAddress, size, number, sentAt)
            written = size
        }
    }
}

private func waitUntil(_ instant: UInt64) {
    var when = timespec(tv_sec: Int(instant / 1_000_000_000), tv_nsec: Int(instant % 1_000_000_000))
    while clock_nanosleep(CLOCK_MONOTONIC, Int32(TIMER_ABSTIME), &when, nil) == EINTR {}
}
