/// What a node can be asked, or told to do, and what belongs to it. Each is a word on the wire, and
/// the rest is JSON.
enum ControlVerb: String {
    case node
    case groups
    case letters
    case retry
    case purge
    case replace
    case plan
    case drain
    case remove

    /// Dead letters that are asked for.
    struct Letters: Codable, Sendable {
        let selection: LetterSelection
        /// Whether their events come along.
        let withEvents: Bool
    }

    /// Another event in the place of one that was set aside.
    struct Replacement: Codable, Sendable {
        let number: UInt64
        let payload: Bytes
    }

    /// A worker of a group, by its name or its node's id.
    struct Worker: Codable, Sendable {
        let group: String
        let worker: String
        /// Whether it gets nothing more, or is as before.
        var isDrained = true
    }

    /// A group.
    struct Group: Codable, Sendable {
        let group: String
    }

    /// Why something was not done.
    struct Failure: Codable, Sendable {
        let code: String
        let message: String
    }

    /// Nothing more than that it was done.
    struct Done: Codable, Sendable {}
}

/// A keyed lane that another worker gets, or nobody.
public struct LaneMove: Sendable, Hashable, Codable {
    /// The lane.
    public let channel: Channel
    /// Who has it.
    public let from: String?
    /// Who gets it.
    public let to: String?
}
