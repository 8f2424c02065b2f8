/// A subscription to streams of one publisher: the channels of these streams.
///
/// Channels that exist when it first hears of the publisher start where the subscription says.
/// Those that come later start with their first event, since the subscription was in force before.
package struct FanoutReader {
    /// What is to be done.
    package enum Effect: Sendable {
        /// Ask the publisher.
        case fetch(Fetch)
        /// The subscription is in force at the publisher: every later event comes, or is reported.
        case inForce
        /// A channel is being followed: every event from this number on comes, or is reported.
        case started(Channel, Epoch, next: UInt64)
        /// Hand the events of the frame from this number on to the consumer.
        case deliver(Frame, from: UInt64)
        /// So many of the events that were delivered had to be asked for: they were missed, or were
        /// there before.
        case fetched(UInt64)
        /// Tell the consumer of events that are lost.
        case lost(Gap)
        /// The subscription cannot go on.
        case fail(MartletError)
    }

    /// Where a subscription begins.
    package enum Start: Sendable {
        /// At the first events that are kept.
        case first
        /// At the next events to come.
        case now
        /// At the first events of this time or later.
        case time(Timestamp)
        /// Behind these events. Channels that none of them is of begin with the first that is kept.
        case behind([Position])
    }

    /// What is read.
    package let streams: StreamSelection
    private var start: Start
    /// Shared by the channels, of which each may always have one frame.
    private let bufferBytes: Int
    private let heldBytes: Int
    /// What the channels have of them.
    private var buffered = 0
    private var held = 0
    private var channels = ReaderChannels()
    private let requestBase: UInt64
    /// What was delivered before, of nodes that went out of sight and may come back.
    private var resumed: ResumedPositions
    private var publisher: Instance?
    /// How many channels ask for what they miss.
    private var asking = 1
    /// How many channels have not started yet.
    private var starting: Set<Int> = []
    private var isInForce = false

    /// A request's number: the subscription's own 16 bits, 20 for the channel, 28 to count.
    static let readerShift: UInt64 = 48
    private static let channelShift: UInt64 = 28
    private static let channelMask: UInt64 = (1 << 20) - 1

    /// A subscription to streams of a publisher, from some point on.
    ///
    /// - Parameters:
    ///   - number: tells its requests from those of others in the same session.
    ///   - resumed: nodes that it goes on with where it was.
    package init(
        number: UInt16 = 0, to streams: StreamSelection, from start: Start,
        resuming resumed: ResumedPositions = ResumedPositions(),
        bufferBytes: Int = Limits.bufferBytes, heldBytes: Int = Limits.heldBytes
    ) {
        self.streams = streams
        self.start = start
        self.bufferBytes = bufferBytes
        self.heldBytes = heldBytes
        self.resumed = resumed
        requestBase = UInt64(number) << FanoutReader.readerShift
    }

    /// How many bytes of frames are kept or handed out.
    package var byteCount: Int { buffered + held }

    /// Whether a channel had no room for what came: its consumer is slower than its publisher.
    package var isBehind: Bool { channels.reduce(false) { $0 || $1.isBehind } }

    /// Whether it follows channels: those that have had an event beat.
    var expectsBeats: Bool { !channels.order.isEmpty }

    /// The positions of the last events delivered, in the order of the channels.
    package var delivered: [Position] {
        guard let node = publisher?.node else { return [] }
        return channels.order.compactMap { number in
            let place = channels.place(number)
            return channels[number]?.delivered.map {
                Position(
                    channel: Channel(node: node, stream: place.stream, lane: place.lane),
                    epoch: $0.epoch, sequence: $0.sequence)
            }
        }
    }

    /// Frames that came again, and frames of epochs that have ended.
    package var droppedCount: UInt64 {
        channels.reduce(0) { $0 + $1.duplicates + $1.stale }
    }

    /// It begins elsewhere, if it has not begun.
    package mutating func move(to start: Start) { if publisher == nil { self.start = start } }

    /// A session with the publisher has begun.
    package mutating func attached(_ welcome: Welcome, at now: MonotonicTime) -> [Effect] {
        var effects: [Effect] = []
        if let publisher, publisher.node != welcome.instance.node { effects += abandon() }
        publisher = welcome.instance
        asking = max(1, welcome.channels.count { streams.contains($0.stream) })
        for number in channels.order {
            effects += handle(number, .attached(welcome.instance.epoch), at: now)
        }
        for state in welcome.channels where streams.contains(state.stream) {
            let place = ChannelPlace(stream: state.stream, lane: state.lane)
            guard channels.number(of: place) == nil else { continue }
            guard channels.count < Limits.channelsMax else {
                effects.append(.fail(FanoutReader.tooMany))
                break
            }
            let start = beginning(of: state, welcome.instance)
            effects += follow(
                place, welcome.instance, from: start, isDurable: state.durableEpoch != nil, at: now)
        }
        let isFirst = !isInForce
        isInForce = true
        return isFirst && starting.isEmpty ? effects + [.inForce] : effects
    }

    /// The session has gone.
    package mutating func detached(afterGoodbye: Bool, at now: MonotonicTime) {
        for number in channels.order {
            _ = handle(number, .detached(afterGoodbye: afterGoodbye), at: now)
        }
    }

    /// Takes a frame that came over PUB if all that is to be done about it is to deliver it from
    /// its first event.
    package mutating func pass(_ frame: Frame) -> Bool {
        guard streams.contains(frame.channel.stream), frame.channel.node == publisher?.node,
            let number = channels.number(
                of: ChannelPlace(stream: frame.channel.stream, lane: frame.channel.lane))
        else { return false }
        let others = buffered
        let isPassed = channels.update(number) { channel in
            channel.bufferByteCountMax = bufferBytes - (others - channel.bufferedBytes)
            return channel.pass(frame)
        }
        guard isPassed == true else { return false }
        buffered += frame.bytes.count
        return true
    }

    /// A frame of the publisher came over PUB.
    package mutating func receive(published frame: Frame, at now: MonotonicTime) -> [Effect] {
        guard streams.contains(frame.channel.stream), let publisher,
            frame.channel.node == publisher.node
        else { return [] }
        let place = ChannelPlace(stream: frame.channel.stream, lane: frame.channel.lane)
        if let number = channels.number(of: place) {
            return handle(number, .published(frame), at: now)
        }
        // Without a session, nobody knows which epoch is the present one.
        guard isInForce else { return [] }
        guard channels.count < Limits.channelsMax else { return [.fail(FanoutReader.tooMany)] }
        let effects = follow(
            place, publisher,
            from: .behind(
                epoch: frame.header.isDurable ? frame.header.epoch : publisher.epoch, sequence: 0),
            isDurable: frame.header.isDurable, at: now)
        guard let number = channels.number(of: place) else { return effects }
        return effects + handle(number, .published(frame), at: now)
    }

    /// A frame came in answer to a request of this subscription.
    package mutating func receive(
        fetched frame: Frame, request: UInt64, at now: MonotonicTime
    ) -> [Effect] {
        guard let number = number(in: request), frame.channel.node == publisher?.node,
            ChannelPlace(stream: frame.channel.stream, lane: frame.channel.lane)
                == channels.place(number)
        else { return [] }
        return handle(number, .fetched(request: request, frame), at: now)
    }

    /// An answer is complete.
    package mutating func answered(_ end: FetchEnd, at now: MonotonicTime) -> [Effect] {
        number(in: end.request).map { handle($0, .answered(end), at: now) } ?? []
    }

    /// The consumer has taken frames of so many bytes of a channel.
    package mutating func consumed(
        _ byteCount: Int, of channel: Channel, at now: MonotonicTime
    ) -> [Effect] {
        guard channel.node == publisher?.node else { return [] }
        let place = ChannelPlace(stream: channel.stream, lane: channel.lane)
        var effects: [Effect] = []
        if let number = channels.number(of: place) {
            effects = handle(number, .consumed(byteCount: byteCount), at: now)
        }
        // The room is everybody's.
        for number in channels.order where channels[number]?.isBehind == true {
            effects += handle(number, .consumed(byteCount: 0), at: now)
        }
        return effects
    }

    /// How far it has got with a node elsewhere: it goes on there when it meets the node.
    mutating func resume(_ positions: [Position]) { resumed.add(positions) }

    /// Time has passed.
    package mutating func tick(at now: MonotonicTime) -> [Effect] {
        var effects: [Effect] = []
        for number in channels.order { effects += handle(number, .tick, at: now) }
        return effects
    }
}

