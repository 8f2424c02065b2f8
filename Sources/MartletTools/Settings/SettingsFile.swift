import Martlet
import MartletCommandLine
import MartletEvents

/// A file of settings, `martlet.json`: what it says, key by key, with the lines where it does.
///
/// ```
/// {
///   "node":    { "name": "shop", "listen": "tcp://*:5550", "journal": "/var/lib/martlet" },
///   "streams": { "orders": { "durable": true, "keep": "7d" } },
///   "source":  { "generate": "orders", "rate": 1000 },
///   "groups":  { "mailer": { "topic": ["users.>"], "exec": "./mail", "width": 4 } },
///   "limits":  { "drain-timeout": "10s" },
///   "routes":  { "rules": [ … ] }
/// }
/// ```
struct SettingsFile {
    private typealias Member = PlacedValue.Member

    /// What is said under a key.
    struct Setting {
        let key: String
        let text: String
        let origin: Arguments.Origin
    }

    let name: String
    private let json: [UInt8]
    /// The groups that it describes, in its order.
    private(set) var groups: [String] = []
    private var settings: [String: [Setting]] = [:]
    /// The rules of `routes`, in a document of their own whose lines are those of the file.
    private(set) var routes: (json: Bytes, origin: Arguments.Origin)?

    /// Reads a file. Whatever is no setting is an error, which names its line.
    init(_ name: String) throws(CommandFailure) {
        self.name = name
        json = try LineReader.contents(of: name, byteCountMax: Limits.encodedBytesMax)
        let document: PlacedValue
        do throws(MartletError) { document = try PlacedValue.document(Bytes(json)) } catch {
            let failure = error.cause as? CodingFailure
            throw SettingsFile.failure(
                "\(name)\(failure?.byteOffset.map { ":\(line(of: $0))" } ?? "")",
                "this is no JSON: \(failure?.reason ?? error.message).")
        }
        for section in try members(of: document, named: "the file") { try read(section) }
    }

    /// What is said under a key; for those of groups, of this group.
    func settings(for key: String, group: String?) -> [Setting] {
        guard key.hasPrefix("group.") else { return settings[key] ?? [] }
        guard let group else { return [] }
        return settings["groups.\(group).\(key.dropFirst("group.".count))"] ?? []
    }

    // MARK: Reading

    private mutating func read(_ section: Member) throws(CommandFailure) {
        switch section.name {
        case "node", "source":
            for member in try members(of: section.value, named: section.name) {
                let option = try option(member, in: section.name, as: section.name)
                try add(member.value, option, under: "\(section.name).\(member.name)")
            }
        case "streams":
            for stream in try members(of: section.value, named: "streams") {
                try read(stream: stream)
            }
        case "limits":
            for limit in try members(of: section.value, named: "limits") {
                add(
                    "\(limit.name)=\(try text(limit.value, "limits.\(limit.name)"))",
                    under: "limits", as: "limits.\(limit.name)", at: limit.offset)
            }
        case "groups":
            for group in try members(of: section.value, named: "groups") { try read(group: group) }
        case "routes": try read(routes: section.value)
        default:
            throw unknown(
                section, "the file",
                among: ["node", "streams", "source", "groups", "limits", "routes"])
        }
    }

    private mutating func read(stream: Member) throws(CommandFailure) {
        let key = "streams.\(stream.name)"
        add(stream.name, under: "streams", as: key, at: stream.offset)
        for member in try members(of: stream.value, named: key) {
            let names = StreamSettings.standards.map(\.name)
            guard names.contains(member.name) else { throw unknown(member, key, among: names) }
            let texts = try texts(member.value, "\(key).\(member.name)")
            let text = texts.map(\.text).joined(separator: "+")
            guard !text.contains(",") else {
                throw failure(
                    member.offset, "\(key).\(member.name)", "no comma can stand in `\(text)`.")
            }
            add(
                "\(stream.name):\(member.name)=\(text)",
                under: "streams", as: "\(key).\(member.name)", at: member.offset)
        }
    }

    private mutating func read(group: Member) throws(CommandFailure) {
        groups.append(group.name)
        let key = "groups.\(group.name)"
        for member in try members(of: group.value, named: key) {
            let option = try option(member, in: "group", as: key)
            try add(member.value, option, under: "\(key).\(member.name)")
        }
    }

