/// An event's payload while expressions ask for values in it: looked through once, when the first
/// of them asks, whether it can be read or not.
struct PayloadCache {
    private enum State {
        case untouched
        case none
        case read(PayloadReader)
        case unreadable(MartletError)
    }

    private var state = State.untouched

    /// Why the payload cannot be read, if it cannot.
    var failure: MartletError? {
        if case .unreadable(let error) = state { error } else { nil }
    }

    /// The payload; nil if the event has none.
    mutating func reader(
        of source: some FieldSource
    ) throws(MartletError) -> PayloadReader? {
        switch state {
        case .none: return nil
        case .read(let reader): return reader
        case .unreadable(let error): throw error
        case .untouched:
            do throws(MartletError) {
                let reader = try source.payloadReader()
                state = reader.map { .read($0) } ?? .none
                return reader
            } catch {
                state = .unreadable(error)
                throw error
            }
        }
    }
}
