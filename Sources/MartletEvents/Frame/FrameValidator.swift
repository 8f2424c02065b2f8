/// Goes through a frame once and checks all of it, so that its readers need not.
@safe
struct FrameValidator {
    private let header: FrameHeader
    private let start: UnsafeRawPointer
    private var cursor: ByteCursor
    private(set) var ranges: [SequenceRange] = []
    private(set) var definitions = DefinitionTable()

    /// The bytes must outlive the validator; the header must be theirs.
    @unsafe
    init(_ bytes: Bytes, _ header: FrameHeader) {
        self.header = header
        let buffer = unsafe bytes.withUnsafeMemory { memory, _ in unsafe memory }
        cursor = unsafe ByteCursor(buffer)
        unsafe start = unsafe cursor.position
        unsafe cursor.position += header.bodyOffset
    }

    /// Where the records of the events lie, or what is wrong.
    ///
    /// - Parameter frame: one whose kind of events this frame may have too, and then need not read.
    mutating func validate(like frame: Frame?) throws(MartletError) -> [RecordPlace] {
        if header.isSlice { try readRanges() } else if let frame { adoptDefinition(of: frame) }
        guard header.count > 0 || cursor.left == 0 else {
            throw FrameError.invalid("it is a beat, and has a body")
        }
        // The smallest record has four bytes. Nothing is allocated for more than there can be.
        guard header.count <= cursor.left / 4 else {
            throw FrameError.invalid("its header says more events than it can hold")
        }
        var failure: MartletError?
        let places = unsafe [RecordPlace](unsafeUninitializedCapacity: header.count) {
            buffer, count in
            do throws(MartletError) {
                unsafe try readRecords(into: buffer)
                count = header.count
            } catch { failure = error }
        }
        if let failure { throw failure }
        return places
    }

    /// Passes by the first record if it is, to the byte, the one definition of another frame.
    private mutating func adoptDefinition(of frame: Frame) {
        guard header.count > 0, !frame.header.isSlice, frame.definitions.count == 1,
            frame.channel.stream == header.channel.stream
        else { return }
        var other = unsafe ByteCursor(frame.memory)
        unsafe other.position += frame.header.bodyOffset
        let place = unsafe other.position
        guard let bodyCount = other.length() else { return }
        let byteCount = unsafe other.position - place + bodyCount
        let record = unsafe UnsafeRawBufferPointer(start: place, count: byteCount)
        guard cursor.left >= byteCount,
            unsafe Memory.isEqual(record, .init(start: cursor.position, count: byteCount))
        else { return }
        definitions = frame.definitions
        unsafe cursor.position += byteCount
    }

    private mutating func readRanges() throws(MartletError) {
        guard let rangeCount = cursor.varint(), rangeCount > 0, rangeCount <= UInt64(header.count)
        else { throw FrameError.invalid("it is a slice without sequences") }
        var next = header.firstSequence
        var total: UInt64 = 0
        for place in 0..<rangeCount {
            guard let gap = cursor.varint(), (gap == 0) == (place == 0),
                let length = cursor.varint(), length > 0, length <= UInt64(header.count)
            else { throw FrameError.invalid("the sequences of its slice are not in order") }
            let (start, overflow) = next.addingReportingOverflow(gap)
            let (end, overflow2) = start.addingReportingOverflow(length)
            guard !overflow, !overflow2, end < .max else {
                throw FrameError.invalid("the sequences of its slice are out of range")
            }
            ranges.append(SequenceRange(start: start, end: end, place: Int(total)))
            next = end
            total += length
        }
        guard total == UInt64(header.count) else {
            throw FrameError.invalid("its slice names more or fewer sequences than it has events")
        }
    }

