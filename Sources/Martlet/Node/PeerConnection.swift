internal import MartletDelivery
internal import MartletSockets

/// The sockets to one peer, and the machine that says what they are for. On the loop's thread.
final class PeerConnection {
    /// What has become of it.
    enum State {
        case active
        /// The peer is this node itself.
        case superfluous
        case failed(MartletError)
    }

    /// Why there is such a peer. Those before matter more than those behind.
    enum Origin: Int {
        /// Its address is configured.
        case configured
        /// A name is configured, and its address was found there.
        case named
        /// Another node told of it.
        case learned
    }

    let number: Int
    /// Addresses with numbers, which libzmq need not look up. All are of one node, as far as is
    /// known; one is used until it fails.
    private(set) var endpoints: [Endpoint]
    private var place = 0
    var machine: PublisherPeer
    var state = State.active
    private(set) var welcome: Welcome?
    private(set) var origin: Origin
    /// The endpoint with a host name under which its address was found.
    var foundUnder: Endpoint?
    /// The upper half of the nonces by which the node greets itself; nil for all others.
    private let ownNonces: UInt32?
    private var greetings: UInt32 = 0
    private var service: ZeroMQLink<Dealer>?
    private var data: ZeroMQLink<Sub>?
    private var dataEndpoint: Endpoint?
    /// Streams that are pulled.
    var pulled: [StreamName: ZeroMQLink<Pull>] = [:]
    /// The last frame that was pulled: the next one is probably like it.
    var lastPulled: Frame?
    /// The session was given up: what silenced it may have silenced the data too, and TCP would be
    /// slow to notice.
    private var isDataStale = false
    private var prefixes: Set<Bytes> = []
    /// Ticks since something came over the data socket, and how many make it a dead one.
    private var silentTicks = 0
    private var silentTicksMax = PeerConnection.silentTicksMin

    /// Ticks are counted, not time, so that a process that stood still does not blame the network.
    private static let silentTicksMin = Int(Limits.dataSilence / NodeEngine.tickInterval)
    private static let silentTicksLimit = Int(Limits.dataSilenceMax / NodeEngine.tickInterval)
    /// When a fresh socket is due.
    private var connectsAt: MonotonicTime?
    /// Whether the present socket has led to a session.
    private var hasBegun = false
    /// When there was a session last, or when the peer became known.
    private var lastLive: MonotonicTime

    init(
        _ number: Int, _ endpoint: Endpoint, _ machine: PublisherPeer, from origin: Origin,
        foundUnder name: Endpoint? = nil, at now: MonotonicTime, ownNonces: UInt32? = nil
    ) {
        foundUnder = name
        self.ownNonces = ownNonces
        self.number = number
        endpoints = [endpoint]
        self.machine = machine
        self.origin = origin
        connectsAt = now
        lastLive = now
    }

    /// Whether the node reads its own events here.
    var isOwn: Bool { ownNonces != nil }

    /// The address that is used.
    var endpoint: Endpoint { endpoints[place] }

    var isActive: Bool { if case .active = state { true } else { false } }

    /// Whether it is to be forgotten: nobody has configured it, and it has been away for long.
    func isGone(at now: MonotonicTime, after patience: Duration) -> Bool {
        if machine.isLive { lastLive = now }
        return origin != .configured && now >= lastLive + patience
    }

    // MARK: Addresses

    /// Another connection has turned out to lead to the same node: its addresses are tried when
    /// this one's fails.
    func takeOver(_ other: PeerConnection) {
        endpoints += other.endpoints.filter { !endpoints.contains($0) }
        note(other.origin, foundUnder: other.foundUnder)
    }

    /// Its address is known from elsewhere, too.
    func note(_ other: Origin, foundUnder name: Endpoint?) {
        if other.rawValue < origin.rawValue { origin = other }
        foundUnder = foundUnder ?? name
    }

    /// Its name leads elsewhere by now: what it was comes back there, or another.
    func move(to endpoint: Endpoint, at now: MonotonicTime, on loop: isolated SocketLoop) {
        (endpoints, place) = ([endpoint], 0)
        connectsAt = now
        // Nothing more comes from where it was.
        if let data { loop.abandon(data) }
        data = nil
    }

    /// The addresses that are not used, which are this peer's no more.
    func takeOthers() -> [Endpoint] {
        let used = endpoint
        let others = endpoints.filter { $0 != used }
        (endpoints, place) = ([used], 0)
        return others
    }

    // MARK: Sockets

