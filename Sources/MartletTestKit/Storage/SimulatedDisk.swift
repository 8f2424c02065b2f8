package import MartletCore
package import MartletJournal
import Synchronization

/// A disk in memory that remembers after a power cut what was synchronized, and of the rest any
/// part; that fails when it is told to; and that is full beyond a size.
package final class SimulatedDisk: Disk {
    /// What a file holds.
    struct Content {
        /// What a power cut leaves in any case.
        private(set) var synchronized: [UInt8] = []
        /// What reading shows.
        private(set) var current: [UInt8] = []
        /// Writes since then, in their order, which a power cut may leave or take.
        private var pending: [(offset: Int, bytes: [UInt8])] = []

        mutating func write(_ bytes: [UInt8], at offset: Int) {
            Content.write(bytes, at: offset, to: &current)
            pending.append((offset, bytes))
        }

        mutating func resize(to size: Int) {
            // A length is synchronized with what was written, and cutting is never half done.
            Content.resize(&current, to: size)
            if synchronized.count > size { Content.resize(&synchronized, to: size) }
            pending.removeAll { $0.offset >= size }
        }

        mutating func synchronize() {
            synchronized = current
            pending = []
        }

        /// The system gives up what it could not write, and shows what is on the disk.
        mutating func forgetUnsynchronized() {
            current = synchronized
            pending = []
        }

        mutating func cutPower(_ random: () -> UInt64) {
            for (offset, bytes) in pending {
                switch random() % 4 {
                case 0: break
                case 1: Content.write(bytes, at: offset, to: &synchronized)
                case 2:
                    let count = Int(random() % UInt64(bytes.count + 1))
                    Content.write(Array(bytes[..<count]), at: offset, to: &synchronized)
                default:
                    // Any of its sectors.
                    for start in stride(from: 0, to: bytes.count, by: 512) where random() % 2 == 0 {
                        let some = bytes[start..<min(start + 512, bytes.count)]
                        Content.write(Array(some), at: offset + start, to: &synchronized)
                    }
                }
            }
            current = synchronized
            pending = []
        }

        mutating func damage(_ change: (inout [UInt8]) -> Void) {
            change(&current)
            synchronize()
        }

        private static func write(_ bytes: [UInt8], at offset: Int, to content: inout [UInt8]) {
            guard !bytes.isEmpty else { return }
            if content.count < offset + bytes.count {
                resize(&content, to: offset + bytes.count)
            }
            content.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        }

        private static func resize(_ content: inout [UInt8], to size: Int) {
            if content.count > size {
                content.removeLast(content.count - size)
            } else {
                content += [UInt8](repeating: 0, count: size - content.count)
            }
        }
    }

    struct State {
        var contents: [Int: Content] = [:]
        var names: [String: Int] = [:]
        /// The names after a power cut.
        var synchronizedNames: [String: Int] = [:]
        var lastContent = 0
        /// Raised when the process ends: files that it had opened can do nothing more.
        var generation = 0
        var operations = 0
        var failsAt: Int?
        var capacity = Int.max
        var isLying = false
    }

    package let name = "simulated"
    private let state = Lock(State())

    /// An empty disk.
    package init() {}

    // MARK: Disk

    package func files() throws(MartletError) -> [String] {
        try operate { (state) throws(MartletError) in state.names.keys.sorted() }
    }

    package func open(_ file: String) throws(MartletError) -> any DiskFile {
        try operate { (state) throws(MartletError) in
            if let known = state.names[file] {
                return SimulatedFile(self, known, state.generation)
            }
            state.lastContent += 1
            state.names[file] = state.lastContent
            state.contents[state.lastContent] = Content()
            return SimulatedFile(self, state.lastContent, state.generation)
        }
    }

    package func remove(_ file: String) throws(MartletError) {
        try operate { (state) throws(MartletError) in state.names[file] = nil }
    }

    package func rename(_ file: String, to other: String) throws(MartletError) {
        try operate { (state) throws(MartletError) in
            state.names[other] = state.names.removeValue(forKey: file)
        }
    }

    package func synchronize() throws(MartletError) {
        try operate { (state) throws(MartletError) in state.synchronizedNames = state.names }
    }

    /// Does something that may fail.
    @discardableResult
    func operate<Result: Sendable>(
        in generation: Int? = nil,
        _ body: (inout State) throws(MartletError) -> Result
    ) throws(MartletError) -> Result {
        try state.withLock { (state) throws(MartletError) in
            guard generation.map({ $0 == state.generation }) ?? true else {
                throw MartletError(.failed, "The process that had opened this has ended.")
            }
            state.operations += 1
            if let failsAt = state.failsAt, state.operations >= failsAt {
                throw MartletError(.failed, "The disk failed, as it was told.")
            }
            return try body(&state)
        }
    }
}

