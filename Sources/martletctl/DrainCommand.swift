import Martlet
import MartletCommandLine
import MartletTools

/// `martletctl drain`: takes a worker out of its group before it leaves.
enum DrainCommand {
    static let command = Command(
        "drain", "gives a worker nothing more, and lets it end what it has begun",
        details: [
            "The worker gives back what it has not begun, its lanes go to others, and nothing is "
                + "repeated. It stays a worker of the group: stop it when nothing is in flight. "
                + "One that begins anew gets events again. Each node that publishes is told for "
                + "itself: name all of them.",
            ControlOptions.status,
        ],
        operands: .init("WORKER", 1...1, "The name or the id of its node."),
        options: [
            ControlOptions.node,
            .value("group", "GROUP", "g", isRequired: true, "Its group."),
            .flag("plan", nil, "Only say which lanes would move, and where."),
            .value("wait", "SECONDS", nil, "Wait so long for what it has begun; 30 without it."),
            .flag("undo", nil, "Give it events again."),
            ControlOptions.timeout, ControlOptions.json,
        ],
        examples: [
            .init("martletctl drain billing-2 -g billing --plan", "What would move?"),
            .init("martletctl drain billing-2 -g billing", "Take it out"),
        ]
    ) { (arguments) throws(CommandFailure) in
        let worker = arguments.operands[0]
        let group = try arguments.required("group")
        let (isPlan, isUndo) = (arguments.flag("plan"), arguments.flag("undo"))
        guard !isPlan || !isUndo else {
            throw CommandFailure(.usage, "Either `--plan` or `--undo`.")
        }
        let isJSON = arguments.flag("json")
        let patience = Duration.seconds(try arguments.integer("wait", in: 0...86_400) ?? 30)
        return try ControlOptions.run(arguments) { control, node in
            guard isPlan else {
                guard !isUndo else {
                    try await control.undrain(worker, of: group)
                    Output.standard.lines(ofOthers: "\(node): `\(worker)` gets events again")
                    return .success
                }
                try await control.drain(worker, of: group)
                let left = try await left(of: worker, group, control, within: patience)
                let rest = left == 0 ? "has nothing any more" : "still has \(left) events"
                Output.standard.lines(ofOthers: "\(node): `\(worker)` \(rest)")
                return left == 0 ? .success : .incomplete
            }
            let moves = try await control.plan(draining: worker, of: group)
            for move in moves {
                if isJSON {
                    Output.standard.line(try JSONText.of(move))
                } else {
                    Output.standard.lines(
                        ofOthers: "\(move.channel.stream) lane \(move.channel.lane): "
                            + "\(move.from ?? "nobody") → \(move.to ?? "nobody")")
                }
            }
            if moves.isEmpty, !isJSON { Output.standard.line("no lane would move") }
            return .success
        }
    }

    /// How many events the worker still has when this time is over.
    private static func left(
        of worker: String, _ group: String, _ control: NodeControl, within patience: Duration
    ) async throws -> Int {
        let end = ContinuousClock.now + patience
        while true {
            let member = try await control.groups().first { $0.name == group }?.members.first {
                $0.name == worker || "\($0.node)" == worker
            }
            let left = member?.inFlight ?? 0
            if left == 0 || ContinuousClock.now >= end { return left }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
