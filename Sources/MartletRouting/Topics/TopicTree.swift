/// Patterns in a tree of their tokens, each under a number that its owner gave it.
///
/// Apart from `TopicMatcher` so that walking the tree does not depend on what the values are.
struct TopicTree: Sendable {
    private struct Node: Sendable {
        let parent: Int32
        let token: Int32
        /// Nodes below that follow a token; the one for `*` is not among them.
        var children: Int32 = 0
        var wildcard: Int32 = 0
        /// The patterns that end here, and those that end here with `>`.
        var ending: [Int32] = []
        var rest: [Int32] = []

        var isUnused: Bool {
            children == 0 && wildcard == 0 && ending.isEmpty && rest.isEmpty
        }
    }

    /// Where a pattern ends, and its place among those that end there.
    struct End: Sendable, Hashable {
        fileprivate let node: Int32
        fileprivate let isRest: Bool
        fileprivate let place: Int32
    }

    /// The token of the nodes that `*` leads to, and that of a topic which no pattern knows.
    private static let anyToken: Int32 = -1
    private static let unknownToken: Int32 = -2

    private var nodes = [Node(parent: -1, token: TopicTree.unknownToken)]
    private var freeNodes: [Int32] = []
    /// From a node and a token to the node below.
    private var edges: [UInt64: Int32] = [:]
    private var tokens = TokenTable()

    /// How many nodes the tree has had at once.
    var nodeCount: Int { nodes.count }

    // MARK: Patterns

    mutating func add(_ pattern: TopicPattern, _ number: Int32) -> End {
        let bytes = pattern.text.utf8Span.span
        var node: Int32 = 0
        var isRest = false
        var reader = TokenReader(count: bytes.count)
        while let range = reader.next(in: bytes) {
            let token = bytes.extracting(range)
            switch Wildcard(token) {
            case .rest: isRest = true
            case .token: node = child(of: node, TopicTree.anyToken)
            case nil: node = child(of: node, tokens.use(token))
            }
        }
        let list: WritableKeyPath<Node, [Int32]> = isRest ? \.rest : \.ending
        nodes[Int(node)][keyPath: list].append(number)
        let place = nodes[Int(node)][keyPath: list].count - 1
        return End(node: node, isRest: isRest, place: Int32(place))
    }

    /// Takes a pattern away that is there. Another one of the same end may have to take its place:
    /// the number of that one, whose end is from now on the one that was given.
    mutating func remove(_ end: End) -> Int32? {
        let list: WritableKeyPath<Node, [Int32]> = end.isRest ? \.rest : \.ending
        var moved: Int32?
        let last = nodes[Int(end.node)][keyPath: list].removeLast()
        if Int(end.place) < nodes[Int(end.node)][keyPath: list].count {
            nodes[Int(end.node)][keyPath: list][Int(end.place)] = last
            moved = last
        }
        prune(from: end.node)
        return moved
    }

    // MARK: Matching

    /// A topic's tokens by their numbers: as many as `Limits.topicTokensMax`.
    private typealias Tokens = InlineArray<16, Int32>

    /// Shows the numbers of the patterns that mean the topic until `body` says false; whether it
    /// never did.
    func visit(_ topic: Topic, _ body: (Int32) -> Bool) -> Bool {
        let bytes = topic.text.utf8Span.span
        var numbers = Tokens(repeating: TopicTree.unknownToken)
        var count = 0
        var reader = TokenReader(count: bytes.count)
        while let range = reader.next(in: bytes) {
            numbers[count] = tokens.number(of: bytes.extracting(range)) ?? TopicTree.unknownToken
            count += 1
        }
        return visit(0, numbers, 0, count, body)
    }

    /// At most two branches open at each token, and no deeper than a topic has tokens.
    private func visit(
        _ node: Int32, _ tokens: Tokens, _ place: Int, _ count: Int, _ body: (Int32) -> Bool
    ) -> Bool {
        let node = Int(node)
        guard place < count else {
            for number in nodes[node].ending where !body(number) { return false }
            return true
        }
        for number in nodes[node].rest where !body(number) { return false }
        let wildcard = nodes[node].wildcard
        if wildcard != 0, !visit(wildcard, tokens, place + 1, count, body) { return false }
        guard nodes[node].children > 0, tokens[place] >= 0,
            let next = edges[TopicTree.edge(Int32(node), tokens[place])]
        else { return true }
        return visit(next, tokens, place + 1, count, body)
    }

    // MARK: Nodes

    private static func edge(_ node: Int32, _ token: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: node)) << 32 | UInt64(UInt32(bitPattern: token))
    }

    private mutating func child(of node: Int32, _ token: Int32) -> Int32 {
        let isAny = token == TopicTree.anyToken
        let known = isAny ? nodes[Int(node)].wildcard : edges[TopicTree.edge(node, token)] ?? 0
        if known != 0 {
            if !isAny { tokens.release(token) }
            return known
        }
        let child = makeNode(Node(parent: node, token: token))
        if isAny {
            nodes[Int(node)].wildcard = child
        } else {
            edges[TopicTree.edge(node, token)] = child
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
            if token == TopicTree.anyToken {
                nodes[Int(parent)].wildcard = 0
            } else {
                edges[TopicTree.edge(parent, token)] = nil
                nodes[Int(parent)].children -= 1
                tokens.release(token)
            }
            freeNodes.append(node)
            node = parent
        }
    }
}