extension FanoutReader {
    /// Another node answers at the publisher's address, as one does that has no memory of what it
    /// was: what the one before published behind what was delivered is lost, and nobody knows how
    /// much. The new one is followed from its first event.
    private mutating func abandon() -> [Effect] {
        let effects = losses(withEndKnown: false, because: .instanceGone)
        resumed.add(delivered)
        channels.removeAll()
        starting = []
        (buffered, held) = (0, 0)
        return effects
    }

    /// What is lost if the publisher never comes back. With `isKnown` it has said where it ends.
    func losses(withEndKnown isKnown: Bool, because reason: Gap.Reason) -> [Effect] {
        channels.order.compactMap {
            channels[$0]?.loss(withEndKnown: isKnown, because: reason).map(Effect.lost)
        }
    }

    private mutating func follow(
        _ place: ChannelPlace, _ instance: Instance, from start: Fetch.Start, isDurable: Bool,
        at now: MonotonicTime
    ) -> [Effect] {
        let channel = Channel(node: instance.node, stream: place.stream, lane: place.lane)
        let number = channels.follow(place) { number in
            SubscriberChannel(
                channel, from: start, isDurable: isDurable,
                requestsAfter: requestBase | UInt64(number) << FanoutReader.channelShift)
        }
        starting.insert(number)
        return handle(number, .attached(instance.epoch), at: now)
    }

