/// One direction of a connection: pieces of bytes that wait, are damaged and change places. It does
/// no input or output itself, and does the same at every run of a seed.
struct FaultyPipe {
    private struct Piece {
        var bytes: ArraySlice<UInt8>
        let due: Duration
    }

    /// More is not taken until some of it has gone.
    private static let byteCountMax = 1_048_576

    private var pieces: [Piece] = []
    private var random: SimulationGenerator
    private var byteCount = 0
    /// What is held to go behind the next piece.
    private var swapped: Piece?
    /// No more bytes come: its source has ended, or it was cut.
    private(set) var isClosed = false
    /// It was cut.
    private(set) var isCut = false

    init(seed: UInt64) { random = SimulationGenerator(seed: seed) }

    /// Whether it takes more.
    var hasRoom: Bool { !isClosed && byteCount < FaultyPipe.byteCountMax }

    /// A piece that is to go behind the next one goes alone if none comes for so long.
    private static let swapPatience = Duration.milliseconds(50)

    /// Whether everything that came has gone, and nothing more will.
    var isDone: Bool { isClosed && pieces.isEmpty && swapped == nil }

    /// Takes what has come.
    mutating func take(_ bytes: [UInt8], _ faults: NetworkFaults, at now: Duration) {
        guard !isClosed, !bytes.isEmpty else { return }
        var bytes = bytes[...]
        let isCut = happens(faults.cutShare)
        if isCut { bytes = bytes.prefix(random.number(0...bytes.count - 1)) }
        if happens(faults.flippedShare), !bytes.isEmpty {
            bytes[random.number(0...bytes.count - 1)] ^= 1 << UInt8(random.number(0...7))
        }
        let jitter = faults.jitter * Double(random.number(0...1_000)) / 1_000
        // Never before the one before it.
        let due = max(now + faults.delay + jitter, pieces.last?.due ?? .zero)
        add(Piece(bytes: bytes, due: due), isSwapped: happens(faults.swappedShare))
        self.isCut = self.isCut || isCut
        if isCut { close() }
    }

    private mutating func add(_ piece: Piece, isSwapped: Bool) {
        byteCount += piece.bytes.count
        if let held = swapped {
            swapped = nil
            pieces += [piece, Piece(bytes: held.bytes, due: piece.due)]
        } else if isSwapped {
            swapped = Piece(bytes: piece.bytes, due: piece.due + FaultyPipe.swapPatience)
        } else {
            pieces.append(piece)
        }
    }

    /// Its source has ended: what has come still goes.
    mutating func close() {
        isClosed = true
        if let held = swapped { pieces.append(held) }
        swapped = nil
    }

    /// What may go now.
    mutating func ready(at now: Duration) -> ArraySlice<UInt8>? {
        if let held = swapped, held.due <= now {
            swapped = nil
            pieces.append(held)
        }
        return hasReady(at: now) ? pieces.first?.bytes : nil
    }

    /// Whether something waits only for room.
    func hasReady(at now: Duration) -> Bool { pieces.first.map { $0.due <= now } ?? false }

    /// So many bytes of that have gone.
    mutating func sent(_ count: Int) {
        guard !pieces.isEmpty else { return }
        byteCount -= count
        pieces[0].bytes = pieces[0].bytes.dropFirst(count)
        if pieces[0].bytes.isEmpty { pieces.removeFirst() }
    }

    /// When something may go that may not yet.
    func due(after now: Duration) -> Duration? {
        [pieces.first?.due, swapped?.due].compactMap { $0 }.filter { $0 > now }.min()
    }

    private mutating func happens(_ share: Double) -> Bool {
        share > 0 && Double.random(in: 0..<1, using: &random) < share
    }
}