// MARK: - Faults

extension SimulatedDisk {
    /// How many operations there were.
    package var operations: Int { state.withLock { $0.operations } }

    /// The operation of this number fails, and all after it until it is told otherwise.
    package func fail(at operation: Int?) { state.withLock { $0.failsAt = operation } }

    /// Synchronizing does nothing, as with a disk that lies.
    package func ignoreSynchronizing() { state.withLock { $0.isLying = true } }

    /// Writing fails beyond so many bytes.
    package func limit(to byteCount: Int) { state.withLock { $0.capacity = byteCount } }

    /// The process ends, and the system keeps what was written.
    package func killProcess() {
        state.withLock { state in
            state.generation += 1
            state.failsAt = nil
        }
    }

    /// The power fails and comes back: writes that were not synchronized are there, or not, or in
    /// part, as the numbers say.
    package func cutPower(_ random: () -> UInt64) {
        killProcess()
        state.withLock { state in
            state.names = state.synchronizedNames
            for name in state.names.keys.sorted() {
                if let content = state.names[name] {
                    state.contents[content]?.cutPower(random)
                }
            }
        }
    }

    /// Changes a file behind the back of everybody.
    package func damage(_ file: String, _ change: (inout [UInt8]) -> Void) {
        state.withLock { state in
            if let content = state.names[file] { state.contents[content]?.damage(change) }
        }
    }

    /// Takes a file away.
    package func lose(_ file: String) {
        state.withLock { state in
            state.names[file] = nil
            state.synchronizedNames[file] = nil
        }
    }

    /// What a file holds.
    package func content(of file: String) -> [UInt8] {
        state.withLock { state in
            state.names[file].flatMap { state.contents[$0]?.current } ?? []
        }
    }

    /// The names of its files.
    package var names: [String] { state.withLock { $0.names.keys.sorted() } }

    /// A disk with the same files.
    package func copy() -> SimulatedDisk {
        let copy = SimulatedDisk()
        let original = state.withLock { $0 }
        copy.state.withLock { state in
            state.contents = original.contents
            state.names = original.names
            state.synchronizedNames = original.synchronizedNames
            state.lastContent = original.lastContent
        }
        return copy
    }
}

/// A file of such a disk.
final class SimulatedFile: DiskFile {
    private let disk: SimulatedDisk
    private let content: Int
    private let generation: Int

    init(_ disk: SimulatedDisk, _ content: Int, _ generation: Int) {
        self.disk = disk
        self.content = content
        self.generation = generation
    }

    func size() throws(MartletError) -> Int {
        try operate { (content) throws(MartletError) in content.current.count }
    }

    func write(_ pieces: [Bytes], at offset: Int) throws(MartletError) {
        let bytes = pieces.flatMap { $0.array() }
        try disk.operate(in: generation) { (state) throws(MartletError) in
            let before = state.names.values.reduce(0) {
                $0 + (state.contents[$1]?.current.count ?? 0)
            }
            let own = state.contents[content]?.current.count ?? 0
            let room = state.capacity - (before - own) - offset
            state.contents[content]?.write(Array(bytes.prefix(max(0, room))), at: offset)
            guard room >= bytes.count else {
                throw MartletError(.resourceExhausted, "The disk is full, as it was told.")
            }
        }
    }

    func read(at offset: Int, count: Int) throws(MartletError) -> Bytes {
        try operate { (content) throws(MartletError) in
            let start = min(offset, content.current.count)
            return Bytes(Array(content.current[start..<min(start + count, content.current.count)]))
        }
    }

    func resize(to size: Int) throws(MartletError) {
        try operate { (content) throws(MartletError) in content.resize(to: size) }
    }

    func synchronize() throws(MartletError) {
        try disk.operate(in: generation) { (state) throws(MartletError) in
            if !state.isLying { state.contents[content]?.synchronize() }
        }
    }

    func forgetCached() {
        _ = try? disk.operate(in: generation) { (state) throws(MartletError) in
            state.contents[content]?.forgetUnsynchronized()
        }
    }

    private func operate<Result: Sendable>(
        _ body: (inout SimulatedDisk.Content) throws(MartletError) -> Result
    ) throws(MartletError) -> Result {
        try disk.operate(in: generation) { (state) throws(MartletError) in
            guard var own = state.contents[content] else { preconditionFailure("no such file") }
            state.contents[content] = nil
            defer { state.contents[content] = own }
            return try body(&own)
        }
    }
}
