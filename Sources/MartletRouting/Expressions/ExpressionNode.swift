/// A part of a compiled expression. Nodes refer to each other by their places in one array, and are
/// plain values: evaluating them follows no pointers and counts no references.
struct ExpressionNode {
    enum Kind: UInt8 {
        /// The literal with this index.
        case literal
        /// The field with this index.
        case field
        /// The payload path with this index.
        case payload
        /// Whether the field with this index is there.
        case exists
        /// Whether anything is at the payload path with this index.
        case existsPayload
        /// The node with this index, then operators one after another: the links.
        case chain
        /// The call with this index, its arguments being the links.
        case call
    }

    let kind: Kind
    let index: Int32
    let links: Range<Int32>

    init(_ kind: Kind, _ index: Int, links: Range<Int32> = 0..<0) {
        self.kind = kind
        self.index = Int32(truncatingIfNeeded: index)
        self.links = links
    }
}

/// An operator that is applied to what stands left of it.
struct ExpressionLink {
    enum Operator: UInt8 {
        case not, negate
        case like, notLike, isIn, notIn
        case multiply, divide, remainder, add, subtract
        case equal, unequal, less, lessOrEqual, greater, greaterOrEqual
        case and, or, xor
        /// No operator: an argument of a call.
        case argument
    }

    let operation: Operator
    /// The node at its right; for `LIKE` the index of the pattern, for `IN` that of the set, and
    /// for what has nothing at its right 0.
    let operand: Int32

    init(_ operation: Operator, _ operand: Int = 0) {
        self.operation = operation
        self.operand = Int32(truncatingIfNeeded: operand)
    }
}

extension ExpressionLink.Operator {
    /// How it is written.
    var symbol: String {
        switch self {
        case .not: "NOT"
        case .negate, .subtract: "-"
        case .like: "LIKE"
        case .notLike: "NOT LIKE"
        case .isIn: "IN"
        case .notIn: "NOT IN"
        case .multiply: "*"
        case .divide: "/"
        case .remainder: "%"
        case .add: "+"
        case .equal: "="
        case .unequal: "!="
        case .less: "<"
        case .lessOrEqual: "<="
        case .greater: ">"
        case .greaterOrEqual: ">="
        case .and: "AND"
        case .or: "OR"
        case .xor: "XOR"
        case .argument: ","
        }
    }

    /// The type that it yields, but for numbers of payloads.
    var result: ExpressionType {
        switch self {
        case .negate, .multiply, .divide, .remainder, .add, .subtract: .integer
        default: .boolean
        }
    }
}

/// An expression in the form in which it is evaluated.
final class ExpressionProgram: Sendable {
    let nodes: [ExpressionNode]
    let links: [ExpressionLink]
    let literals: [ExpressionValue]
    let fields: [EventField]
    let paths: [PayloadPath]
    let patterns: [LikePattern]
    let sets: [Range<Int32>]
    let calls: [ExpressionCall]
    /// Where in the text each node stands, in bytes.
    let places: [Range<Int>]
    let root: Int32

    init(_ draft: ExpressionDraft, root: Int) {
        nodes = draft.nodes
        links = draft.links
        literals = draft.literals
        fields = draft.fields
        paths = draft.paths
        patterns = draft.patterns
        sets = draft.sets
        calls = draft.calls
        places = draft.places
        self.root = Int32(truncatingIfNeeded: root)
    }

    /// The type of what stands for a failure where the event decides over the type of the value.
    var typeOfFailure: ExpressionType {
        nodes[Int(root)].links.last.map { links[Int($0)].operation.result } ?? .boolean
    }
}

/// A call of a function.
struct ExpressionCall: Sendable {
    let name: String
    /// Nil where there is none of this name with so many arguments.
    let function: ExpressionFunction?
}

/// An expression while it is being parsed.
struct ExpressionDraft {
    var nodes: [ExpressionNode] = []
    var places: [Range<Int>] = []
    var links: [ExpressionLink] = []
    var literals: [ExpressionValue] = []
    var fields: [EventField] = []
    var paths: [PayloadPath] = []
    var patterns: [LikePattern] = []
    var sets: [Range<Int32>] = []
    var calls: [ExpressionCall] = []

    mutating func append(_ node: ExpressionNode, _ place: Range<Int>) -> Int {
        nodes.append(node)
        places.append(place)
        return nodes.count - 1
    }

    mutating func append(_ links: [ExpressionLink]) -> Range<Int32> {
        let start = Int32(truncatingIfNeeded: self.links.count)
        self.links += links
        return start..<Int32(truncatingIfNeeded: self.links.count)
    }

    mutating func literal(_ value: ExpressionValue, _ place: Range<Int>) -> Int {
        literals.append(value)
        return append(ExpressionNode(.literal, literals.count - 1), place)
    }

    mutating func field(
        _ kind: ExpressionNode.Kind, _ field: EventField, _ place: Range<Int>
    ) -> Int {
        let index = fields.firstIndex(of: field) ?? fields.count
        if index == fields.count { fields.append(field) }
        return append(ExpressionNode(kind, index), place)
    }

    mutating func path(
        _ kind: ExpressionNode.Kind, _ path: PayloadPath, _ place: Range<Int>
    ) -> Int {
        let index = paths.firstIndex(of: path) ?? paths.count
        if index == paths.count { paths.append(path) }
        return append(ExpressionNode(kind, index), place)
    }
}
