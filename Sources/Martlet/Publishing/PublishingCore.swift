internal import MartletDelivery
internal import MartletSockets
import Synchronization

/// The publishing half of a node.
///
/// One lock guards one thing: that what has left through the data socket is in the rings, in the
/// same order. The loop takes it, and so does a caller that finds nothing under way, which saves
/// the event the way through the loop's thread. Nobody waits while holding it.
final class PublishingCore: Sendable {
    /// A message of the service socket, and to whom.
    typealias Outgoing = (route: Bytes, message: Multipart)

    struct State: ~Copyable {
        var machine: FanoutPublisher
        /// The groups that work for the streams.
        var work: Dispatcher
        var data: Socket<Pub>?
        /// What is to be told of events that groups have given up.
        var letters: [LetterNews] = []
        /// In the places that their streams have in the machine.
        var streams: [StreamBuffer] = []
        /// What workers are to be told and found no room, in its order.
        var untold: [Outgoing] = []
        /// Producers that wait for what becomes of their events.
        var remote = RemoteWatches()
        /// Streams that go to those who pull, by their places.
        var pushes: [Int: PushOutlet] = [:]
    }

    let instance: Instance
    /// Raised when readers have come or gone.
    let readers = ChangeSignal()
    /// Raised when readers have got on.
    let progress = ChangeSignal()
    let loop: SocketLoop
    let state: Lock<State>
    let buffers = Lock<[StreamName: StreamBuffer]>([:])
    let isClosed = Atomic<Bool>(false)
    private let publishTimeout: Duration
    private let acceptsProducers: Bool
    let acceptsCommands: Bool
    /// What people call the node.
    let name: String
    /// Where durable streams are kept; nil for a node without a journal.
    let journal: NodeJournal?
    /// Where readers and producers are answered.
    let service: ZeroMQLink<Router>
    let pushOutlets: [PushOutlet]
    private let pace = PublishingPace()
    /// Who waits for what groups make of events.
    let outcomes = OutcomeBook<WatchedEvent>()
    /// Who works on dead letters.
    let letterTurn = AsyncTurn()
    /// Whether letters are being read for what was being tried again.
    let isRestoring = Atomic<Bool>(false)
    /// How many questions of others are worked on.
    let inquiryCount = Atomic<Int>(0)

    /// Nothing has left for so long: readers hold the node up.
    private static let stall = Duration.milliseconds(20)
    /// Those who pull are looked at so often while none has room.
    private static let pushPause = Duration.microseconds(200)
    /// Frames that a caller publishes for others before it hands over to the loop.
    private static let directFrames = 4

    init(
        _ instance: Instance, named name: String, data: consuming sending Socket<Pub>,
        at dataEndpoint: String, pushing outlets: [PushOutlet], toldAs pushed: PushedStreams,
        service: ZeroMQLink<Router>, firstSession: UInt64, loop: SocketLoop,
        journal: NodeJournal?, acceptsProducers: Bool, acceptsCommands: Bool,
        publishTimeout: Duration
    ) {
        self.name = name
        self.acceptsCommands = acceptsCommands
        self.instance = instance
        self.publishTimeout = publishTimeout
        self.journal = journal
        self.acceptsProducers = acceptsProducers
        self.loop = loop
        self.service = service
        pushOutlets = outlets
        state = Lock(
            State(
                machine: FanoutPublisher(
                    instance, named: name, dataEndpoint: dataEndpoint, pushed: pushed,
                    firstSession: firstSession),
                work: Dispatcher(
                    instance, isStored: journal != nil, groups: journal?.storage.groups ?? [:],
                    ledgers: journal?.storage.ledgers ?? [:], seed: .random(in: 0 ... .max),
                    at: NodeClock.now),
                data: data))
    }

    // MARK: Streams

    /// The stream's buffer, which is made if there is none.
    func buffer(of definition: StreamDefinition) throws(MartletError) -> StreamBuffer {
        let stored = try storedChannels(of: definition)
        let (buffer, isNew) = try buffers.withLock { (buffers) throws(MartletError) in
            if let known = buffers[definition.name] { return (known, false) }
            guard !isClosed.load(ordering: .relaxed) else { throw Outlet.closedError }
            guard buffers.count < Limits.streamsMax else {
                throw MartletError(
                    .resourceExhausted,
                    "A node publishes \(Limits.streamsMax) streams at most. Use fewer first tokens "
                        + "in your topics.")
            }
            let buffer = StreamBuffer(
                definition, of: instance, stored: stored ?? [], timeout: publishTimeout)
            buffers[definition.name] = buffer
            return (buffer, true)
        }
        guard isNew else { return buffer }
        let place = state.withLock { state in
            let place = state.machine.add(
                definition.name, stored: stored, ringBytes: definition.ringBytes,
                waitingForReaders: definition.whenReadersLag == .wait)
            state.work.add(
                definition.name, partitions: definition.partitioning.partitions,
                isDurable: definition.isDurable, ringBytes: definition.ringBytes,
                in: state.machine, at: NodeClock.now)
            state.streams.append(buffer)
            state.pushes[place] = pushOutlets.first { $0.stream == definition.name }
            precondition(place == state.streams.count - 1)
            return place
        }
        if definition.isDurable { journal?.writer.add(buffer, at: place) }
        // Others may have published in it already.
        loop.notify()
        return buffer
    }

