/// The streams that are read: some by name, or all that there are.
package struct StreamSelection: Sendable, Hashable {
    /// The names in their order; nil for all streams.
    package let names: [StreamName]?

    /// All streams, those to come included.
    package static let all = StreamSelection(names: nil)

    private init(names: [StreamName]?) { self.names = names }

    /// These streams.
    package init(_ names: some Sequence<StreamName>) {
        self.names = Set(names).sorted { $0.precedes($1) }
    }

    /// Whether the stream is read.
    package func contains(_ stream: StreamName) -> Bool { names?.contains(stream) ?? true }

    /// Whether nothing is read.
    package var isEmpty: Bool { names?.isEmpty ?? false }

    /// What either of them reads.
    func union(_ other: StreamSelection) -> StreamSelection {
        guard let names, let others = other.names else { return .all }
        return StreamSelection(names + others)
    }
}

extension StreamSelection: ExpressibleByArrayLiteral {
    /// These streams.
    package init(arrayLiteral names: StreamName...) { self.init(names) }
}
