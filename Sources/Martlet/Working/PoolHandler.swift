/// A user's handler, whatever its types.
struct PoolHandler: Sendable {
    /// What it returns.
    enum Kind: Sendable {
        /// Nothing, at once.
        case direct(@Sendable (RecordedEvent, Delivery) throws -> Void)
        /// Nothing, after a while.
        case plain(@Sendable (RecordedEvent, Delivery) async throws -> Void)
        /// Something that travels back.
        case valued(@Sendable (RecordedEvent, Delivery) async throws -> Bytes)
    }

    let kind: Kind

    init(_ kind: Kind) { self.kind = kind }

    init<E: Event>(
        direct reader: EventReader<E>, _ handler: @escaping @Sendable (E, Delivery) throws -> Void
    ) {
        kind = .direct { event, delivery in
            try handler(try PoolHandler.value(of: event, reader), delivery)
        }
    }

    init<E: Event>(
        _ reader: EventReader<E>, _ handler: @escaping @Sendable (E, Delivery) async throws -> Void
    ) {
        kind = .plain { event, delivery in
            try await handler(try PoolHandler.value(of: event, reader), delivery)
        }
    }

    init<E: Event, Value: Encodable & Sendable>(
        _ reader: EventReader<E>, _ codec: any Codec,
        _ handler: @escaping @Sendable (E, Delivery) async throws -> Value
    ) {
        kind = .valued { event, delivery in
            let value = try await handler(try PoolHandler.value(of: event, reader), delivery)
            let bytes: Bytes = try codec.encode(value)
            guard bytes.count <= Limits.outcomeBytesMax else {
                throw Rejection(
                    "The handler's result takes \(bytes.count) bytes, and "
                        + "\(Limits.outcomeBytesMax) are allowed.")
            }
            return bytes
        }
    }

    /// Calls a handler, without a further reference to the frame.
    @inline(__always)
    static func give(
        _ delivery: borrowing Delivery, to handle: (RecordedEvent, Delivery) throws -> Void
    ) throws {
        try handle(delivery.event, delivery)
    }

    /// Calls a handler that may wait, without a further reference to the frame.
    @inline(__always)
    static func give<Value>(
        _ delivery: borrowing Delivery,
        to handle: (RecordedEvent, Delivery) async throws -> Value
    ) async throws -> Value {
        try await handle(delivery.event, delivery)
    }

    /// An event that cannot be read will not be readable later.
    private static func value<E: Event>(
        of event: RecordedEvent, _ reader: EventReader<E>
    ) throws -> E {
        do throws(MartletError) {
            guard let value = try reader.read(event) else {
                throw MartletError(.notDecodable, "The event cannot be read.")
            }
            return value
        } catch { throw Rejection("The event cannot be read: \(error.message)") }
    }
}