    /// What the journal has of a durable stream; nil for a live one.
    private func storedChannels(
        of definition: StreamDefinition
    ) throws(MartletError) -> [StoredChannel]? {
        guard definition.isDurable else { return nil }
        guard let journal else {
            throw MartletError(
                .wrongState,
                "The stream `\(definition.name)` is durable, and the node has no journal. Start "
                    + "it with `journal:`.")
        }
        return journal.channels(of: definition.name)
    }

    /// The stream's buffer, if it has been defined.
    func buffer(named name: StreamName) -> StreamBuffer? { buffers.withLock { $0[name] } }

    /// Whether everything that was published has left.
    var isIdle: Bool { state.withLock { $0.streams.allSatisfy(\.isDone) } }

    /// Who is there: how many sessions, and how many of them read.
    var presence: (sessions: Int, readers: Int) {
        state.withLock { ($0.machine.sessionCount, $0.machine.readerCount(of: nil)) }
    }

    // MARK: Frames

    /// What publishing has come to.
    enum Published {
        /// Nothing is left that could go.
        case all
        /// There is more that could go at once.
        case some
        /// What is left grows until this moment.
        case until(MonotonicTime)
    }

    /// An event has been appended to a stream where nobody knew of any.
    func tell(_ buffer: StreamBuffer) {
        if let journal, buffer.definition.isDurable { return journal.writer.tell() }
        let now = NodeClock.now
        if now >= pace.openDue, case .all? = publishDirectly(at: now) { return }
        loop.notify()
    }

    /// Nil if somebody else publishes just now.
    private func publishDirectly(at now: MonotonicTime) -> Published? {
        state.withLockIfAvailable { state in
            defer { carryOutWork(&state) }
            return publish(&state, framesMax: PublishingCore.directFrames, at: now)
        }
    }

    /// Publishes what waits, but for streams that wait for their readers. Frames that are full go
    /// at once; others only if none has left for a while, so that under load they grow.
    private func publish(
        _ state: inout State, framesMax: Int, at now: MonotonicTime
    ) -> Published {
        let due = pace.openDue
        var left = framesMax
        var isOpenLeft = false
        defer { if left < framesMax { pace.postpone(after: now) } }
        for index in state.streams.indices {
            let buffer = state.streams[index]
            // What is durable comes by way of the disk.
            guard !buffer.definition.isDurable else { continue }
            // Each of the open frames once: they begin anew while this goes on.
            var open = now >= due ? buffer.openCount : 0
            while !isHeldUp(index, &state, at: now) {
                guard left > 0 else { return .some }
                let taken = buffer.take(openToo: open > 0)
                guard case .frame(let frame, let wasOpen) = taken else {
                    if case .open = taken { isOpenLeft = true }
                    break
                }
                if wasOpen { open -= 1 }
                seal(frame, of: index, &state, at: now)
                left -= 1
            }
        }
        if state.pushes.values.contains(where: \.isBlocked) {
            return .until(now + PublishingCore.pushPause)
        }
        guard isOpenLeft else { return .all }
        return .until(
            max(due, now + .microseconds(Int64(PublishingPace.interval))))
    }

    /// Publishes a frame, and gives it to those who work for its stream.
    func seal(
        _ frame: SealedFrame, of place: Int, _ state: inout State, at now: MonotonicTime
    ) {
        if let push = state.pushes[place] { return push.send(frame) }
        state.machine.seal(frame, of: place, at: now)
        send(frame.bytes, &state)
        guard !state.work.isIdle else { return }
        state.work.sealed(
            frame, of: state.streams[place].definition.name, in: state.machine, at: now)
    }

    /// Whether readers or workers are so far behind that nothing more should be published.
    func isHeldUp(_ place: Int, _ state: inout State, at now: MonotonicTime) -> Bool {
        state.pushes[place]?.isBlocked == true || state.machine.isHeldUp(place, at: now)
            || state.work.isHeldUp(state.streams[place].definition.name)
    }

    /// A PUB socket never waits: for whom there is no room, the message is dropped, and its reader
    /// will ask for it. Only a context that is closing refuses.
    private func send(_ bytes: Bytes, _ state: inout State) {
        _ = try? state.data?.trySend(Multipart(bytes))
    }

    func responses(
        _ decide: (inout FanoutPublisher) -> [FanoutPublisher.Effect]
    ) -> [Outgoing] {
        state.withLock { state in carryOut(decide(&state.machine), &state).messages }
    }

    /// Sends messages from the service socket. What finds no room is lost, and will be asked for
    /// again.
    func send(_ messages: [Outgoing]) { _ = offer(messages) }

