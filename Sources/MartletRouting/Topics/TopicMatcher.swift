/// Many patterns, each with a value, and which of them mean a topic.
///
/// A tree of tokens: what a match costs depends on the tokens of the topic and on the patterns that
/// match, not on how many there are. Adding and removing touch one branch. A matcher is a value: a
/// copy is what it was, so that one task can match in a copy while another changes the original.
public struct TopicMatcher<Value: Sendable>: Sendable {
    /// What to name when a pattern goes again.
    public struct Entry: Sendable, Hashable {
        let node: Int32
        let isRest: Bool
        let number: UInt64
    }

    private struct Held: Sendable {
        let number: UInt64
        let value: Value
    }

    private struct Node: Sendable {
        var parent: Int32
        var token: Int32
        /// Nodes below that follow a token; the one for `*` is not among them.
        var children: Int32 = 0
        var wildcard: Int32 = 0
        /// Of the patterns that end here, and of those that end here with `>`.
        var ending: [Held] = []
        var rest: [Held] = []

        var isUnused: Bool {
            children == 0 && wildcard == 0 && ending.isEmpty && rest.isEmpty
        }
    }

    /// The token of the nodes that `*` leads to.
    private static var anyToken: Int32 { -1 }

    private var nodes: [Node] = [Node(parent: -1, token: -2)]
    private var freeNodes: [Int32] = []
    /// From a node and a token to the node below.
    private var edges: [UInt64: Int32] = [:]
    private var tokens = TokenTable()
    private var entries: UInt64 = 0

    /// How many patterns there are; one that was added twice counts twice.
    public private(set) var count = 0

    /// How many nodes the tree has had at once.
    var nodeCount: Int { nodes.count }

    /// No patterns.
    public init() {}

    /// Adds a pattern. It may be there already, with this value or another.
    @discardableResult
    public mutating func add(_ pattern: TopicPattern, _ value: Value) -> Entry {
        var node: Int32 = 0
        var isRest = false
        var reader = TokenReader(pattern.text.utf8)
        while let token = reader.next() {
            switch Wildcard(token) {
            case .rest: isRest = true
            case .token: node = child(of: node, Self.anyToken)
            case nil: node = child(of: node, tokens.use(token))
            }
        }
        entries += 1
        let held = Held(number: entries, value: value)
        if isRest {
            nodes[Int(node)].rest.append(held)
        } else {
            nodes[Int(node)].ending.append(held)
        }
        count += 1
        return Entry(node: node, isRest: isRest, number: entries)
    }

    /// Takes a pattern away and returns its value; nil if it has gone already.
    @discardableResult
    public mutating func remove(_ entry: Entry) -> Value? {
        let node = Int(entry.node)
        guard node < nodes.count else { return nil }
        let list = entry.isRest ? nodes[node].rest : nodes[node].ending
        guard let place = list.firstIndex(where: { $0.number == entry.number }) else { return nil }
        if entry.isRest {
            nodes[node].rest.remove(at: place)
        } else {
            nodes[node].ending.remove(at: place)
        }
        count -= 1
        prune(from: entry.node)
        return list[place].value
    }

    /// Calls `body` with the value of every pattern that means the topic, in no particular order.
    public func forEachMatch(_ topic: Topic, _ body: (Value) -> Void) {
        _ = withTokens(of: topic) { tokens, count in
            visit(0, tokens, 0, count) { held in
                for one in held { body(one.value) }
                return true
            }
        }
    }

    /// The values of the patterns that mean the topic, in the order in which they were added.
    public func matches(_ topic: Topic) -> [Value] {
        var found: [Held] = []
        _ = withTokens(of: topic) { tokens, count in
            visit(0, tokens, 0, count) { held in
                found += held
                return true
            }
        }
        found.sort { $0.number < $1.number }
        return found.map(\.value)
    }

    /// Whether any pattern means the topic.
    public func hasMatch(_ topic: Topic) -> Bool {
        withTokens(of: topic) { tokens, count in !visit(0, tokens, 0, count) { _ in false } }
    }

    // MARK: Matching

    private typealias Tokens = InlineArray<16, Int32>

    /// Patterns know most tokens by number; what none of them knows is -3.
    private func withTokens<Result>(of topic: Topic, _ body: (Tokens, Int) -> Result) -> Result {
        var numbers = Tokens(repeating: -3)
        var count = 0
        var reader = TokenReader(topic.text.utf8)
        while let token = reader.next() {
            numbers[count] = tokens.number(of: token) ?? -3
            count += 1
        }
        return body(numbers, count)
    }

    /// Shows the lists of the patterns that match from here; false as soon as `body` says so. At
    /// most two branches open at each token, and no deeper than a topic has tokens.
    private func visit(
        _ node: Int32, _ tokens: Tokens, _ place: Int, _ count: Int, _ body: ([Held]) -> Bool
    ) -> Bool {
        let here = nodes[Int(node)]
        guard place < count else { return here.ending.isEmpty || body(here.ending) }
        if !here.rest.isEmpty, !body(here.rest) { return false }
        if here.wildcard != 0, !visit(here.wildcard, tokens, place + 1, count, body) {
            return false
        }
        if here.children > 0, tokens[place] >= 0,
            let next = edges[Self.edge(node, tokens[place])]
        {
            return visit(next, tokens, place + 1, count, body)
        }
        return true
    }

    // MARK: Nodes

    private static func edge(_ node: Int32, _ token: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: node)) << 32 | UInt64(UInt32(bitPattern: token))
    }

    private mutating func child(of node: Int32, _ token: Int32) -> Int32 {
        let isAny = token == Self.anyToken
        let known = isAny ? nodes[Int(node)].wildcard : edges[Self.edge(node, token)] ?? 0
        if known != 0 {
            if !isAny { tokens.release(token) }
            return known
        }
        let child = makeNode(Node(parent: node, token: token))
        if isAny {
            nodes[Int(node)].wildcard = child
        } else {
            edges[Self.edge(node, token)] = child
            nodes[Int(node)].children += 1
        }
        return child
    }

    private mutating func makeNode(_ node: Node) -> Int32 {
        if let free = freeNodes.popLast() {
            nodes[Int(free)] = node
            return free
        }
        nodes.append(node)
        return Int32(nodes.count - 1)
    }

    /// Frees the nodes from here upwards that lead to no pattern any more.
    private mutating func prune(from start: Int32) {
        var node = start
        while node != 0, nodes[Int(node)].isUnused {
            let (parent, token) = (nodes[Int(node)].parent, nodes[Int(node)].token)
            if token == Self.anyToken {
                nodes[Int(parent)].wildcard = 0
            } else {
                edges[Self.edge(parent, token)] = nil
                nodes[Int(parent)].children -= 1
                tokens.release(token)
            }
            freeNodes.append(node)
            node = parent
        }
    }
}
