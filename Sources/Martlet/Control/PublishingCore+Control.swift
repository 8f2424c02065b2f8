internal import MartletDelivery
import Synchronization

/// What others ask the node, and tell it to do.
extension PublishingCore {
    /// Works on a question, and sends the answer when there is one.
    func take(_ inquiry: Inquiry, session: UInt64) {
        let count = inquiryCount.add(1, ordering: .relaxed).newValue
        guard count <= Limits.inquiriesMax else {
            inquiryCount.subtract(1, ordering: .relaxed)
            return tell(
                failure(
                    MartletError(
                        .resourceExhausted,
                        "The node works on \(Limits.inquiriesMax) questions already. Ask again.")),
                to: inquiry, session)
        }
        Task {
            do throws(MartletError) {
                guard acceptsCommands else {
                    throw MartletError(
                        .permissionDenied, "The node takes no commands from others.")
                }
                let parts = try await answer(inquiry)
                for (number, part) in parts.enumerated() {
                    tell(part, numbered: number, to: inquiry, session)
                }
            } catch { tell(failure(error), to: inquiry, session) }
            inquiryCount.subtract(1, ordering: .relaxed)
        }
    }

    private typealias Part = (kind: Answer.Kind, body: Bytes)

    private func tell(
        _ part: Part, numbered number: Int = 0, to inquiry: Inquiry, _ session: UInt64
    ) {
        let answer = Answer(
            request: inquiry.request, kind: part.kind, number: UInt64(number), body: part.body)
        send(responses { $0.say(.tell(session: session, answer)) })
    }

    private func failure(_ error: MartletError) -> Part {
        let failure = ControlVerb.Failure(code: error.code.name, message: error.message)
        return (.failure, (try? JSONCodec().encode(failure)) ?? Bytes())
    }

    private func answer(_ inquiry: Inquiry) async throws(MartletError) -> [Part] {
        guard let verb = ControlVerb(rawValue: inquiry.verb) else {
            throw MartletError(
                .notSupported,
                "The node does not know how to `\(inquiry.verb)`. It is of another version.")
        }
        let body = inquiry.body
        switch verb {
        case .node: return try whole(await report())
        case .groups:
            return try parts(await groupReports().flatMap { $0.pieces })
        case .letters:
            let wanted = try read(ControlVerb.Letters.self, body)
            let letters = try await openLetters(wanted.selection)
            return try parts(letters.map { LetterReport($0, withEvent: wanted.withEvents) })
        case .retry: return try whole(await retry(read(LetterSelection.self, body)))
        case .purge: return try whole(await purge(read(LetterSelection.self, body)))
        case .replace:
            let replacement = try read(ControlVerb.Replacement.self, body)
            let receipt = try await replace(replacement.number, by: replacement.payload)
            return try whole("\(receipt.position)")
        case .plan:
            let worker = try read(ControlVerb.Worker.self, body)
            return try parts(plan(without: worker.worker, of: worker.group))
        case .drain:
            let worker = try read(ControlVerb.Worker.self, body)
            try drain(worker.worker, of: worker.group, worker.isDrained)
            return try whole(ControlVerb.Done())
        case .remove:
            try await remove(read(ControlVerb.Group.self, body).group)
            return try whole(ControlVerb.Done())
        }
    }

    private func read<Value: Decodable & Sendable>(
        _ type: Value.Type, _ body: Bytes
    ) throws(MartletError) -> Value {
        try JSONCodec().decode(type, from: body)
    }

    private func whole(_ value: some Encodable) throws(MartletError) -> [Part] {
        [(.last, try JSONCodec().encode(value))]
    }

    /// An array in parts, each an array.
    private func parts(_ elements: [some Encodable]) throws(MartletError) -> [Part] {
        var parts: [Part] = []
        var part: [UInt8] = []
        func end() {
            guard !part.isEmpty else { return }
            parts.append((.part, Bytes(part + [UInt8(ascii: "]")])))
            part = []
        }
        let codec = JSONCodec(byteCountMax: Limits.answerBytesMax - 2)
        for element in elements {
            let bytes: Bytes = try codec.encode(element)
            if part.count + bytes.count > Limits.answerPartBytes { end() }
            part.append(UInt8(ascii: part.isEmpty ? "[" : ","))
            part += bytes.array()
        }
        end()
        parts.append((.last, Bytes(utf8: "[]")))
        return parts
    }

    // MARK: Groups

    /// The groups; what is oldest is looked for on the disk where it is not here.
    func groupReports() async throws(MartletError) -> [GroupReport] {
        var reports = groups.map { GroupReport($0) }
        guard let journal else { return reports }
        for (group, report) in reports.enumerated() {
            for (place, lane) in report.lanes.enumerated()
            where lane.lag > 0 && lane.oldest == nil {
                let (channel, first) = (lane.channel, lane.ledger.firstOpen)
                reports[group].lanes[place].oldest = try await BlockingCall.run {
                    () throws(MartletError) in
                    let stored = try journal.storage.read(channel, from: first, byteCountMax: 1)
                    return try stored.frames.first.flatMap {
                        (frame) throws(MartletError) -> Timestamp? in
                        try Frame(frame.bytes).first { $0.sequence >= first }?.time
                    }
                }
            }
        }
        return reports
    }

    /// Which lanes would move if a worker left.
    func plan(without worker: String, of group: String) throws(MartletError) -> [LaneMove] {
        try state.withLock { (state) throws(MartletError) in
            do throws(Dispatcher.Obstacle) {
                let node = try state.work.worker(worker, of: group)
                let names = Dictionary(
                    state.work.status.first { $0.definition.name == group }?.members.map {
                        ($0.instance.node, $0.name)
                    } ?? [], uniquingKeysWith: { $1 })
                return state.work.plan(without: node, of: group).map { move in
                    LaneMove(
                        channel: move.channel, from: move.from.flatMap { names[$0] },
                        to: move.to.flatMap { names[$0] })
                }
            } catch { throw obstacle(error, group, worker) }
        }
    }

    /// A worker gets nothing more, or is as before.
    func drain(
        _ worker: String, of group: String, _ isDrained: Bool
    ) throws(MartletError) {
        try state.withLock { (state) throws(MartletError) in
            do throws(Dispatcher.Obstacle) {
                let node = try state.work.worker(worker, of: group)
                try state.work.drain(node, of: group, isDrained, at: NodeClock.now)
            } catch { throw obstacle(error, group, worker) }
            carryOutWork(&state)
        }
    }

    /// Forgets a group that has no workers, and its ledgers.
    func remove(_ group: String) async throws(MartletError) {
        try state.withLock { (state) throws(MartletError) in
            do throws(Dispatcher.Obstacle) { try state.work.remove(group) } catch {
                throw obstacle(error, group, "")
            }
        }
        try await journal?.writer.flush()
    }

    private func obstacle(
        _ obstacle: Dispatcher.Obstacle, _ group: String, _ worker: String
    ) -> MartletError {
        switch obstacle {
        case .unknownGroup:
            MartletError(.invalidArgument, "The node knows no group `\(group)`.")
        case .unknownWorker:
            MartletError(
                .invalidArgument,
                "The group `\(group)` has no worker `\(worker)` at this node. Give the name or the "
                    + "id of one that it lists.")
        case .severalWorkers:
            MartletError(
                .invalidArgument,
                "Several workers of the group `\(group)` are called `\(worker)`. Give the id of "
                    + "one.")
        case .hasWorkers:
            MartletError(
                .wrongState,
                "The group `\(group)` has workers, which would begin it anew. Stop them first.")
        }
    }
}
