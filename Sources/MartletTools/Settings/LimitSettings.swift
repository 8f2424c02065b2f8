import Martlet
import MartletCommandLine

/// Limits and times of a node that can be set: `drain-timeout=5s`.
struct LimitSettings {
    /// One of them.
    struct Limit: Sendable {
        let name: String
        let standard: Duration
        /// What is less would keep a processor busy, or mean nothing.
        var least = Duration.zero
        let place: any WritableKeyPath<NodeConfiguration, Duration> & Sendable
    }

    static let all = [
        Limit(
            name: "publish-timeout", standard: Limits.publishTimeout, place: \.publishTimeout),
        Limit(name: "drain-timeout", standard: Limits.drainTimeout, place: \.drainTimeout),
        Limit(
            name: "lookup-interval", standard: Limits.lookupInterval, least: .seconds(1),
            place: \.lookupInterval),
        Limit(name: "peer-patience", standard: Limits.peerPatience, place: \.peerPatience),
        Limit(
            name: "learned-peer-patience", standard: Limits.learnedPeerPatience,
            place: \.learnedPeerPatience),
        Limit(name: "spin-time", standard: .zero, place: \.spinTime),
    ]

    private var values: [String: (value: Arguments.Value, duration: Duration)] = [:]

    /// All that options say.
    init(_ arguments: Arguments) throws(CommandFailure) {
        for value in arguments.located("limit") {
            let sides = value.text.split(separator: "=", maxSplits: 1).map(String.init)
            guard let limit = LimitSettings.all.first(where: { $0.name == sides.first }) else {
                let names = LimitSettings.all.map(\.name)
                let guess = Spelling.nearest(to: sides.first ?? "", among: names)
                throw LimitSettings.wrong(
                    value,
                    "is no limit that can be set."
                        + (guess.map { " Did you mean `\($0)`?" } ?? "")
                        + " There are \(names.joined(separator: ", ")).")
            }
            guard sides.count == 2, let duration = DurationText.duration(sides[1]) else {
                throw LimitSettings.wrong(
                    value, "is no time. Write \(limit.name)=500ms, 10s, 5m or 2h.")
            }
            guard duration >= limit.least else {
                throw LimitSettings.wrong(
                    value, "is too little: it is \(DurationText.text(limit.least)) at the least.")
            }
            values[limit.name] = (.init(text: sides[1], origin: value.origin), duration)
        }
    }

    private static func wrong(_ value: Arguments.Value, _ reason: String) -> CommandFailure {
        CommandFailure(
            MartletError(.invalidArgument, "`\(value.text)` \(reason)"),
            about: value.origin.label)
    }

    /// A limit as it stands.
    func value(_ name: String) -> Arguments.Value? { values[name]?.value }

    /// Puts them into a node's configuration.
    func apply(to configuration: inout NodeConfiguration) {
        for limit in LimitSettings.all {
            if let known = values[limit.name] {
                configuration[keyPath: limit.place] = known.duration
            }
        }
    }
}
