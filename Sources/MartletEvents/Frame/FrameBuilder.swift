/// Writes the frames of one channel, one after the other.
///
/// Each event is copied once, or encoded in place. A builder has one owner; put it behind a lock to
/// share it.
public struct FrameBuilder: ~Copyable {
    /// The channel that the frames are of.
    public let channel: Channel
    /// The epoch in which the events are numbered.
    public let epoch: Epoch
    private let isDurable: Bool
    /// The number that the next event gets.
    public var nextSequence: UInt64 { sequence }
    /// How many events the open frame holds.
    public var count: Int { events }

    @usableFromInline var sequence: UInt64
    @usableFromInline var events = 0
    @usableFromInline let target: Int
    private let name: [UInt8]
    @usableFromInline var buffer: EncodingBuffer
    @usableFromInline var baseTime = Timestamp(unchecked: 0)
    /// The kind that leads the open frame, or led the one before.
    private var lead: EventDefinition?
    private var leadRecord = Bytes()
    /// The other kinds of the open frame.
    private var numbers: [EventDefinition: Int] = [:]
    /// How many kinds the open frame names.
    @usableFromInline var kinds = 0
    private var definitionBytes = 0
    /// Whether the frame before was large, so that this one gets its memory at once.
    private var isWarm = false
    /// The room left in front of a record for its length; that of the record before is a good
    /// guess.
    private var lengthByteCount = 1

    /// A builder whose frames aim at so many bytes. An event that is larger gets a frame for
    /// itself. Durable frames are those that their publisher keeps on disk.
    public init(
        channel: Channel, epoch: Epoch, nextSequence: UInt64 = 1,
        frameBytes: Int = Limits.frameBytes, isDurable: Bool = false
    ) {
        precondition(nextSequence > 0 && frameBytes <= Limits.frameBytesTargetMax)
        self.channel = channel
        self.epoch = epoch
        self.isDurable = isDurable
        sequence = nextSequence
        target = frameBytes
        name = FrameHeader.name(stream: channel.stream, lane: channel.lane)
        buffer = EncodingBuffer(byteCountMax: Limits.frameBytesMax)
    }

    /// How many bytes the open frame has so far.
    public var byteCount: Int { buffer.count }

    /// Whether the open frame holds no event.
    public var isEmpty: Bool { count == 0 }

    /// Whether the open frame names a kind of event.
    package var hasKinds: Bool { kinds > 0 }

    /// The number of a kind of event in the open frame, which names it if it has not yet; nil if
    /// the frame must be sealed first. Ask again after sealing.
    public mutating func define(_ definition: EventDefinition) throws(MartletError) -> Int? {
        if lead == definition { return try kinds > 0 ? 0 : defineLead() }
        if let number = numbers[definition] { return number }
        guard definition.stream == channel.stream else {
            throw MartletError(
                .invalidTopic,
                "The topic `\(definition.topic)` is not one of the stream `\(channel.stream)`, "
                    + "which must be its first token.")
        }
        let record = try definition.record(numbered: UInt64(kinds))
        guard kinds > 0 else {
            try write(record)
            (lead, leadRecord) = (definition, record)
            return 0
        }
        guard kinds < Limits.frameDefinitionsMax,
            definitionBytes + record.count <= FrameBuilder.definitionBytesMax,
            isEmpty || buffer.count + record.count < target
        else { return nil }
        try write(record)
        numbers[definition] = kinds - 1
        return kinds - 1
    }

    /// Names the kind again that led the frame before, in a frame that names none yet. Its number
    /// is always 0.
    package mutating func defineLead() throws(MartletError) -> Int? {
        guard lead != nil else { return nil }
        precondition(kinds == 0, "the frame has a kind that leads it")
        try write(leadRecord)
        return 0
    }

    private mutating func write(_ record: Bytes) throws(MartletError) {
        begin()
        try record.withBytes { (span) throws(MartletError) in try buffer.append(span) }
        kinds += 1
        definitionBytes += record.count
    }

    /// Definitions must leave room for the largest event.
    private static let definitionBytesMax = 32 * 1_024

