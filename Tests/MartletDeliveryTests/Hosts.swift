import MartletSockets
import Testing

@testable import MartletDelivery

/// How long a test waits for what must happen before it calls it a failure.
let patience = Duration.seconds(20)

/// Waits until it is so; false if it never was.
func eventually(_ isSo: () async -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + patience
    while ContinuousClock.now < deadline {
        if await isSo() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return await isSo()
}

/// The real clock, as the machines want it.
enum RealTime {
    private static let began = ContinuousClock.now

    static var now: MonotonicTime {
        MonotonicTime(microseconds: 0) + (ContinuousClock.now - began)
    }
}

/// A publisher over real sockets: the machine decides, this carries out.
actor PublisherHost {
    let node: NodeID
    let instance: Instance
    private let data: ZeroMQLink<Pub>
    private let service: ZeroMQLink<Router>
    private var machine: FanoutPublisher
    private var next: [Int: UInt64] = [:]
    private(set) var returned = 0

    init(_ loop: SocketLoop, _ node: NodeID, start: UInt32, ringBytes: Int) async throws {
        self.node = node
        instance = Instance(node: node, epoch: Epoch(start: start, random: start &* 7))
        data = try await loop.link(Pub.self)
        service = try await loop.link(Router.self)
        machine = FanoutPublisher(
            instance, named: "publisher", dataEndpoint: "", firstSession: UInt64(start) << 40,
            ringBytes: ringBytes)
    }

    func bind(_ serviceAt: Endpoint, _ dataAt: Endpoint) async throws -> (Endpoint, Endpoint) {
        (try await service.bind(to: serviceAt), try await data.bind(to: dataAt))
    }

    /// Answers and beats until it is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while let messages = try? await self.service.receive() {
                    for message in messages { await self.receive(message) }
                }
            }
            group.addTask {
                while (try? await Task.sleep(for: .milliseconds(50))) != nil { await self.tick() }
            }
        }
    }

    func close() async {
        await service.close(drainingFor: .zero)
        await data.close(drainingFor: .zero)
    }

    func publish(lane: Int, count: Int) throws {
        let first = next[lane] ?? 1
        let channel = Channel(node: node, stream: "orders", lane: lane)
        var builder = FrameBuilder(channel: channel, epoch: instance.epoch, nextSequence: first)
        let kind = try EventDefinition(topic: "orders.placed", contentType: .text)
        for offset in 0..<UInt64(count) {
            _ = try builder.append(
                "\(instance.epoch.start)/\(lane)/\(first + offset)", with: TextCodec(), of: kind,
                at: .earliest)
        }
        next[lane] = first + UInt64(count)
        carryOut(machine.seal(try Frame(builder.seal()), at: RealTime.now))
    }

    private func receive(_ message: Multipart) {
        guard let body = message.rest.first else { return }
        let rest = Array(message.rest.dropFirst())
        carryOut(
            machine.receive(
                Multipart(first: body, rest: rest), from: message.first, at: RealTime.now))
    }

    private func tick() { carryOut(machine.tick(at: RealTime.now)) }

    /// Without waiting, so that what is done keeps its order. What finds no room is lost, and will
    /// be asked for.
    private func carryOut(_ effects: [FanoutPublisher.Effect]) {
        for effect in effects {
            switch effect {
            case .publish(let bytes): _ = try? data.offer(Multipart(bytes))
            case .send(let route, let message):
                _ = try? service.offer(
                    Multipart(first: route, rest: [message.first] + message.rest))
            }
        }
    }
}

/// A reader over real sockets.
actor ReaderHost {
    private let loop: SocketLoop
    private let serviceAt: Endpoint
    private let data: ZeroMQLink<Sub>
    private var service: ZeroMQLink<Dealer>
    private var machine: FanoutReader
    private var nonce: UInt64 = 0
    /// The payloads of each lane, in the order in which they came.
    private(set) var payloads: [Int: [String]] = [:]
    private(set) var gaps: [Gap] = []
    private(set) var failure: MartletError?
    private(set) var sessions = 0

    init(
        _ loop: SocketLoop, to service: Endpoint, _ data: Endpoint, from start: Fetch.Start
    ) async throws {
        self.loop = loop
        serviceAt = service
        self.service = try await loop.link(Dealer.self)
        self.data = try await loop.link(Sub.self)
        machine = FanoutReader(
            Instance(node: .random(), epoch: Epoch(start: 1, random: 1)), named: "reader",
            to: ["orders"], from: start)
        try await self.data.subscribe(to: Bytes(utf8: "orders\u{1F}"))
        try await self.data.connect(to: data)
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while let messages = try? await self.data.receive() {
                    for message in messages { await self.take(published: message.first) }
                }
            }
            group.addTask { await self.serve() }
            group.addTask {
                while (try? await Task.sleep(for: .milliseconds(50))) != nil { await self.tick() }
            }
        }
    }

    /// One socket after the other: a link that has been given up yields nil.
    private func serve() async {
        while !Task.isCancelled {
            let link = service
            do {
                try await link.connect(to: serviceAt)
                nonce += 1
                await carryOut(machine.connected(nonce: nonce, at: RealTime.now))
                while let messages = try await link.receive() {
                    for message in messages {
                        await carryOut(machine.receive(message, at: RealTime.now))
                    }
                }
            } catch { return }
        }
    }

    private func take(published bytes: Bytes) async {
        await carryOut(machine.receive(published: bytes, at: RealTime.now))
    }

    private func tick() async { await carryOut(machine.tick(at: RealTime.now)) }

    private func carryOut(_ effects: [FanoutReader.Effect]) async {
        for effect in effects {
            switch effect {
            case .send(let message): _ = try? service.offer(message)
            case .reconnect:
                let old = service
                guard let fresh = try? await loop.link(Dealer.self) else { return }
                service = fresh
                await old.close(drainingFor: .zero)
            case .began: sessions += 1
            case .started: break
            case .deliver(let frame, let from):
                for event in frame where event.sequence >= from {
                    payloads[frame.channel.lane, default: []]
                        .append(String(decoding: event.payload.array(), as: UTF8.self))
                }
                await carryOut(
                    machine.consumed(frame.bytes.count, of: frame.channel, at: RealTime.now))
            case .lost(let gap): gaps.append(gap)
            case .fail(let error): failure = error
            }
        }
    }
}
