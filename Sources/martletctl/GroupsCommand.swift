import Martlet
import MartletCommandLine
import MartletTools

/// `martletctl groups`: who works for a node's streams, and how far they are.
enum GroupsCommand {
    static let command = Command(
        "groups", "shows the groups of workers of nodes, and how far they are",
        details: [
            "For each group: its workers, the events that are not settled, how long the oldest of "
                + "them has waited, those that workers have, those that wait for another attempt, "
                + "keys that are held up and keys that are parked, and what became of all others. "
                + "A group is listed from its first worker on, until it is removed.",
            ControlOptions.status,
        ],
        operands: .init("[GROUP]", 0...1, "This group only, with its workers and lanes."),
        options: [ControlOptions.node, ControlOptions.timeout, ControlOptions.json],
        examples: [
            .init("martletctl groups -n tcp://shop:5550", "All groups of a node"),
            .init("martletctl groups billing", "One, with its workers and lanes"),
            .init("martletctl groups remove audit", "Forget one that nobody works for any more"),
        ], verbs: [remove]
    ) { (arguments) throws(CommandFailure) in
        let group = arguments.operands.first
        let isJSON = arguments.flag("json")
        return try ControlOptions.run(arguments) { control, node in
            let all = try await control.groups()
            let groups = all.filter { group == nil || $0.name == group }
            guard !groups.isEmpty else {
                let what = group.map { "no group `\($0)`" } ?? "no groups"
                Output.errors.lines(ofOthers: "\(node): \(what)")
                return .nothingFound
            }
            if isJSON {
                for group in groups { Output.standard.line(try JSONText.of(group)) }
            } else if group == nil {
                show(groups)
            } else {
                show(groups[0])
            }
            return .success
        }
    }

    private static let remove = Command(
        "remove", "forgets a group that has no workers, and how far it was",
        details: [
            "Who works for it later begins it anew. Its dead letters stay.", ControlOptions.status,
        ],
        operands: .init("GROUP", 1...1, "The group."),
        options: [ControlOptions.node, ControlOptions.timeout]
    ) { (arguments) throws(CommandFailure) in
        let group = arguments.operands[0]
        return try ControlOptions.run(arguments) { control, node in
            try await control.removeGroup(group)
            Output.standard.lines(ofOthers: "\(node): the group `\(group)` is forgotten")
            return .success
        }
    }

    // MARK: For people

    private static func show(_ groups: [GroupReport]) {
        var table = TextTable([
            "GROUP", "WORKERS", "LAG", "OLDEST", "IN FLIGHT", "RETRYING", "BLOCKED", "PARKED",
            "HANDLED", "REPEATED", "DEAD", "LOST",
        ])
        for group in groups {
            let (tally, blocked) = (group.tally, group.lanes.reduce(0) { $0 + $1.blockedKeys })
            table.add([
                group.name + (group.isFailing ? " (failing)" : ""), "\(group.members.count)",
                "\(group.lag)", age(group.oldest), "\(group.inFlight)", "\(group.retrying)",
                "\(blocked)", "\(group.parkedKeys)", "\(tally.handled)", "\(tally.repeated)",
                "\(tally.dead)", "\(tally.lost)",
            ])
        }
        for line in table.lines { Output.standard.lines(ofOthers: line) }
    }

    private static func show(_ group: GroupReport) {
        show([group])
        Output.standard.line("")
        var members = TextTable(["WORKER", "NODE", "STATE", "WINDOW", "IN FLIGHT", "LANES"])
        for member in group.members {
            let state = member.isDrained ? "drained" : member.isPresent ? "present" : "silent"
            members.add([
                member.name, "\(member.node)", state, "\(member.window)", "\(member.inFlight)",
                "\(member.channels.count)",
            ])
        }
        for line in members.lines { Output.standard.lines(ofOthers: line) }
        Output.standard.line("")
        var lanes = TextTable([
            "STREAM", "LANE", "WORKER", "NEXT", "LAG", "OLDEST", "IN FLIGHT", "RETRYING",
            "BLOCKED", "PARKED", "LOST",
        ])
        for lane in group.lanes.sorted(by: precedes) {
            let owner = group.members.first { $0.channels.contains(lane.channel) }
            let parked = lane.ledger.parkedKeys.count
            lanes.add([
                "\(lane.channel.stream)", "\(lane.channel.lane)", owner?.name ?? "all",
                "\(lane.ledger.next)", "\(lane.lag)", age(lane.oldest), "\(lane.inFlight)",
                "\(lane.retrying)", "\(lane.blockedKeys)", "\(parked)",
                "\(lane.ledger.tally.lost)",
            ])
        }
        for line in lanes.lines { Output.standard.lines(ofOthers: line) }
        for lane in group.lanes {
            for loss in lane.ledger.losses {
                guard let last = loss.sequences.last else { continue }
                Output.standard.lines(
                    ofOthers: "lost: \(lane.channel.stream) lane \(lane.channel.lane), events "
                        + "\(loss.sequences.lowerBound) to \(last), \(loss.reason)")
            }
        }
    }

    private static func precedes(_ left: GroupReport.Lane, _ right: GroupReport.Lane) -> Bool {
        (left.channel.stream.text, left.channel.lane)
            < (right.channel.stream.text, right.channel.lane)
    }

    private static func age(_ time: Timestamp?) -> String {
        guard let time else { return "-" }
        let seconds = Double(max(0, Timestamp.now.microseconds - time.microseconds)) / 1e6
        switch seconds {
        case ..<10: return "\(Int(seconds * 10) / 10).\(Int(seconds * 10) % 10) s"
        case ..<600: return "\(Int(seconds)) s"
        case ..<36_000: return "\(Int(seconds / 60)) min"
        default: return "\(Int(seconds / 3_600)) h"
        }
    }
}
