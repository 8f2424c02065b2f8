public import MartletCore

/// What stood on a command line, as its command takes it, and what other places add to it: a file
/// of settings, the environment, and what is usual.
public struct Arguments: Sendable {
    /// What was given without a name.
    public internal(set) var operands: [String] = []
    /// The options of its command.
    public internal(set) var options: [Command.Option] = []
    private var values: [String: [Value]] = [:]

    /// A text, and where it was said.
    public struct Value: Sendable {
        /// What was said.
        public let text: String
        /// Where.
        public let origin: Origin

        /// A text from a place.
        public init(text: String, origin: Origin) {
            self.text = text
            self.origin = origin
        }
    }

    /// Where a value was said. What is higher wins.
    public struct Origin: Sendable, Hashable {
        /// Places, the weakest first.
        public enum Kind: Int, Sendable, Comparable {
            /// Nobody has said anything.
            case standard
            /// A file of settings.
            case file
            /// A variable of the environment.
            case environment
            /// The command line.
            case line

            /// Whether another place wins.
            public static func < (left: Kind, right: Kind) -> Bool {
                left.rawValue < right.rawValue
            }
        }

        /// What kind of place it is.
        public let kind: Kind
        /// The name it has there: `--listen`, `MARTLET_NODE_LISTEN` or `node.listen`.
        public let name: String
        /// The file and the line, as `martlet.json:4`.
        public let place: String?

        /// A place.
        public init(_ kind: Kind, _ name: String, at place: String? = nil) {
            self.kind = kind
            self.name = name
            self.place = place
        }

        /// Where to look, in a word or two.
        public var text: String { kind == .standard ? "default" : place ?? name }

        /// The name with the place in front, as errors begin.
        public var label: String { (place.map { "\($0): " } ?? "") + name }
        /// The same within a sentence.
        var quoted: String { (place.map { "\($0): " } ?? "") + "`\(name)`" }
    }

    /// Whether a flag was given.
    public func flag(_ name: String) -> Bool { value(name) == "true" }

    /// The value of an option; nil if there is none.
    public func value(_ name: String) -> String? { values[name]?.last?.text }

    /// The values of an option that may be given several times, the weakest first.
    public func values(_ name: String) -> [String] { located(name).map(\.text) }

    /// The same, with where they were said.
    public func located(_ name: String) -> [Value] { values[name] ?? [] }

    /// Whether somebody has said it, and it is not what is taken without.
    public func isGiven(_ name: String) -> Bool {
        guard let value = values[name]?.last else { return false }
        return value.origin.kind != .standard && value.text != "false"
    }

    /// The option as it was called where it was given, for errors.
    public func label(_ name: String) -> String {
        values[name]?.last?.origin.quoted ?? "`--\(name)`"
    }

    /// Takes what another place says about an option, unless a stronger one has spoken.
    public mutating func supply(_ option: Command.Option, _ texts: [String], from origin: Origin) {
        let fresh = texts.map { Value(text: $0, origin: origin) }
        let known = values[option.name] ?? []
        if option.isMerged {
            // Strongest last, each place in its order.
            let split = known.firstIndex { $0.origin.kind > origin.kind } ?? known.count
            values[option.name] = known[..<split] + fresh + known[split...]
        } else if let before = known.last?.origin.kind, before > origin.kind {
            return
        } else if known.last?.origin.kind == origin.kind, option.isRepeatable {
            values[option.name] = known + fresh
        } else {
            values[option.name] = fresh
        }
    }

    /// The value of an option that its command requires.
    public func required(_ name: String) throws(CommandFailure) -> String {
        guard let value = value(name) else {
            throw CommandFailure(.usage, "`--\(name)` is missing.")
        }
        return value
    }

    /// The whole number that an option has, within a range; nil if it was not given.
    public func integer(
        _ name: String, in range: ClosedRange<Int>
    ) throws(CommandFailure) -> Int? {
        guard let text = value(name) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw CommandFailure(
                .usage,
                "\(label(name)) takes a whole number from \(range.lowerBound) to "
                    + "\(range.upperBound), not `\(text)`.")
        }
        return value
    }

    /// The same for an option that always has one.
    public func requiredInteger(
        _ name: String, in range: ClosedRange<Int>
    ) throws(CommandFailure) -> Int {
        guard let value = try integer(name, in: range) else {
            throw CommandFailure(.usage, "`--\(name)` is missing.")
        }
        return value
    }

    /// The parts of an option's value between commas, without the spaces around them.
    public func list(_ name: String) -> [String]? {
        value(name).map { text in
            text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
                .map { part in
                    let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") }
                    let end = part.lastIndex { !isSpace($0) }.map { part.index(after: $0) }
                    return String(
                        Substring(part[..<(end ?? part.startIndex)].drop(while: isSpace)))
                }
        }
    }

    /// What an option's value stands for; an error of that tells which option it was, and where.
    public func parsed<Value>(
        _ name: String, _ text: String, _ parse: (String) throws(MartletError) -> Value
    ) throws(CommandFailure) -> Value {
        do throws(MartletError) { return try parse(text) } catch {
            let value = values[name]?.last { $0.text == text }
            throw CommandFailure(error, about: value?.origin.label ?? "--\(name)")
        }
    }
}