    private mutating func read(routes value: PlacedValue) throws(CommandFailure) {
        _ = try members(of: value, named: "routes")
        // Everything else becomes blank, so that errors name the right lines.
        let blank = json.enumerated().map { place, byte in
            value.range.contains(place) || byte == UInt8(ascii: "\n") ? byte : 0x20
        }
        let origin = Arguments.Origin(
            .file, "routes", at: "\(name):\(line(of: value.range.lowerBound))")
        routes = (Bytes(blank), origin)
    }

    private func option(
        _ member: Member, in section: String, as key: String
    ) throws(CommandFailure) -> Command.Option {
        let options = Settings.options.filter { $0.key?.hasPrefix(section + ".") == true }
        guard let option = options.first(where: { $0.key == "\(section).\(member.name)" }) else {
            throw unknown(
                member, key,
                among: options.compactMap(\.key).map { key in
                    String(key.dropFirst(section.count + 1))
                })
        }
        return option
    }

    private mutating func add(
        _ value: PlacedValue, _ option: Command.Option, under key: String
    ) throws(CommandFailure) {
        if option.isFlag {
            guard case .boolean(let flag) = value.content else {
                throw failure(value.range.lowerBound, key, "it is true or false.")
            }
            add("\(flag)", under: key, as: key, at: value.range.lowerBound)
            return
        }
        let texts = try texts(value, key)
        guard texts.count == 1 || option.isRepeatable else {
            throw failure(value.range.lowerBound, key, "it takes one value, not \(texts.count).")
        }
        guard !texts.isEmpty else {
            throw failure(value.range.lowerBound, key, "it is empty. Leave it out instead.")
        }
        for (text, offset) in texts { add(text, under: key, as: key, at: offset) }
    }

    private mutating func add(
        _ text: String, under key: String, as whole: String, at offset: Int
    ) {
        let origin = Arguments.Origin(.file, whole, at: "\(name):\(line(of: offset))")
        settings[key, default: []].append(Setting(key: whole, text: text, origin: origin))
    }

    /// One text, or each of an array.
    private func texts(
        _ value: PlacedValue, _ key: String
    ) throws(CommandFailure) -> [(text: String, offset: Int)] {
        guard case .array(let elements) = value.content else {
            return [(try text(value, key), value.range.lowerBound)]
        }
        var texts: [(text: String, offset: Int)] = []
        for element in elements {
            texts.append((try text(element, key), element.range.lowerBound))
        }
        return texts
    }

    private func text(_ value: PlacedValue, _ key: String) throws(CommandFailure) -> String {
        switch value.content {
        case .text(let text): return text
        case .boolean(let flag): return "\(flag)"
        // As it is written. An object is a filter.
        case .number, .object: return String(decoding: json[value.range], as: UTF8.self)
        case .null:
            throw failure(value.range.lowerBound, key, "it is null. Leave it out instead.")
        case .array:
            throw failure(value.range.lowerBound, key, "an array must not stand here.")
        }
    }

    /// The members of an object, each of which is there once.
    private func members(
        of value: PlacedValue, named key: String
    ) throws(CommandFailure) -> [Member] {
        guard case .object(let members) = value.content else {
            throw failure(value.range.lowerBound, key, "an object, { }, must stand here.")
        }
        var names: Set<String> = []
        for member in members where !names.insert(member.name).inserted {
            throw failure(member.offset, key, "`\(member.name)` stands here twice. Keep one.")
        }
        return members
    }

    // MARK: Errors

    private func unknown(
        _ member: Member, _ key: String, among names: [String]
    ) -> CommandFailure {
        let guess = Spelling.nearest(to: member.name, among: names).map { " Did you mean `\($0)`?" }
        return failure(
            member.offset, key,
            "there is no setting `\(member.name)`.\(guess ?? "") There are "
                + "\(names.joined(separator: ", ")).")
    }

    private func failure(_ offset: Int, _ key: String, _ reason: String) -> CommandFailure {
        SettingsFile.failure("\(name):\(line(of: offset)): \(key)", reason)
    }

    private static func failure(_ place: String, _ reason: String) -> CommandFailure {
        CommandFailure(.usage, "\(place): \(reason)")
    }

    private func line(of offset: Int) -> Int {
        json.prefix(offset).count { $0 == UInt8(ascii: "\n") } + 1
    }
}
