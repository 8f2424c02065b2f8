internal import MartletDelivery
import MartletRouting

/// A publisher and a reader that are sent whatever there is: nothing may trap, nobody may keep more
/// than allowed, and a message that is understood must survive being written.
enum SessionTarget {
    /// The input is messages: a length in two bytes, a byte that says to whom and in how many
    /// parts, and so many bytes.
    static func feed(_ input: Bytes) {
        var rest = input.array()[...]
        let node = NodeID("00112233445566778899aabbccddeeff") ?? .random()
        let publisherInstance = Instance(node: node, epoch: Epoch(start: 1, random: 1))
        let readerInstance = Instance(node: .random(), epoch: Epoch(start: 1, random: 1))
        var publisher = FanoutPublisher(
            publisherInstance, named: "p", dataEndpoint: "", firstSession: 0)
        publisher.add("orders", ringBytes: 4_096, waitingForReaders: true)
        var reader = PublisherPeer(readerInstance, named: "r")
        reader.add(
            FanoutReader(to: ["orders"], from: .first, bufferBytes: 4_096, heldBytes: 4_096),
            numbered: 0)
        var now = MonotonicTime(microseconds: 0)
        _ = reader.connected(nonce: 1, at: now)
        while let message = next(&rest) {
            now = now + .milliseconds(100)
            if let understood = SessionMessage(message.multipart) {
                precondition(
                    SessionMessage(understood.multipart) == understood,
                    "a message changed as it was written")
            }
            switch message.target % 4 {
            case 0: _ = publisher.receive(message.multipart, from: Bytes([1]), at: now)
            case 1: _ = publisher.receive(message.multipart, from: Bytes([2]), at: now)
            case 2: _ = reader.receive(message.multipart, at: now)
            default: _ = reader.receive(published: message.multipart.first, at: now)
            }
            _ = publisher.tick(at: now)
            _ = reader.tick(at: now)
        }
        precondition(publisher.sessionCount <= 2, "a route has more than one session")
        // Each channel keeps its bounds, and there are as many channels as the peer named.
        precondition(reader.byteCount <= (input.count + 1) * 4)
    }

    private static func next(
        _ rest: inout ArraySlice<UInt8>
    ) -> (target: UInt8, multipart: Multipart)? {
        guard rest.count >= 3 else { return nil }
        let header = Array(rest.prefix(3))
        let count = min(Int(header[0]) | Int(header[1]) << 8, rest.count - 3)
        let bytes = Array(rest.dropFirst(3).prefix(count))
        rest = rest.dropFirst(3 + count)
        guard header[2] & 0x80 != 0, let second = next(&rest) else {
            return (header[2], Multipart(Bytes(bytes)))
        }
        return (header[2], Multipart(Bytes(bytes), second.multipart.first))
    }
}
