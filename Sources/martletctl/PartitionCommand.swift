import MartletCommandLine
import MartletCore
import MartletRouting
import MartletTools

/// `martletctl partition`: the lanes of keys, and who serves them.
enum PartitionCommand {
    static let command = Command(
        "partition", "shows the lanes of keys, and who serves them",
        details: [
            "A key always has the same lane of a stream with so many partitions. A key that is "
                + "called like a verb goes behind `--`."
        ],
        operands: .init("KEY…", 1...Int.max, "Keys, as events have them."),
        options: [
            .value("of", "N", nil, isRequired: true, "How many partitions the stream has."),
            .flag("json", "j", "Print an object of JSON for each key."),
        ],
        examples: [.init("martletctl partition c-9 c-10 --of 16", "The lanes of two keys")],
        verbs: [plan]
    ) { (arguments) throws(CommandFailure) in
        let partitioning = try partitioning(arguments)
        let width = arguments.operands.map(\.count).max() ?? 0
        for key in arguments.operands {
            let lane = partitioning.lane(ofKey: key)
            if arguments.flag("json") {
                Output.standard.line(try text(of: KeyLane(key: key, lane: lane)))
            } else {
                let padding = String(repeating: " ", count: width - key.count)
                Output.standard.lines(ofOthers: "\(key)\(padding)  lane \(lane)")
            }
        }
        return .success
    }

    private static func text(of value: some Encodable) throws(CommandFailure) -> String {
        do throws(MartletError) { return try JSONText.of(value) } catch {
            throw CommandFailure(error, .badData)
        }
    }

    private struct KeyLane: Encodable {
        let key: String
        let lane: Int
    }

    private static func partitioning(
        _ arguments: Arguments
    ) throws(CommandFailure) -> Partitioning {
        guard let count = try arguments.integer("of", in: 1...Limits.partitionsMax) else {
            throw CommandFailure(.usage, "`--of` is missing: say how many partitions there are.")
        }
        do throws(MartletError) { return try Partitioning(count) } catch {
            throw CommandFailure(error)
        }
    }

    // MARK: Plans

    private static let plan = Command(
        "plan", "shows who serves which lanes, and what moves",
        details: [
            "Without --then it prints the lanes of every member, with it what moves from whom to "
                + "whom. Nothing is applied."
        ],
        options: [
            .value("of", "N", nil, isRequired: true, "How many partitions the stream has."),
            .value(
                "members", "A,B,…", "m", isRequired: true,
                "The members, by the ids under which they join."),
            .value("then", "A,B,…", nil, "The members afterwards."),
            .value("stream", "NAME", nil, "The stream; `orders` without it."),
            .flag("json", "j", "Print one object of JSON."),
        ],
        examples: [
            .init("martletctl partition plan --of 16 --members a,b,c", "Who serves what"),
            .init("martletctl partition plan --of 16 -m a,b,c --then a,b", "What if c leaves?"),
        ]
    ) { (arguments) throws(CommandFailure) in
        let before = try assignment(arguments, "members")
        guard arguments.value("then") != nil else {
            try write(before, isJSON: arguments.flag("json"))
            return .success
        }
        let after = try assignment(arguments, "then")
        do throws(MartletError) {
            let plan = try AssignmentPlan(from: before, to: after)
            if arguments.flag("json") {
                Output.standard.line(try JSONText.of(PlanLine(plan)))
            } else {
                Output.standard.lines(ofOthers: plan.description)
            }
        } catch { throw CommandFailure(error) }
        return .success
    }

    private static func assignment(
        _ arguments: Arguments, _ option: String
    ) throws(CommandFailure) -> Assignment {
        let partitions = try partitioning(arguments).partitions
        let members = arguments.list(option) ?? []
        let stream = arguments.value("stream") ?? "orders"
        let name = try arguments.parsed("stream", stream) { (text) throws(MartletError) in
            try StreamName(text)
        }
        // An empty list is nobody.
        let names = members == [""] ? [] : members
        return try arguments.parsed(option, "") { (_) throws(MartletError) in
            try Assignment(of: name, partitions: partitions, to: names)
        }
    }

    private static func write(
        _ assignment: Assignment, isJSON: Bool
    ) throws(CommandFailure) {
        let rows = assignment.lanesByMember.map { MemberLanes(member: $0.member, lanes: $0.lanes) }
        if isJSON {
            let line = AssignmentLine(
                stream: assignment.stream.text, partitions: assignment.partitions, members: rows)
            Output.standard.line(try text(of: line))
            return
        }
        let width = rows.map(\.member.count).max() ?? 0
        for row in rows {
            let padding = String(repeating: " ", count: width - row.member.count)
            let lanes = row.lanes.map { " \($0)" }.joined()
            let count = row.lanes.count == 1 ? "1 lane" : "\(row.lanes.count) lanes"
            let colon = row.lanes.isEmpty ? "" : ":"
            Output.standard.lines(ofOthers: "\(row.member)\(padding)  \(count)\(colon)\(lanes)")
        }
        Output.standard.line(
            rows.isEmpty
                ? "no members, no lane is served"
                : "\(assignment.partitions) lanes of `\(assignment.stream)`, at most "
                    + "\(assignment.capacity) each")
    }

    private struct MemberLanes: Encodable {
        let member: String
        let lanes: [Int]
    }

    private struct AssignmentLine: Encodable {
        let stream: String
        let partitions: Int
        let members: [MemberLanes]
    }

    private struct PlanLine: Encodable {
        struct Move: Encodable {
            let lane: Int
            let from: String?
            let to: String?
        }

        let stream: String
        let partitions: Int
        let moves: [Move]

        init(_ plan: AssignmentPlan) {
            stream = plan.before.stream.text
            partitions = plan.before.partitions
            moves = plan.moves.map { Move(lane: $0.lane, from: $0.from, to: $0.to) }
        }
    }
}
