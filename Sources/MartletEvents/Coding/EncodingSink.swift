/// A value that is being encoded: the writer of its format, and how far it has come.
///
/// Containers of `Codable` have no end of their own. One that belongs to a value of its own is
/// closed when that value's `encode(to:)` returns. Those that their user holds beside others, from
/// `nestedContainer` and `superEncoder`, write into a sink of their own, whose bytes are put in
/// their place at the end; until then they may be used in any order.
@safe
final class EncodingSink {
    struct State: ~Copyable {
        /// What is open at each depth.
        var open: InlineArray<34, Open> = .init(repeating: Open())
        /// The depth of the value that is being encoded.
        var depth = 0
        var path = KeyStack()
        var fragments: [(place: Int, sink: EncodingSink)] = []
        var failure: MartletError?
    }

    struct Open {
        enum Kind: UInt8 { case nothing, value, map, array }

        var kind = Kind.nothing
        var place: Int32 = 0
        var count: Int32 = 0
    }

    let writer: ValueWriter
    let state: UnsafeMutablePointer<State>
    let options: CodingOptions
    private let basePath: [any CodingKey]
    private let baseDepth: Int

    /// A sink for a whole value.
    init(_ writer: ValueWriter, _ options: CodingOptions) {
        self.writer = writer
        self.options = options
        basePath = []
        baseDepth = 0
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: State())
    }

    /// A sink for a part that is put in its place at the end.
    private init(partOf parent: EncodingSink, path: [any CodingKey], depth: Int) {
        options = parent.options
        // Room for a beginning at least, even where there is no room for the whole.
        writer = unsafe parent.options.makeWriter(
            max(256, parent.writer.memory.pointee.byteCountMax))
        basePath = path
        baseDepth = depth
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: State())
    }

    deinit {
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    func path(_ depth: Int) -> [any CodingKey] { unsafe basePath + state.pointee.path.keys(depth) }

    // MARK: Arrays and maps

    /// Opens a map or an array for the value at this depth, unless it has one.
    func open(_ kind: Open.Kind, _ depth: Int) throws(MartletError) {
        let open = unsafe state.pointee.open[depth]
        if open.kind == kind { return }
        guard open.kind == .nothing, unsafe depth == state.pointee.depth else {
            throw misuse()
        }
        guard baseDepth + depth < Limits.nestingMax else {
            throw MartletError(
                .notEncodable,
                "The value is nested more than \(Limits.nestingMax) deep. Make it flatter.")
        }
        let place = unsafe writer.memory.pointee.count
        guard let place = Int32(exactly: place) else { throw misuse() }
        unsafe state.pointee.open[depth] = Open(kind: kind, place: place, count: 0)
        try writer.open(isMap: kind == .map)
    }

    /// Ends the value at this depth. One that has written nothing is an empty map.
    func close(_ depth: Int) throws(MartletError) {
        let open = unsafe state.pointee.open[depth]
        switch open.kind {
        case .value: return
        case .nothing:
            try self.open(.map, depth)
            try close(depth)
        case .map, .array:
            let place = Int(open.place)
            let inserted = try writer.close(
                isMap: open.kind == .map, at: place, count: Int(open.count))
            if inserted > 0, unsafe !state.pointee.fragments.isEmpty {
                shift(behind: place, by: inserted)
            }
        }
    }

    private func shift(behind place: Int, by inserted: Int) {
        // They lie in the order of their places.
        for index in unsafe state.pointee.fragments.indices.reversed() {
            guard unsafe state.pointee.fragments[index].place > place else { break }
            unsafe state.pointee.fragments[index].place += inserted
        }
    }

    /// Writes a key of the map at this depth.
    @inline(__always)
    func key(_ key: some CodingKey, _ depth: Int) throws(MartletError) {
        guard unsafe depth == state.pointee.depth, unsafe state.pointee.open[depth].kind == .map
        else {
            throw misuse()
        }
        let isFirst = unsafe state.pointee.open[depth].count == 0
        unsafe state.pointee.open[depth].count &+= 1
        unsafe try key.stringValue.utf8Span.span.withUnsafeBytes { (utf8) throws(MartletError) in
            unsafe try writer.writeKey(utf8, isFirst: isFirst)
        }
    }

    /// Prepares the next value of the array at this depth, and returns its index.
    @inline(__always)
    func element(_ depth: Int) throws(MartletError) -> Int {
        guard unsafe depth == state.pointee.depth, unsafe state.pointee.open[depth].kind == .array
        else {
            throw misuse()
        }
        let index = unsafe Int(state.pointee.open[depth].count)
        unsafe state.pointee.open[depth].count &+= 1
        try writer.separate(isFirst: index == 0)
        return index
    }

    /// Says that the value at this depth is a single one, which comes now.
    func single(_ depth: Int) throws(MartletError) {
        guard unsafe depth == state.pointee.depth, unsafe state.pointee.open[depth].kind == .nothing
        else {
            throw misuse()
        }
        unsafe state.pointee.open[depth].kind = .value
    }

    /// Writes the single value at this depth; if it fails, there is none.
    @inline(__always)
    func single(_ depth: Int, _ write: () throws -> Void) throws {
        let mark = mark(depth)
        try single(depth)
        do { try write() } catch {
            unsafe writer.memory.pointee.count = mark.byteCount
            unsafe writer.memory.pointee.failure = mark.failure
            unsafe state.pointee.open[depth].kind = .nothing
            throw error
        }
    }

    // MARK: Values

    /// Where a value would begin, to return to if it fails.
    struct Mark {
        fileprivate let byteCount: Int
        fileprivate let entries: Int32
        fileprivate let fragments: Int
        fileprivate let failure: MartletError?
    }

    @inline(__always)
    func mark(_ depth: Int) -> Mark {
        unsafe Mark(
            byteCount: writer.memory.pointee.count, entries: state.pointee.open[depth].count,
            fragments: state.pointee.fragments.count, failure: writer.memory.pointee.failure)
    }

    /// Takes back what has been written since: a type may catch the failure of a value and go on.
    func restore(_ mark: Mark, _ depth: Int, _ key: any CodingKey) {
        // Codable's own errors name this path, and those of writers are told it.
        if unsafe state.pointee.depth == depth { unsafe state.pointee.path.set(depth, key) }
        unsafe writer.memory.pointee.count = mark.byteCount
        unsafe writer.memory.pointee.failure = mark.failure
        unsafe state.pointee.open[depth].count = mark.entries
        unsafe state.pointee.fragments.removeSubrange(mark.fragments...)
        unsafe state.pointee.depth = depth
    }

    /// Encodes a value under a key of the container at this depth.
    func encode<T: Encodable>(
        _ value: T, under key: any CodingKey, _ depth: Int, _ mark: Mark
    ) throws {
        do {
            if try encodeKnown(value) { return }
            unsafe state.pointee.path.set(depth, key)
            try encodeNested(value, depth &+ 1)
        } catch {
            restore(mark, depth, key)
            throw error
        }
    }

    /// Writes a number under a key of the container at this depth.
    @inline(__always)
    func encode(
        under key: @autoclosure () -> any CodingKey, _ depth: Int, _ mark: Mark,
        _ write: (ValueWriter) throws(MartletError) -> Void
    ) throws(MartletError) {
        do throws(MartletError) { try write(writer) } catch {
            restore(mark, depth, key())
            throw error
        }
    }

    /// Encodes a value that says itself what it consists of, at a depth that is free.
    func encodeNested<T: Encodable>(_ value: T, _ depth: Int) throws {
        guard baseDepth + depth <= Limits.nestingMax else {
            throw MartletError(
                .notEncodable,
                "The value is nested more than \(Limits.nestingMax) deep. Make it flatter.")
        }
        let outer = unsafe state.pointee.depth
        unsafe state.pointee.depth = depth
        unsafe state.pointee.open[depth] = Open()
        try value.encode(to: ValueEncoder(self, depth))
        try close(depth)
        unsafe state.pointee.depth = outer
    }

    /// A sink for a part of this value whose place is here.
    func fragment(under key: any CodingKey, _ depth: Int) -> EncodingSink {
        let part = EncodingSink(
            partOf: self, path: path(depth) + [key], depth: baseDepth + depth + 1)
        unsafe state.pointee.fragments.append((writer.memory.pointee.count, part))
        return part
    }

    /// A sink whose bytes go nowhere, for a container that cannot be given; the value then fails.
    func refused(_ error: MartletError, _ depth: Int) -> EncodingSink {
        if unsafe state.pointee.failure == nil { unsafe state.pointee.failure = error }
        return EncodingSink(partOf: self, path: path(depth), depth: 0)
    }

    /// Puts the parts in their places.
    func finish() throws(MartletError) {
        if let failure = unsafe state.pointee.failure ?? writer.memory.pointee.failure {
            throw failure
        }
        guard unsafe !state.pointee.fragments.isEmpty else { return }
        let fragments = unsafe state.pointee.fragments
        unsafe state.pointee.fragments = []
        let beginning = fragments[0].place
        let rest = unsafe Array(writer.memory.pointee.written[beginning...])
        unsafe writer.memory.pointee.count = beginning
        var copied = 0
        for (place, part) in fragments {
            try append(rest[copied..<place - beginning])
            copied = place - beginning
            try part.close(0)
            try part.finish()
            part.end()
            unsafe try writer.memory.pointee.append(part.writer.memory.pointee.written)
        }
        try append(rest[copied...])
    }

    private func append(_ bytes: ArraySlice<UInt8>) throws(MartletError) {
        unsafe try bytes.span.withUnsafeBytes { (bytes) throws(MartletError) in
            unsafe try writer.memory.pointee.append(bytes)
        }
    }

    /// From now on, containers that somebody kept refuse to write.
    func end() { unsafe state.pointee.depth = -1 }

    func misuse() -> MartletError {
        MartletError(
            .notEncodable,
            "A type wrote to a container that had ended, or asked for two kinds of container. "
                + "Mend its `encode(to:)`.")
    }
}