    /// Appends an event and returns its number; nil if the frame must be sealed first to keep to
    /// its size. The definition must be one of the open frame's.
    @inlinable
    public mutating func append(
        _ payload: RawSpan, as definition: Int, at time: Timestamp
    ) throws(MartletError) -> UInt64? {
        guard events > 0, UInt(bitPattern: definition) < UInt(bitPattern: kinds) else {
            return try appendUncommon(payload, as: definition, at: time)
        }
        let offset = Zigzag.encode(time.microseconds &- baseTime.microseconds)
        let byteCount = payload.byteCount
        guard
            let head = RecordWord.compose(
                payload: byteCount, definition: definition, timeOffset: offset)
        else { return try appendUncommon(payload, as: definition, at: time) }
        let size = head.count &+ byteCount
        guard unsafe buffer.storage.pointee.count &+ size <= target else { return nil }
        // The head is written as a whole word, of which the payload overwrites the rest.
        unsafe try buffer.storage.pointee.reserve(size &+ MemoryLayout<UInt64>.size)
        let place = unsafe buffer.storage.pointee.target
        unsafe place.storeBytes(of: head.bytes.littleEndian, as: UInt64.self)
        unsafe payload.withUnsafeBytes { bytes in
            guard let source = bytes.baseAddress else { return }
            unsafe (place + head.count).copyMemory(from: source, byteCount: byteCount)
        }
        unsafe buffer.storage.pointee.count &+= size
        return take()
    }

    /// The first event of a frame, and those that are not common.
    @usableFromInline
    @inline(never)
    mutating func appendUncommon(
        _ payload: RawSpan, as definition: Int, at time: Timestamp
    ) throws(MartletError) -> UInt64? {
        try append(payload, as: definition, at: time, key: nil)
    }

    /// Appends an event that has a key, an id or attributes, in the same way.
    public mutating func append(
        _ payload: RawSpan, as definition: Int, at time: Timestamp, key: String?,
        id: String? = nil, attributes: EventAttributes = EventAttributes()
    ) throws(MartletError) -> UInt64? {
        if let key, id == nil, attributes.isEmpty {
            switch append(payload, as: definition, at: time, key: key) {
            case .appended(let sequence): return sequence
            case .full: return nil
            case .uncommon: break
            }
        }
        return try append(
            as: definition, at: time, key: key, id: id, attributes: attributes
        ) { (buffer) throws(MartletError) in try buffer.append(payload) }
    }

    /// Appends an event whose payload `encode` appends to the frame itself. It must not put another
    /// buffer in the place of the one that it is given.
    public mutating func append(
        as definition: Int, at time: Timestamp, key: String? = nil, id: String? = nil,
        attributes: EventAttributes = EventAttributes(),
        encode: (inout EncodingBuffer) throws(MartletError) -> Void
    ) throws(MartletError) -> UInt64? {
        precondition(
            (0..<kinds).contains(definition), "define the kind of event in this frame first")
        if count == 0 { begin(at: time) }
        let start = buffer.count
        do {
            unsafe try buffer.storage.pointee.appendZeros(lengthByteCount)
            try appendBody(definition, time, key, id, attributes, encode)
            let body = buffer.count - start - lengthByteCount
            guard try hasRoom(for: body, beside: start) else {
                buffer.truncate(to: start)
                return nil
            }
            unsafe try buffer.storage.pointee.setLength(at: start, reserved: lengthByteCount)
            lengthByteCount = Varint.byteCount(UInt64(body))
        } catch {
            buffer.truncate(to: start)
            throw error
        }
        return take()
    }

    /// Appends an event whose payload a codec writes into the frame itself, and names its kind if
    /// that is new here; nil if the frame must be sealed first.
    public mutating func append<Value: Encodable>(
        _ value: Value, with codec: some Codec, of kind: EventDefinition, at time: Timestamp,
        key: String? = nil, id: String? = nil, attributes: EventAttributes = EventAttributes()
    ) throws(MartletError) -> UInt64? {
        guard let definition = try define(kind) else { return nil }
        return try append(as: definition, at: time, key: key, id: id, attributes: attributes) {
            (buffer) throws(MartletError) in
            try codec.encode(value, into: &buffer)
        }
    }