    /// Takes a fresh socket if one is due.
    func connectIfDue(
        at now: MonotonicTime, on loop: isolated SocketLoop
    ) throws(MartletError) -> [PublisherPeer.Effect] {
        guard isActive, let due = connectsAt, now >= due else { return [] }
        connectsAt = nil
        if let service {
            loop.abandon(service)
            isDataStale = true
            // An address that has led to nothing gives way to the next.
            if !hasBegun { place = (place + 1) % endpoints.count }
        }
        hasBegun = false
        let fresh = try loop.link(Dealer.self)
        service = fresh
        try loop.connect(fresh, to: endpoint)
        return greet(at: now)
    }

    /// Says HELLO, which the publisher answers with where it stands.
    func greet(at now: MonotonicTime) -> [PublisherPeer.Effect] {
        greetings &+= 1
        let nonce =
            ownNonces.map { UInt64($0) << 32 | UInt64(greetings) } ?? .random(in: 1 ... .max)
        return machine.connected(nonce: nonce, at: now)
    }

    /// Says HELLO again if there is a socket: what is read has changed.
    func greetAgain(at now: MonotonicTime) -> [PublisherPeer.Effect] {
        service == nil ? [] : greet(at: now)
    }

    func reconnect(after pause: Duration, at now: MonotonicTime) { connectsAt = now + pause }

    /// When it wants to be looked at, if that is later than at the next tick.
    var deadline: MonotonicTime? { isActive ? connectsAt : nil }

    func isDue(at now: MonotonicTime) -> Bool { deadline.map { now >= $0 } ?? false }

    func send(_ message: Multipart) {
        // What finds no room is lost, and will be asked for again.
        _ = try? service?.offer(message)
    }

    /// A session has begun: the data socket is where the publisher says.
    func began(_ welcome: Welcome, on loop: isolated SocketLoop) throws(MartletError) {
        self.welcome = welcome
        hasBegun = true
        let told = try NodeAddresses.data(told: welcome.dataEndpoint, dialled: endpoint)
        if told != dataEndpoint || data == nil || isDataStale {
            stopPulling(on: loop) { _ in true }
            silentTicksMax = PeerConnection.silentTicksMin
            try connectData(to: told, on: loop)
        } else {
            try subscribe(on: loop)
        }
    }

    private func connectData(
        to endpoint: Endpoint, on loop: isolated SocketLoop
    ) throws(MartletError) {
        isDataStale = false
        silentTicks = 0
        if let data { loop.abandon(data) }
        prefixes = []
        dataEndpoint = endpoint
        let fresh = try loop.link(Sub.self)
        data = fresh
        try subscribe(on: loop)
        try loop.connect(fresh, to: endpoint)
    }

    /// Time has passed. A connection that brings nothing, while the service answers, is taken for
    /// dead: TCP can be slow to notice, and libzmq makes none anew behind one whose bytes were not
    /// ZMTP (decision 0026).
    func watchData(on loop: isolated SocketLoop) throws(MartletError) {
        guard isActive, let dataEndpoint, data != nil, machine.expectsBeats else {
            silentTicks = 0
            return
        }
        silentTicks += 1
        guard silentTicks > silentTicksMax else { return }
        silentTicksMax = min(2 * silentTicksMax, PeerConnection.silentTicksLimit)
        try connectData(to: dataEndpoint, on: loop)
    }

    /// Brings the subscriptions of the data socket in line with what is read.
    func subscribe(on loop: isolated SocketLoop) throws(MartletError) {
        guard let data else { return }
        let wanted = Set(machine.streams.names?.map { Bytes(utf8: "\($0)\u{1F}") } ?? [Bytes()])
        for prefix in wanted.subtracting(prefixes) { try loop.subscribe(data, to: prefix) }
        for prefix in prefixes.subtracting(wanted) { try loop.unsubscribe(data, from: prefix) }
        prefixes = wanted
    }

    func takeMessages() -> [Multipart] { service?.takeReceived() ?? [] }

    func takeFrames() -> [Multipart] {
        let frames = data?.takeReceived() ?? []
        if !frames.isEmpty { (silentTicks, silentTicksMax) = (0, PeerConnection.silentTicksMin) }
        return frames
    }

    /// Gives the sockets up.
    func close(_ state: State, on loop: isolated SocketLoop) {
        self.state = state
        if let service { loop.abandon(service) }
        if let data { loop.abandon(data) }
        stopPulling(on: loop) { _ in true }
        service = nil
        data = nil
        connectsAt = nil
    }
}
