extension Frame: RandomAccessCollection {
    /// 0, where the first event stands.
    public var startIndex: Int { 0 }
    /// One beyond the last event.
    public var endIndex: Int { places.count }

    /// The event at this place, counted from 0; it must be there.
    public subscript(place: Int) -> RecordedEvent {
        RecordedEvent(frame: self, sequence: sequence(at: place), place: places[place])
    }

    /// The events in their order.
    @inlinable
    public func makeIterator() -> Iterator { Iterator(self) }

    /// Walks through the events of a frame.
    @frozen
    public struct Iterator: IteratorProtocol {
        @usableFromInline let frame: Frame
        @usableFromInline var place = 0
        @usableFromInline var sequence: UInt64
        /// Where the numbers in a row end; another range of a slice begins behind it.
        @usableFromInline var rangeEnd: UInt64

        @usableFromInline
        init(_ frame: Frame) {
            self.frame = frame
            sequence = frame.header.firstSequence
            rangeEnd = frame.ranges.first?.end ?? .max
        }

        /// The next event, or nil behind the last.
        @inlinable
        @inline(__always)
        public mutating func next() -> RecordedEvent? {
            guard place < frame.places.count else { return nil }
            if sequence == rangeEnd { (sequence, rangeEnd) = frame.range(at: place) }
            let event = RecordedEvent(
                frame: frame, sequence: sequence, place: frame.places[place])
            place &+= 1
            sequence &+= 1
            return event
        }
    }

    /// The numbers in a row of which the event at this place has one.
    @usableFromInline
    func range(at place: Int) -> (start: UInt64, end: UInt64) {
        let range = ranges[lastRange { $0.place <= place }]
        return (range.start, range.end)
    }

    /// Calls `body` with each event in order. Walking with a `for` loop costs a few nanoseconds
    /// more, since every turn of the loop then owns its event.
    public func forEach(_ body: (RecordedEvent) throws -> Void) rethrows {
        guard !ranges.isEmpty else {
            try forEach(places[...], from: header.firstSequence, body)
            return
        }
        for range in ranges {
            let end = range.place + Int(range.end - range.start)
            try forEach(places[range.place..<end], from: range.start, body)
        }
    }

    @inline(__always)
    private func forEach(
        _ places: ArraySlice<RecordPlace>, from first: UInt64,
        _ body: (RecordedEvent) throws -> Void
    ) rethrows {
        var sequence = first
        for place in places {
            try body(RecordedEvent(frame: self, sequence: sequence, place: place))
            sequence &+= 1
        }
    }

    /// The event with this number, if it is here.
    public func event(numbered sequence: UInt64) -> RecordedEvent? {
        guard sequences.contains(sequence) else { return nil }
        if ranges.isEmpty { return self[Int(sequence - header.firstSequence)] }
        let range = ranges[lastRange { $0.start <= sequence }]
        guard sequence < range.end else { return nil }
        return self[range.place + Int(sequence - range.start)]
    }

    /// How many bytes the record of the event at this place takes.
    package func recordByteCount(at place: Int) -> Int { places[place].end - places[place].start }

    /// How many bytes the records of all events take.
    package var recordByteCount: Int { places.reduce(0) { $0 + ($1.end - $1.start) } }

    /// The number of the event at this place.
    package func sequence(at place: Int) -> UInt64 {
        if ranges.isEmpty { return header.firstSequence &+ UInt64(truncatingIfNeeded: place) }
        let range = ranges[lastRange { $0.place <= place }]
        return range.start + UInt64(place - range.place)
    }

    /// The last range that is so; the first one always is.
    private func lastRange(where isSo: (SequenceRange) -> Bool) -> Int {
        var low = 0
        var high = ranges.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if isSo(ranges[middle]) { low = middle } else { high = middle }
        }
        return low
    }
}