    private static let tooMany = MartletError(
        .resourceExhausted,
        "A subscription follows \(Limits.channelsMax) channels of one publisher at most. Subscribe "
            + "to fewer streams at once.")

    /// Where a channel begins that a WELCOME tells of. The WELCOME says where it stands: a request
    /// would be answered later, perhaps by another start of the publisher.
    private func beginning(
        of state: Welcome.ChannelState, _ instance: Instance
    ) -> Fetch.Start {
        let epoch = state.durableEpoch ?? instance.epoch
        let channel = Channel(node: instance.node, stream: state.stream, lane: state.lane)
        if let position = resumed[channel] {
            return .behind(epoch: position.epoch, sequence: position.sequence)
        }
        guard !isInForce, !resumed.knows(instance.node) else {
            return .behind(epoch: epoch, sequence: 0)
        }
        let first = Fetch.Start.behind(epoch: epoch, sequence: state.first - 1)
        switch start {
        case .first: return first
        case .now: return .behind(epoch: epoch, sequence: state.next - 1)
        case .time(let time): return .time(time)
        case .behind(let positions):
            let position = positions.first { $0.channel == channel }
            return position.map { .behind(epoch: $0.epoch, sequence: $0.sequence) } ?? first
        }
    }

    /// What a channel asks for at once: its share of half of what may wait, or one turn if that is
    /// less.
    private var fetchByteCount: Int {
        let share = bufferBytes / 2 / max(asking, channels.order.count)
        return min(max(share, Limits.fetchBytes), Limits.fetchTurns * Limits.fetchBytes)
    }

    private func number(in request: UInt64) -> Int? {
        let number = request >> FanoutReader.channelShift & FanoutReader.channelMask
        return number < UInt64(channels.count) ? Int(number) : nil
    }

    private mutating func handle(
        _ number: Int, _ input: SubscriberChannel.Input, at now: MonotonicTime
    ) -> [Effect] {
        let (bufferBytes, heldBytes) = (bufferBytes, heldBytes)
        let fetchByteCount = fetchByteCount
        var (buffered, held) = (buffered, held)
        let outcome = channels.update(number) { channel in
            let fetchedBefore = channel.fetched
            buffered -= channel.bufferedBytes
            held -= channel.heldBytes
            channel.bufferByteCountMax = bufferBytes - buffered
            channel.heldByteCountMax = heldBytes - held
            channel.fetchByteCount = fetchByteCount
            let effects = channel.handle(input, at: now)
            buffered += channel.bufferedBytes
            held += channel.heldBytes
            return (effects: effects, fetched: channel.fetched - fetchedBefore)
        }
        (self.buffered, self.held) = (buffered, held)
        guard let node = publisher?.node, let outcome, !outcome.effects.isEmpty else { return [] }
        var result: [Effect] = outcome.fetched > 0 ? [.fetched(outcome.fetched)] : []
        for effect in outcome.effects {
            switch effect {
            case .started(let epoch, let next):
                let place = channels.place(number)
                let channel = Channel(node: node, stream: place.stream, lane: place.lane)
                result.append(.started(channel, epoch, next: next))
                let wasWaiting = starting.remove(number) != nil
                if wasWaiting, starting.isEmpty, isInForce { result.append(.inForce) }
            case .deliver(let frame, let from): result.append(.deliver(frame, from: from))
            case .fetch(let fetch): result.append(.fetch(fetch))
            case .lost(let gap): result.append(.lost(gap))
            case .fail(let error): result.append(.fail(error))
            }
        }
        return result
    }
}