    /// How many of the messages found room at the service socket.
    func offer(_ messages: [Outgoing]) -> Int {
        guard !messages.isEmpty else { return 0 }
        let count = try? service.offer(
            messages.map { route, message in
                Multipart(first: route, rest: [message.first] + message.rest)
            })
        // A link that is closed takes nothing, and is not asked again.
        return count ?? messages.count
    }

    // MARK: The loop

    /// Publishes what waits.
    func publishAll(at now: MonotonicTime) -> Published {
        let isClosing = isClosed.load(ordering: .relaxed)
        let (published, isNews) = state.withLock { state in
            let isNews = isClosing && !state.streams.allSatisfy(\.isEmpty)
            tellWorkers([], &state)
            let published = publish(&state, framesMax: Limits.loopBatch, at: now)
            carryOutWork(&state)
            return (state.untold.isEmpty ? published : .some, isNews)
        }
        publishDead()
        // Whoever drains waits for this too.
        if case .all = published, isNews { progress.raise() }
        return published
    }

    /// A message has come to the service socket. What is to be sent there is returned.
    func receive(
        _ message: Multipart, from route: Bytes, answerRoom: Int
    ) -> [Outgoing] {
        watchingReaders { state in
            state.machine.answerRoom = answerRoom
            return state.machine.receive(message, from: route, at: NodeClock.now)
        }
    }

    /// The node greets itself with nonces that have this upper half.
    func expectOwn(nonces: UInt32) { state.withLock { $0.machine.expectOwn(nonces: nonces) } }

    /// Time has passed.
    func tick() -> [Outgoing] {
        let now = NodeClock.now
        for buffer in buffers.withLock({ Array($0.values) }) {
            buffer.room.expire(at: now)
            buffer.receipts?.expire(at: now)
        }
        progress.expire(at: now)
        outcomes.expire(at: now)
        if journal != nil { restoreLettersIfAwaited() }
        return watchingReaders { state in
            let isQuiet = now >= pace.openDue + PublishingCore.stall
            for index in state.streams.indices {
                state.streams[index].setWaiting(isQuiet && isHeldUp(index, &state, at: now))
            }
            state.work.tick(at: now)
            return state.machine.tick(at: now)
        }
    }

    /// Lets the machine decide something, and tells those who wait for readers of what is new.
    private func watchingReaders(
        _ decide: (inout State) -> [FanoutPublisher.Effect]
    ) -> [Outgoing] {
        let (outcome, readersChanged, hasProgress) = state.withLock { state in
            let before = (state.machine.readerChanges, state.machine.progress)
            let effects = decide(&state)
            return (
                carryOut(effects, &state), state.machine.readerChanges != before.0,
                state.machine.progress != before.1
            )
        }
        if readersChanged { readers.raise() }
        if readersChanged || hasProgress || outcome.isNewsOfWork { progress.raise() }
        journal?.reader.ask(outcome.requests)
        for (session, inquiry) in outcome.inquiries { take(inquiry, session: session) }
        return outcome.messages + (outcome.submissions.isEmpty ? [] : take(outcome.submissions))
    }

    /// Hands over what producers ask. What cannot be handed over is answered.
    private func take(
        _ submissions: [ProducerRequest]
    ) -> [Outgoing] {
        let answers: [ProducerAnswer]
        if let journal, acceptsProducers {
            let busy = journal.writer.submit(submissions.filter { $0.tooLarge == nil })
            answers = submissions.compactMap(\.tooLarge) + busy.compactMap(\.busy)
        } else {
            answers = submissions.map(\.refused)
        }
        return responses { machine in answers.flatMap { machine.answered($0) } }
    }

    struct Carried: Sendable {
        var messages: [Outgoing] = []
        var requests: [StoredRequest] = []
        var submissions: [ProducerRequest] = []
        var inquiries: [(session: UInt64, Inquiry)] = []
        var isNewsOfWork = false
    }

    func carryOut(
        _ effects: [FanoutPublisher.Effect], _ state: inout State
    ) -> Carried {
        var outcome = Carried()
        for effect in effects {
            switch effect {
            case .publish(let bytes): send(bytes, &state)
            case .send(let route, let message): outcome.messages.append((route, message))
            case .ask(let request): outcome.requests.append(request)
            case .submit(let request): outcome.submissions.append(request)
            case .worker(let news):
                state.work.handle(news, in: state.machine, at: NodeClock.now)
                outcome.isNewsOfWork = true
            case .pulled(let peer, let report):
                pushOutlets.first { $0.stream == report.stream }?.take(report, from: peer)
                outcome.isNewsOfWork = true
            case .inquire(let session, let inquiry):
                outcome.inquiries.append((session, inquiry))
            }
        }
        carryOutWork(&state)
        return outcome
    }

    /// Another node is known, and newcomers are told of it.
    func add(peer endpoint: String) { state.withLock { $0.machine.add(peer: endpoint) } }

    /// It is not any more.
    func remove(peer endpoint: String) { state.withLock { $0.machine.remove(peer: endpoint) } }
}
