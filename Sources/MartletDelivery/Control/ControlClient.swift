/// Somebody who asks a node about itself: it dials, and asks one thing after the other.
///
/// It decides and does nothing. A question that was under way when a session broke is not asked
/// again: what was to be done may have been done.
package struct ControlClient {
    /// What is to be done.
    package enum Effect: Sendable {
        case send(Multipart)
        /// Take a fresh socket after this time.
        case reconnect(after: Duration)
        /// The node answers.
        case answered(Answer)
        /// The session broke before these were answered.
        case lost(requests: [UInt64])
        /// It makes no sense to try again.
        case fail(MartletError)
    }

    private var session: PeerSession
    /// What waits for a session.
    private var waiting: [Inquiry] = []
    /// What has been asked and not been answered.
    private var asked: [UInt64] = []

    package init(_ instance: Instance, named name: String) {
        session = PeerSession(instance, named: name)
    }

    /// A fresh socket is there.
    package mutating func connected(nonce: UInt64, at now: MonotonicTime) -> [Effect] {
        carryOut(session.handle(.connected(nonce: nonce, reading: StreamSelection([])), at: now))
    }

    /// A message has come.
    package mutating func receive(_ message: Multipart, at now: MonotonicTime) -> [Effect] {
        carryOut(session.handle(.received(SessionMessage(message)), at: now))
    }

    /// Time has passed.
    package mutating func tick(at now: MonotonicTime) -> [Effect] {
        carryOut(session.handle(.tick([]), at: now))
    }

    /// Something is to be asked.
    package mutating func ask(_ inquiry: Inquiry) -> [Effect] {
        waiting.append(inquiry)
        return askWaiting()
    }

    /// Nobody waits for it any more.
    package mutating func forget(_ request: UInt64) {
        waiting.removeAll { $0.request == request }
        asked.removeAll { $0 == request }
    }

    /// What is said before it goes.
    package func close() -> [Effect] {
        guard let live = session.live else { return [] }
        let goodbye = Goodbye(code: .closing, text: "Nothing more is asked.")
        return [.send(SessionMessage.bye(session: live.session, goodbye).multipart)]
    }

    private mutating func askWaiting() -> [Effect] {
        guard let live = session.live else { return [] }
        defer { waiting = [] }
        return waiting.map { inquiry in
            asked.append(inquiry.request)
            return .send(SessionMessage.ask(session: live.session, inquiry).multipart)
        }
    }

    private mutating func carryOut(_ effects: [PeerSession.Effect]) -> [Effect] {
        var result: [Effect] = []
        for effect in effects {
            switch effect {
            case .send(let message): result.append(.send(message.multipart))
            case .began: result += lose() + askWaiting()
            case .forward(.tell(_, let answer)) where asked.contains(answer.request):
                if answer.kind != .part { asked.removeAll { $0 == answer.request } }
                result.append(.answered(answer))
            case .forward, .peers, .echoed: break
            case .reconnect(let pause): result += lose() + [.reconnect(after: pause)]
            case .itself: break
            case .fail(let error): result.append(.fail(error))
            }
        }
        return result
    }

    private mutating func lose() -> [Effect] {
        guard !asked.isEmpty else { return [] }
        defer { asked = [] }
        return [.lost(requests: asked)]
    }
}