    private mutating func appendBody(
        _ definition: Int, _ time: Timestamp, _ key: String?, _ id: String?,
        _ attributes: EventAttributes, _ encode: (inout EncodingBuffer) throws(MartletError) -> Void
    ) throws(MartletError) {
        let offset = Zigzag.encode(time.microseconds &- baseTime.microseconds)
        let key = key ?? attributes[.partitionKey]?.canonicalText
        let hasAttributes =
            attributes.subject != nil
            || attributes.extensions.contains { $0.name != .partitionKey }
        guard
            attributes.extensions.count - (attributes[.partitionKey] == nil ? 0 : 1)
                <= Limits.attributesMax
        else { throw EventAttributes.tooMany }
        let flags =
            (key == nil ? 0 : RecordFlags.key) | (id == nil ? 0 : RecordFlags.id)
            | (hasAttributes ? RecordFlags.attributes : 0)
        let memory = unsafe buffer.storage
        unsafe try memory.pointee.append(flags)
        unsafe try memory.pointee.appendVarint(UInt64(definition))
        unsafe try memory.pointee.appendVarint(offset)
        if let key { unsafe try memory.pointee.append(identifier: key, named: "partitionkey") }
        if let id { unsafe try memory.pointee.append(identifier: id, named: "id") }
        if hasAttributes {
            let start = buffer.count
            unsafe try AttributeBlock.append(attributes, to: &memory.pointee)
            unsafe try memory.pointee.setLength(at: start, reserved: 0)
        }
        // What lies before is not the encoder's to see or to take back.
        unsafe buffer.storage.pointee.floor = unsafe buffer.storage.pointee.count
        defer { unsafe buffer.storage.pointee.floor = 0 }
        try encode(&buffer)
    }

    /// Ends the frame and begins the next. An empty frame is a beat. Readers refuse a frame without
    /// a checksum, unless they waive it.
    public mutating func seal(withChecksum: Bool = true) -> Bytes {
        end(withChecksum)
        return buffer.takeBytes()
    }

    /// The same; a small frame lies in the arena.
    package mutating func seal(into arena: inout ByteArena) -> Bytes {
        end(true)
        guard buffer.count <= Limits.copiedMessageBytesMax else { return buffer.takeBytes() }
        defer { buffer.removeAll() }
        return buffer.withBytes { arena.copy($0) }
    }

    private mutating func end(_ withChecksum: Bool) {
        begin()
        // A beat has no body; definitions that nobody used are forgotten.
        if count == 0 { buffer.truncate(to: name.count + FrameHeader.byteCount) }
        let header = FrameHeader(
            channel: channel, epoch: epoch, firstSequence: nextSequence - UInt64(count),
            count: count, baseTime: baseTime, isSlice: false, isDurable: isDurable,
            offset: name.count,
            bodyOffset: name.count + FrameHeader.byteCount)
        let memory = unsafe buffer.storage
        unsafe header.write(
            into: UnsafeMutableRawBufferPointer(start: memory.pointee.start, count: buffer.count),
            withChecksum: withChecksum)
        isWarm = buffer.count * 2 >= target
        events = 0
        kinds = 0
        definitionBytes = 0
        if !numbers.isEmpty { numbers.removeAll(keepingCapacity: true) }
        baseTime = Timestamp(unchecked: 0)
    }

    // MARK: Parts

    /// Leaves room for the name and the header.
    private mutating func begin() {
        if buffer.isEmpty { beginFrame() }
    }

    /// The first event gives the frame its time.
    @inline(never)
    private mutating func begin(at time: Timestamp) {
        begin()
        baseTime = time
    }

    private mutating func beginFrame() {
        let memory = unsafe buffer.storage
        let wanted = isWarm ? target + Varint.byteCountMax : 0
        do {
            unsafe try memory.pointee.reserve(max(name.count + FrameHeader.byteCount, wanted))
        } catch { preconditionFailure("no memory for a frame's header") }
        unsafe name.withUnsafeBytes { bytes in
            unsafe UnsafeMutableRawBufferPointer(start: memory.pointee.target, count: bytes.count)
                .copyMemory(from: bytes)
        }
        unsafe memory.pointee.count = name.count + FrameHeader.byteCount
    }

    @inlinable
    @inline(__always)
    mutating func take() -> UInt64 {
        events &+= 1
        sequence &+= 1
        return sequence &- 1
    }

    /// Whether an event of this size goes into the open frame. An event that is too large for any
    /// throws.
    @inline(__always)
    private func hasRoom(for body: Int, beside start: Int? = nil) throws(MartletError) -> Bool {
        guard body <= Limits.eventBytesMax else {
            throw MartletError(
                .messageTooLarge,
                "An event has \(body) bytes with everything, and \(Limits.eventBytesMax) are "
                    + "allowed. Store the payload elsewhere and send a `dataref` that leads there.")
        }
        return count == 0
            || (start ?? buffer.count) + body + Varint.byteCount(UInt64(body)) <= target
    }
}
