public import MartletCore

/// The promises of `Link`, to be tried on any pair of ends, be they sockets or simulated.
///
/// ```swift
/// try await LinkConformance {
///     let (left, right) = SimulatedLink.pair(bound: 8)
///     return .init(sender: left, receiver: right) { left.close() }
/// }.check()
/// ```
public struct LinkConformance: Sendable {
    /// Two ends, fresh for each promise.
    public struct Pair: Sendable {
        let sender: any SendingLink
        let receiver: any ReceivingLink
        let close: @Sendable () async -> Void

        /// What the sender sends must arrive at the receiver, at which nothing has happened yet.
        ///
        /// - Parameter close: closes the receiving end, so that everything that has arrived can
        ///   still be taken.
        public init(
            sender: any SendingLink, receiver: any ReceivingLink,
            close: @escaping @Sendable () async -> Void
        ) {
            self.sender = sender
            self.receiver = receiver
            self.close = close
        }
    }

    /// A promise that was broken.
    public struct Violation: Error, CustomStringConvertible {
        /// Which, and how.
        public let description: String
    }

    private let make: @Sendable () async throws -> Pair

    /// The promises for pairs that are made like this. Their bounds should be small: they are
    /// reached.
    public init(_ make: @escaping @Sendable () async throws -> Pair) { self.make = make }

    /// Tries every promise, and throws the first `Violation`.
    public func check() async throws {
        try await order(make())
        try await bound(make())
        try await cancelledSend(make())
        try await cancelledReceive(make())
        try await oneConsumer(make())
        try await end(make())
    }

    private static func message(_ number: Int) -> Multipart {
        Multipart(first: Bytes(utf8: "\(number)"), rest: [Bytes(utf8: "part of \(number)")])
    }

    private func hold(_ condition: Bool, _ text: @autoclosure () -> String) throws {
        if !condition { throw Violation(description: text()) }
    }

    /// Takes so many messages, which must be those from this number on, whole and in order.
    private func take(
        _ numbers: Range<Int>, from receiver: any ReceivingLink
    ) async throws {
        var next = numbers.lowerBound
        while next < numbers.upperBound {
            guard let messages = try await receiver.receive() else {
                throw Violation(description: "the link ended before \(next)")
            }
            try hold(!messages.isEmpty, "nothing was received")
            for message in messages {
                try hold(
                    message == LinkConformance.message(next), "\(message) came instead of \(next)")
                next += 1
            }
        }
    }

    private func order(_ pair: Pair) async throws {
        async let sending: Void = {
            for number in 0..<1_000 { try await pair.sender.send(LinkConformance.message(number)) }
        }()
        try await take(0..<1_000, from: pair.receiver)
        try await sending
    }

    private func fill(_ pair: Pair) throws -> Int {
        for number in 0..<100_000 {
            guard try pair.sender.offer(LinkConformance.message(number)) else { return number }
        }
        throw Violation(description: "100,000 messages waited, and there was no bound")
    }

    /// Whoever finds no room waits, and nothing is lost.
    private func bound(_ pair: Pair) async throws {
        let count = try fill(pair)
        async let sending: Void = {
            for number in count..<count + 200 {
                try await pair.sender.send(LinkConformance.message(number))
            }
        }()
        try await take(0..<count + 200, from: pair.receiver)
        try await sending
    }

    private func cancelledSend(_ pair: Pair) async throws {
        let count = try fill(pair)
        var sent = count
        // What lies between the ends may make room meanwhile: then it was sent.
        for _ in 0..<100 {
            let number = sent
            let sending = Task { try await pair.sender.send(LinkConformance.message(number)) }
            sending.cancel()
            do {
                try await sending.value
                sent += 1
            } catch let error as MartletError {
                try hold(error.code == .cancelled, "a cancelled send threw \(error.code)")
            }
        }
        try await take(0..<sent, from: pair.receiver)
    }

    private func cancelledReceive(_ pair: Pair) async throws {
        for _ in 0..<100 {
            let receiving = Task { try await pair.receiver.receive() }
            receiving.cancel()
            do {
                let received = try await receiving.value
                throw Violation(description: "a cancelled receive returned \(received ?? [])")
            } catch let error as MartletError {
                try hold(error.code == .cancelled, "a cancelled receive threw \(error.code)")
            }
        }
        try await pair.sender.send(LinkConformance.message(0))
        try await take(0..<1, from: pair.receiver)
    }

    /// Of two that receive at once, one is refused, and the other gets what comes.
    private func oneConsumer(_ pair: Pair) async throws {
        enum Outcome {
            case refused
            case messages([Multipart]?)
        }
        try await withThrowingTaskGroup(of: Outcome.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    do throws(MartletError) {
                        return .messages(try await pair.receiver.receive())
                    } catch {
                        guard error.code == .wrongState else { throw error }
                        return .refused
                    }
                }
            }
            guard case .refused? = try await group.next() else {
                throw Violation(description: "a second consumer was not refused")
            }
            try await pair.sender.send(LinkConformance.message(0))
            guard case .messages(let messages)? = try await group.next(),
                messages == [LinkConformance.message(0)]
            else { throw Violation(description: "the first consumer got nothing") }
        }
    }

    /// What has arrived is handed over, then there is an end, and nothing more is accepted.
    private func end(_ pair: Pair) async throws {
        for number in 0..<3 { try await pair.sender.send(LinkConformance.message(number)) }
        try await take(0..<1, upTo: 3, from: pair.receiver)
        await pair.close()
        while let more = try await pair.receiver.receive() {
            try hold(!more.isEmpty, "nothing was received")
        }
        try hold(try await pair.receiver.receive() == nil, "the end was not the end")
        if let link = pair.receiver as? any SendingLink {
            do throws(MartletError) {
                _ = try link.offer(LinkConformance.message(0))
                throw MartletError(.failed, "")
            } catch {
                try hold(error.code == .closed, "a closed link accepted a message")
            }
        }
    }

    /// The first of some messages; the others may come with it.
    private func take(
        _ first: Range<Int>, upTo end: Int, from receiver: any ReceivingLink
    ) async throws {
        guard let messages = try await receiver.receive() else {
            throw Violation(description: "the link ended before it was closed")
        }
        for (message, number) in zip(messages, first.lowerBound..<end) {
            try hold(
                message == LinkConformance.message(number), "\(message) came instead of \(number)")
        }
    }
}
