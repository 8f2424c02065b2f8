// The form of a file of rules; keys that are not named here are errors.
//
//   {
//     "match": "all",                 or "first": how many of the rules that match apply
//     "loops": "refuse",              or "bound": circles are an error, or end after eight times
//     "partitions": 16,               for `route explain`: the lanes of the streams
//     "key": "data.customer.id",      and where keys are found: a path, or an attribute's name
//     "patterns": ["orders.>"],       and who listens
//     "rules": [
//       { "name": "large orders",
//         "topics": ["orders.placed"],             all topics without it
//         "when": "data.total > 1000",             an expression, a filter, or an array of both
//         "then": [ { "copy": "audit.orders" }, { "send": ["a", "b"] }, { "rename": "c" },
//                   { "set": { "priority": "high", "region": null } }, "drop", "stop" ] }
//     ]
//   }

/// A table of rules in a file of JSON, and what an explanation needs to know beside it.
public struct RuleFile: Sendable {
    /// The rules.
    public let table: RuleTable
    /// How the streams are partitioned, if the file says so.
    public let partitioning: Partitioning?
    /// The patterns of those who listen, for explanations.
    public let patterns: [TopicPattern]

    /// Reads a file. Errors are `invalidExpression`, and name the file, line, column and rule.
    public init(
        json: Bytes, named name: String = "rules", functions: FunctionSet = .standard
    ) throws(MartletError) {
        let contents: Contents
        do throws(MartletError) {
            let codec = JSONCodec(userInfo: FilterReading(functions: functions).userInfo)
            contents = try codec.decode(Contents.self, from: json)
        } catch { throw RuleFile.error(error, in: json, named: name) }
        do throws(MartletError) {
            table = try RuleTable(contents.rules, match: contents.match, loops: contents.loops)
        } catch { throw RuleFile.error(error, in: json, named: name) }
        partitioning = contents.partitioning
        patterns = contents.patterns
    }

    private struct Contents: Decodable {
        let match: RuleTable.Match
        let loops: RuleTable.Loops
        let partitioning: Partitioning?
        let patterns: [TopicPattern]
        let rules: [Rule]

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(
                of: ["match", "loops", "partitions", "key", "patterns", "rules"], in: "the file")
            match = try container.value("match", Choice<RuleTable.Match>.self)?.choice ?? .all
            loops = try container.value("loops", Choice<RuleTable.Loops>.self)?.choice ?? .refuse
            let count = try container.value("partitions", PartitionCount.self)
            let key = try container.value("key", KeyPlace.self)
            if key != nil, count == nil {
                throw MartletError(
                    .invalidExpression, "`key` says nothing without `partitions`. Add it.")
            }
            partitioning = try count.map { try Partitioning($0.count, by: key?.source ?? .key) }
            patterns = try container.value("patterns", Patterns.self)?.patterns ?? []
            rules = try container.decode([Rule].self, forKey: NameKey("rules"))
        }
    }

    // MARK: Errors

    /// Where in the file an error is, and in which rule.
    private static func error(
        _ error: MartletError, in json: Bytes, named name: String
    ) -> MartletError {
        let reader = try? PayloadReader(json, .json)
        var offset: Int?
        var rule: Int?
        var reason = error.message
        if let failure = error.cause as? CodingFailure {
            offset = failure.byteOffset
            reason = failure.reason
            rule = index(in: failure.path)
        } else if let failure = error.cause as? RuleFailure {
            offset = reader?.byteOffset(at: [.key("rules"), .index(failure.place)])
            rule = failure.place
            reason = failure.reason
        }
        var place = name
        if let offset { place += position(of: offset, in: json) }
        if let rule, let reader,
            case .text(let title)? = try? reader.value(
                at: [.key("rules"), .index(rule), .key("name")])
        {
            place += ": rule `\(title.prefix(60))`"
        } else if let rule {
            place += ": rule \(rule + 1)"
        }
        return MartletError(.invalidExpression, "\(place): \(reason)", cause: error)
    }

    /// The number in `rules[3].when`.
    private static func index(in path: String) -> Int? {
        guard path.hasPrefix("rules[") else { return nil }
        return Int(path.dropFirst(6).prefix { $0 != "]" })
    }

    /// Line and column, both from 1.
    private static func position(of offset: Int, in json: Bytes) -> String {
        let before = json.array().prefix(offset)
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let column = String(decoding: before[start...], as: UTF8.self).count + 1
        return ":\(line):\(column)"
    }
}

extension Partitioning.KeySource {
    /// The source that a text names: a path such as `data.customer.id`, `partitionkey`, or another
    /// attribute.
    public init(_ text: String) throws(MartletError) {
        if text == "data" || text.hasPrefix("data.") || text.hasPrefix("data[") {
            self = .payload(try PayloadPath(text))
        } else {
            let field = try EventField(text)
            self = field.kind == .key ? .key : .field(field)
        }
    }
}
