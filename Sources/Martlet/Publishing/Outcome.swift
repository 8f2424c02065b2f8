internal import MartletDelivery

/// What a group of workers has made of an event.
public enum Outcome: Sendable, Hashable {
    /// A handler has returned, perhaps with a value.
    case handled(value: Bytes?)
    /// The event was set aside: it is a dead letter now.
    case setAside(DeadLetter.Reason, text: String)
    /// The group does not want the event: its topics or its filter leave it out.
    case skipped
    /// The event was lost before it was handled, and its group's ledger says so.
    case lost(StoredLedger.Loss.Reason)
    /// The group is done with it, and nobody remembers how. Only producers hear it: their node has
    /// begun anew since, or it was long ago.
    case forgotten

    /// Whether a handler has returned.
    public var isHandled: Bool {
        if case .handled = self { true } else { false }
    }

    /// What its handler has returned, read by a codec. It throws `notDecodable` if the event was
    /// not handled, or its handler returned nothing or something else.
    public func value<Value: Decodable & Sendable>(
        _ type: Value.Type, by codec: any Codec = JSONCodec()
    ) throws(MartletError) -> Value {
        guard case .handled(value: let value?) = self else {
            throw MartletError(
                .notDecodable,
                "There is no value: \(self). Only a handler that has returned one leaves it.")
        }
        return try codec.decode(type, from: value)
    }

    init(_ fate: WorkFate) {
        switch fate {
        case .handled(let value): self = .handled(value: value)
        case .dead(let reason, let text):
            self = .setAside(DeadLetter.Reason(reason), text: text)
        case .skipped: self = .skipped
        case .lost(let reason): self = .lost(reason)
        }
    }
}

extension Outcome: CustomStringConvertible {
    /// In words.
    public var description: String {
        switch self {
        case .handled(value: nil): "handled"
        case .handled(value: let value?): "handled, with a value of \(value.count) bytes"
        case .setAside(let reason, let text): "set aside, \(reason): \(text)"
        case .skipped: "skipped"
        case .lost(let reason): "lost, \(reason)"
        case .forgotten: "done with, nobody remembers how"
        }
    }
}
