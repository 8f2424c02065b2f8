import MartletCore
import MartletSockets
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What is opened and closed leaves nothing behind. Each runs in a process of its own, so that it
/// counts nothing but its own.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ResourceTests {
    @Test func tenThousandSocketsLeaveNothing() async {
        await #expect(processExitsWith: .success) {
            let context = try Context()
            try openAndClose(200, in: context)
            let before = Resources.now
            try openAndClose(10_000, in: context)
            // Sockets are reaped by a thread of libzmq's.
            #expect(eventually { Resources.now.descriptors <= before.descriptors + 8 })
            #expect(Resources.now.threads == before.threads)
            #expect(Resources.now.hasGrownLittle(since: before))
        }
    }

    @Test func aThousandLoopsLeaveNothing() async {
        await #expect(processExitsWith: .success) {
            for _ in 0..<50 { try await liveAndDie() }
            let before = Resources.now
            for _ in 0..<1_000 { try await liveAndDie() }
            #expect(eventually { Resources.now.descriptors <= before.descriptors })
            #expect(eventually { Resources.now.threads <= before.threads })
            #expect(Resources.now.hasGrownLittle(since: before))
        }
    }

    /// Less than 0.5 % of a core.
    @Test func anIdleLoopSleeps() async {
        await #expect(processExitsWith: .success) {
            try await withSocketLoop { loop in
                let first = try await loop.link(Router.self)
                let bound = try await first.bind(to: "tcp://127.0.0.1:*")
                var links: [ZeroMQLink<Dealer>] = []
                for _ in 0..<9 {
                    let link = try await loop.link(Dealer.self)
                    try await link.connect(to: bound)
                    try await link.send(Multipart(Bytes([1])))
                    links.append(link)
                }
                var seen = 0
                while seen < links.count { seen += try await first.receive()?.count ?? 0 }
                let before = processorTime()
                try await loop.sleep(until: .now + .seconds(3))
                #expect(processorTime() - before < .milliseconds(15))
            }
        }
    }

    /// A PUB that must not drop claims to be writable while it is not.
    @Test func aBlockedPublisherWaitsWithoutSpinning() async {
        await #expect(processExitsWith: .success) {
            try await withSocketLoop { loop in
                let context = try await loop.openContext()
                let socket = try context.socket(Pub.self)
                try socket.set(.isLossless, to: true)
                try socket.set(.sendHighWaterMark, to: 5)
                let bound = try socket.bind(to: "inproc://lossless")
                let subscriber = try context.socket(Sub.self)
                try subscriber.set(.receiveHighWaterMark, to: 5)
                try subscriber.subscribe()
                try subscriber.connect(to: bound)
                let publisher = try await loop.link(over: socket, messages: 10)
                let sending = Task {
                    for number in 0..<1_000 {
                        try await publisher.send(Multipart(pattern(10, seed: number)))
                    }
                }
                let first = try subscriber.receiveMultipart()
                let start = (0..<1_000).first { Multipart(pattern(10, seed: $0)) == first }
                let before = processorTime()
                try await loop.sleep(until: .now + .milliseconds(200))
                #expect(processorTime() - before < .milliseconds(150))
                for number in (start ?? 0) + 1..<1_000 {
                    #expect(
                        try subscriber.receiveMultipart() == Multipart(pattern(10, seed: number)))
                }
                try await sending.value
            }
        }
    }
}

/// Opens and closes sockets of every kind of use: bound, connected, monitored, untouched. The
/// thread that reaps them may lag behind, and a context has so many and no more.
private func openAndClose(_ count: Int, in context: Context) throws {
    let before = Resources.now.descriptors
    for number in 0..<count {
        if number.isMultiple(of: 100) {
            #expect(eventually { Resources.now.descriptors <= before + 100 })
        }
        let socket = try context.socket(Dealer.self)
        switch number % 4 {
        case 0: try socket.bind(to: "tcp://127.0.0.1:*")
        case 1: try socket.connect(to: "tcp://127.0.0.1:1")
        case 2: try socket.bind(to: Endpoint("inproc://\(number)"))
        default: break
        }
    }
}

/// What a node does from start to end, in small.
private func liveAndDie() async throws {
    try await withSocketLoop { loop in
        let server = try await loop.link(Router.self)
        let client = try await loop.link(Dealer.self)
        let monitor = try await server.monitor()
        let bound = try await server.bind(to: "tcp://127.0.0.1:*")
        try await client.connect(to: bound)
        try await client.send(Multipart(Bytes(utf8: "hello")))
        _ = try await server.receive()
        #expect(try await first(of: monitor) { $0.kind == .handshakeSucceeded } != nil)
    }
}

/// What this process holds.
struct Resources {
    let descriptors: Int
    let threads: Int
    let residentBytes: Int

    /// Whether memory is about where it was. Sanitizers keep what was freed: it says nothing then.
    func hasGrownLittle(since before: Resources) -> Bool {
        getenv("MARTLET_SANITIZER") != nil
            || residentBytes - before.residentBytes < 8 * 1_048_576
    }

    static var now: Resources {
        let status = try? readFile("/proc/self/status")
        func field(_ name: String) -> Int {
            let line = status?.split(separator: "\n").first { $0.hasPrefix(name) }
            return line?.split(whereSeparator: { " \t".contains($0) }).dropFirst().first
                .flatMap { Int($0) } ?? 0
        }
        return Resources(
            descriptors: countEntries("/proc/self/fd"), threads: field("Threads:"),
            residentBytes: field("VmRSS:") * 1_024)
    }

    private static func countEntries(_ folder: String) -> Int {
        guard let handle = opendir(folder) else { return 0 }
        defer { closedir(handle) }
        var count = 0
        while readdir(handle) != nil { count += 1 }
        return count
    }
}

func readFile(_ path: String) throws -> String {
    guard let file = fopen(path, "r") else {
        throw MartletError(.failed, "cannot read \(path): errno \(errno)")
    }
    defer { fclose(file) }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = fread(&buffer, 1, buffer.count, file)
        guard count > 0 else { break }
        content += buffer[..<count]
    }
    return String(decoding: content, as: UTF8.self)
}

/// Processor time of this process.
func processorTime() -> Duration {
    var now = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now)
    return .seconds(now.tv_sec) + .nanoseconds(now.tv_nsec)
}