    private mutating func readRecords(
        into places: UnsafeMutableBufferPointer<RecordPlace>
    ) throws(MartletError) {
        var count = 0
        var cursor = cursor
        var numbersBelow = definitions.denseCount
        let expected = places.count
        let earliest = Timestamp.earliest.microseconds - header.baseTime.microseconds
        let latest = Timestamp.latest.microseconds - header.baseTime.microseconds
        let isAmpleTime = earliest < -RecordWord.timeOffsetMax && latest > RecordWord.timeOffsetMax
        while cursor.left > 0 {
            let begin = unsafe cursor.position - start
            if count < expected, isAmpleTime, let head = cursor.commonHead,
                head.definition < numbersBelow
            {
                let end = begin &+ head.lengthByteCount &+ head.length
                var payload = begin &+ head.lengthByteCount &+ head.headByteCount
                if head.hasKey { payload = unsafe plainKeyEnd(payload, end) }
                if payload <= end {
                    unsafe places[count] = RecordPlace(
                        start: begin, payload: payload, end: end)
                    unsafe cursor.position = unsafe start + end
                    count &+= 1
                    continue
                }
            }
            guard let head = cursor.recordHead() else {
                throw FrameError.invalid("a record is malformed")
            }
            if head.flags == RecordFlags.definition {
                try readDefinition(head)
                numbersBelow = definitions.denseCount
                continue
            }
            guard definitions.contains(head.definition) else {
                throw FrameError.invalid("an event names a definition that is not there")
            }
            guard head.timeOffset >= earliest, head.timeOffset <= latest else {
                throw FrameError.invalid("the time of an event is beyond the years 0 to 9999")
            }
            if head.flags != 0 { try readOptionalParts(head) }
            if count < expected {
                let payload = unsafe head.partCursor(before: .max).position - start
                unsafe places[count] = unsafe RecordPlace(
                    start: begin, payload: payload, end: cursor.position - start)
            }
            count &+= 1
        }
        guard count == header.count else {
            throw FrameError.invalid(
                "it holds \(count) events, and its header says \(header.count)")
        }
    }

    /// Where a short key of common characters ends; beyond the end of its record if it is another.
    @unsafe
    @inline(__always)
    private func plainKeyEnd(_ begin: Int, _ end: Int) -> Int {
        guard begin < end else { return .max }
        let count = Int(unsafe start.load(fromByteOffset: begin, as: UInt8.self))
        let isShort = count > 0 && count < 0x80 && count < end - begin
        guard isShort,
            unsafe Text.isPlain(UnsafeRawBufferPointer(start: start + begin + 1, count: count))
        else { return .max }
        return begin + 1 + count
    }

    private mutating func readDefinition(_ head: RecordHead) throws(MartletError) {
        var rest = head.rest
        guard let topicText = rest.text(atMost: Limits.topicBytesMax),
            let contentType = unsafe rest.lengthPrefixed(),
            let type = rest.text(atMost: Limits.identifierBytesMax),
            let schema = rest.text(atMost: Limits.identifierBytesMax),
            let source = rest.text(atMost: Limits.identifierBytesMax), rest.left == 0
        else { throw FrameError.invalid("a definition is malformed") }
        let definition: EventDefinition
        do {
            definition = unsafe try EventDefinition(
                topic: Topic(topicText), contentType: FrameValidator.contentType(contentType),
                type: type.isEmpty ? nil : type, schema: schema.isEmpty ? nil : schema,
                source: source.isEmpty ? nil : source)
        } catch { throw FrameError.invalid("a definition is not allowed: \(error.message)") }
        guard type.isEmpty || !type.utf8.elementsEqual(topicText.utf8) else {
            throw FrameError.invalid("a definition repeats its topic as its type")
        }
        guard definition.stream == header.channel.stream else {
            throw FrameError.invalid("a topic is not one of its stream")
        }
        guard definitions.add(head.definition, definition) else {
            throw FrameError.invalid("the number of a definition is out of order")
        }
    }

    @unsafe
    private static func contentType(
        _ bytes: UnsafeRawBufferPointer
    ) throws(MartletError) -> ContentType? {
        guard bytes.count > 0 else { return nil }
        guard let text = unsafe Text.string(bytes, 0..<bytes.count) else {
            throw FrameError.invalid("a content type is not UTF-8")
        }
        return try ContentType(shared: text)
    }

    private func readOptionalParts(_ head: RecordHead) throws(MartletError) {
        var rest = head.rest
        if head.flags & RecordFlags.key != 0 {
            try FrameValidator.readIdentifier(&rest, "key")
        }
        if head.flags & RecordFlags.id != 0 {
            try FrameValidator.readIdentifier(&rest, "id")
        }
        if head.flags & RecordFlags.attributes != 0 {
            guard let block = unsafe rest.lengthPrefixed(), block.count > 0,
                unsafe AttributeBlock.isValid(block)
            else {
                throw FrameError.invalid("the attributes of an event are malformed")
            }
        }
    }

    private static func readIdentifier(
        _ cursor: inout ByteCursor, _ what: String
    ) throws(MartletError) {
        guard let bytes = unsafe cursor.lengthPrefixed(), bytes.count > 0,
            bytes.count <= Limits.identifierBytesMax, unsafe Text.isAttributeText(bytes)
        else { throw FrameError.invalid("the \(what) of an event is malformed") }
    }
}
