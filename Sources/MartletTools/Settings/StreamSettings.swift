import Martlet
import MartletCommandLine

/// What is said about streams, setting by setting, wherever it was said.
struct StreamSettings {
    /// A text, and where it was said.
    typealias Value = Arguments.Value

    /// The settings, and what is taken without them, as their texts.
    static let standards: [(name: String, text: String)] = [
        ("durable", "false"), ("partitions", "16"), ("ring", "64MiB"), ("frame", "64KiB"),
        ("lag", "repair"), ("keep", "forever"), ("size", "unbounded"), ("done", ""),
    ]

    static let advice =
        "There are durable, partitions=4, ring=16MiB, frame=64KiB, lag=repair and lag=wait; for "
        + "durable ones keep=7d, size=10GiB and done=CURSOR+CURSOR."

    /// The streams that were named, in the order in which they were.
    private(set) var names: [StreamName] = []
    private var values: [StreamName: [String: Value]] = [:]
    /// Where something was said last about each.
    private var origins: [StreamName: Arguments.Origin] = [:]

    /// All that options say.
    init(_ arguments: Arguments) throws(CommandFailure) {
        for value in arguments.located("stream") {
            let origin = value.origin
            try StreamSettings.naming(origin) { () throws(MartletError) in
                try add(value.text, from: origin)
            }
        }
        for value in arguments.located("durable") {
            for text in value.text.split(separator: ",") {
                try StreamSettings.naming(value.origin) { () throws(MartletError) in
                    let name = try StreamName(String(text))
                    set("durable", Value(text: "true", origin: value.origin), of: name)
                }
            }
        }
    }

    /// Reads `orders:durable,keep=7d`.
    private mutating func add(
        _ text: String, from origin: Arguments.Origin
    ) throws(MartletError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let name = try StreamName(String(parts[0]))
        note(name, origin)
        for setting in parts.count > 1 ? parts[1].split(separator: ",") : [] {
            let sides = setting.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false
            ).map(String.init)
            guard StreamSettings.standards.contains(where: { $0.name == sides[0] }),
                sides.count == 2 || sides[0] == "durable"
            else { throw StreamSettings.wrong(String(setting)) }
            let value = Value(text: sides.count == 2 ? sides[1] : "true", origin: origin)
            // Mistakes are told where they are made.
            _ = try StreamDraft(name: name, [sides[0]: value.text])
            set(sides[0], value, of: name)
        }
    }

    private mutating func note(_ name: StreamName, _ origin: Arguments.Origin) {
        origins[name] = origin
        guard values[name] == nil else { return }
        names.append(name)
        values[name] = [:]
    }

    private mutating func set(_ setting: String, _ value: Value, of name: StreamName) {
        note(name, value.origin)
        values[name]?[setting] = value
    }

    /// A setting as it stands.
    func value(_ setting: String, of name: StreamName) -> Value? { values[name]?[setting] }

    /// What the settings make of the streams.
    func definitions() throws(CommandFailure) -> [StreamDefinition] {
        var definitions: [StreamDefinition] = []
        for name in names {
            let own = values[name] ?? [:]
            let texts = own.mapValues(\.text)
            try StreamSettings.naming(origins[name]) { () throws(MartletError) in
                definitions.append(try StreamDraft(name: name, texts).definition())
            }
        }
        return definitions
    }

    private static func naming(
        _ origin: Arguments.Origin?, _ body: () throws(MartletError) -> Void
    ) throws(CommandFailure) {
        do throws(MartletError) { try body() } catch {
            throw CommandFailure(error, about: origin?.label ?? "--stream")
        }
    }

    static func wrong(_ setting: String) -> MartletError {
        MartletError(
            .invalidArgument, "`\(setting)` is no setting of a stream. \(StreamSettings.advice)")
    }
}

/// A stream's settings as what they mean.
private struct StreamDraft {
    private let name: StreamName
    private var isDurable = false
    private var partitions = 16
    private var ring = Limits.ringBytes
    private var frame = Limits.frameBytes
    private var policy = StreamDefinition.LagPolicy.repair
    private var retention = Retention.forever

    init(name: StreamName, _ texts: [String: String]) throws(MartletError) {
        self.name = name
        for (setting, text) in texts {
            let whole = "\(setting)=\(text)"
            switch setting {
            case "durable":
                guard let flag = Bool(text) else { throw StreamSettings.wrong(whole) }
                isDurable = flag
            case "partitions":
                guard let number = Int(text) else { throw StreamSettings.wrong(whole) }
                partitions = number
            case "ring": ring = try StreamDraft.bytes(text, whole)
            case "frame": frame = try StreamDraft.bytes(text, whole)
            case "keep" where text == "forever": break
            case "keep": retention.age = try StreamDraft.age(text, whole)
            case "size" where text == "unbounded": break
            case "size": retention.byteCount = UInt64(try StreamDraft.bytes(text, whole))
            case "done": retention.handledBy = Set(text.split(separator: "+").map(String.init))
            case "lag":
                guard let known = StreamDefinition.LagPolicy(rawValue: text) else {
                    throw StreamSettings.wrong(whole)
                }
                policy = known
            default: throw StreamSettings.wrong(whole)
            }
        }
    }

    func definition() throws(MartletError) -> StreamDefinition {
        guard !isDurable else {
            return try .durable(
                name, partitions: partitions, retention: retention, ringBytes: ring,
                frameBytes: frame, whenReadersLag: policy)
        }
        guard retention == .forever else {
            throw MartletError(
                .invalidArgument,
                "`keep`, `size` and `done` are settings of durable streams. Make `\(name)` one "
                    + "(`--stream \(name):durable`, or `--durable \(name)`).")
        }
        return try .live(
            name, partitions: partitions, ringBytes: ring, frameBytes: frame,
            whenReadersLag: policy)
    }

    private static func age(_ text: String, _ whole: String) throws(MartletError) -> Duration {
        guard let age = DurationText.duration(text), age >= .seconds(1) else {
            throw StreamSettings.wrong(whole)
        }
        return age
    }

    private static func bytes(_ text: String, _ whole: String) throws(MartletError) -> Int {
        let units = [("KiB", 1_024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("", 1)]
        for (unit, size) in units where text.hasSuffix(unit) {
            guard let number = Int(text.dropLast(unit.count)), number >= 0,
                number <= Int.max / size
            else { break }
            return number * size
        }
        throw StreamSettings.wrong(whole)
    }
}
