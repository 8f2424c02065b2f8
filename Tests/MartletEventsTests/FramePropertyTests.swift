import MartletEvents
import Testing

/// Frames of random events against a list of the same events.
@Suite struct FramePropertyTests {
    struct Model: Equatable {
        var topic: Topic
        var payload: [UInt8]
        var time: Timestamp
        var key: String?
        var id: String?
        var attributes: EventAttributes

        init(_ generator: inout SeededGenerator) throws {
            let topics: [Topic] = ["orders", "orders.placed", "orders.paid", "orders.paid.twice"]
            topic = topics.randomElement(using: &generator) ?? "orders"
            let size = Int.random(
                in: 0...(Bool.random(using: &generator) ? 40 : 900), using: &generator)
            payload = (0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) }
            time = .sample.adding(
                Int64.random(in: -3_000_000...3_000_000, using: &generator)
                    >> Int64.random(in: 0...20, using: &generator))
            let texts = ["k", "customer-17", "Łódź ☂", String(repeating: "x", count: 200)]
            key = Bool.random(using: &generator) ? texts.randomElement(using: &generator) : nil
            id =
                Int.random(in: 0...3, using: &generator) == 0
                ? texts.randomElement(using: &generator) : nil
            attributes = EventAttributes()
            while Int.random(in: 0...2, using: &generator) == 0 {
                let number = Int.random(in: 0...99, using: &generator)
                try attributes.set(AttributeName("a\(number)"), to: .integer(Int32(number) - 50))
                if number.isMultiple(of: 3) { try attributes.setSubject("s\(number)") }
            }
        }

        init(_ event: RecordedEvent) {
            topic = event.topic
            payload = event.payload.array()
            time = event.time
            key = event.key
            id = event.explicitID
            attributes = event.attributes
        }
    }

    @Test(arguments: 0..<60)
    func whatIsWrittenIsRead(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var builder = FrameBuilder.sample(nextSequence: 1 + seed)
        var models: [Model] = []
        for _ in 0..<Int.random(in: 1...60, using: &generator) {
            let model = try Model(&generator)
            guard let kind = try builder.define(EventDefinition(topic: model.topic)) else { break }
            let isPlain = model.key == nil && model.id == nil && model.attributes.isEmpty
            let sequence =
                isPlain
                ? try builder.append(model.payload.span.bytes, as: kind, at: model.time)
                : try builder.append(
                    model.payload.span.bytes, as: kind, at: model.time, key: model.key,
                    id: model.id, attributes: model.attributes)
            guard sequence != nil else { break }
            models.append(model)
        }
        let frame = try Frame(builder.seal())
        #expect(frame.map(Model.init) == models)
        var visited: [UInt64] = []
        frame.forEach { visited.append($0.sequence) }
        #expect(visited == Array(frame.sequences))
        try checkSlices(of: frame, &generator)
    }

    /// Slices hold the records of their frame byte for byte, under the same numbers; slices of
    /// slices do too.
    private func checkSlices(of frame: Frame, _ generator: inout SeededGenerator) throws {
        for _ in 0..<5 {
            let wanted = Set(frame.map(\.sequence).filter { _ in Bool.random(using: &generator) })
            guard let slice = frame.slice(where: { wanted.contains($0.sequence) }) else {
                #expect(wanted.isEmpty)
                continue
            }
            let read = try Frame(slice.bytes)
            #expect(read.map(\.sequence) == wanted.sorted())
            #expect(
                read.map(Model.init)
                    == frame.filter { wanted.contains($0.sequence) }.map(Model.init))
            for event in frame {
                let found = read.event(numbered: event.sequence)
                #expect((found != nil) == wanted.contains(event.sequence))
                if let found {
                    #expect(found.position == event.position && found.id == event.id)
                    #expect(found.payload == event.payload)
                }
            }
            let half = read.slice { $0.sequence.isMultiple(of: 2) }
            #expect(half?.map(\.sequence) ?? [] == wanted.filter { $0.isMultiple(of: 2) }.sorted())
        }
        let alone = frame.map { $0.detached() }
        #expect(alone.map(Model.init) == frame.map(Model.init))
        #expect(alone.map(\.position) == frame.map(\.position))
        #expect(alone.allSatisfy { $0.frame.count == 1 })
    }
}
