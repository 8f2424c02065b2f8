/// Many patterns, each with a value, and which of them mean a topic.
///
/// A tree of tokens: what a match costs depends on the tokens of the topic, and on how many
/// patterns begin as the topic does, not on how many there are. Adding and removing touch one
/// branch. A matcher is a value: a copy is what it was, so that one task can match in a copy while
/// another changes the original.
public struct TopicMatcher<Value: Sendable>: Sendable {
    /// What to name when a pattern goes again: to the matcher that gave it, or to a copy that was
    /// made after that and before either changed.
    public struct Entry: Sendable, Hashable {
        let place: Int32
        let number: UInt64
    }

    private struct Held: Sendable {
        let number: UInt64
        var end: TopicTree.End
        let value: Value
    }

    private var tree = TopicTree()
    private var held: [Held?] = []
    private var freePlaces: [Int32] = []
    private var added: UInt64 = 0

    /// No patterns.
    public init() {}

    /// How many patterns there are; one that was added twice counts twice.
    public var count: Int { held.count - freePlaces.count }

    /// How many nodes the tree has had at once.
    var nodeCount: Int { tree.nodeCount }

    /// Adds a pattern. It may be there already, with this value or another.
    @discardableResult
    public mutating func add(_ pattern: TopicPattern, _ value: Value) -> Entry {
        added += 1
        let place = freePlaces.popLast() ?? Int32(held.count)
        let one = Held(number: added, end: tree.add(pattern, place), value: value)
        if Int(place) == held.count { held.append(one) } else { held[Int(place)] = one }
        return Entry(place: place, number: added)
    }

    /// Takes a pattern away and returns its value; nil if it has gone already.
    @discardableResult
    public mutating func remove(_ entry: Entry) -> Value? {
        guard Int(entry.place) < held.count, let one = held[Int(entry.place)],
            one.number == entry.number
        else { return nil }
        if let moved = tree.remove(one.end) { held[Int(moved)]?.end = one.end }
        held[Int(entry.place)] = nil
        freePlaces.append(entry.place)
        return one.value
    }

    /// Calls `body` with the value of every pattern that means the topic, in no particular order.
    public func forEachMatch(_ topic: Topic, _ body: (Value) -> Void) {
        _ = tree.visit(topic) { place in
            if let one = held[Int(place)] { body(one.value) }
            return true
        }
    }

    /// The values of the patterns that mean the topic, in the order in which they were added.
    public func matches(_ topic: Topic) -> [Value] {
        var found: [Held] = []
        _ = tree.visit(topic) { place in
            if let one = held[Int(place)] { found.append(one) }
            return true
        }
        found.sort { $0.number < $1.number }
        return found.map(\.value)
    }

    /// Whether any pattern means the topic.
    public func hasMatch(_ topic: Topic) -> Bool { !tree.visit(topic) { _ in false } }
}
