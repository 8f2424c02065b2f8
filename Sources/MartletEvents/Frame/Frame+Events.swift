extension Frame: RandomAccessCollection {
    /// 0, where the first event stands.
    public var startIndex: Int { 0 }
    /// One beyond the last event.
    public var endIndex: Int { places.count }

    /// The event at this place, counted from 0; it must be there.
    public subscript(place: Int) -> RecordedEvent {
        RecordedEvent(frame: self, sequence: sequence(at: place), place: places[place])
    }

    /// Calls `body` with each event in order. Walking with a `for` loop costs a few nanoseconds
    /// more, since every turn of the loop then owns its event.
    public func forEach(_ body: (RecordedEvent) throws -> Void) rethrows {
        guard ranges.isEmpty else {
            for place in indices { try body(self[place]) }
            return
        }
        var sequence = header.firstSequence
        for place in places {
            try body(RecordedEvent(frame: self, sequence: sequence, place: place))
            sequence &+= 1
        }
    }

    /// The event with this number, if it is here.
    public func event(numbered sequence: UInt64) -> RecordedEvent? {
        guard sequences.contains(sequence) else { return nil }
        if ranges.isEmpty { return self[Int(sequence - header.firstSequence)] }
        var place = 0
        for range in ranges {
            if sequence < range.start { return nil }
            if sequence < range.end { return self[place + Int(sequence - range.start)] }
            place += Int(range.end - range.start)
        }
        return nil
    }

    private func sequence(at place: Int) -> UInt64 {
        if ranges.isEmpty { return header.firstSequence &+ UInt64(truncatingIfNeeded: place) }
        var left = UInt64(place)
        for range in ranges {
            let length = range.end - range.start
            if left < length { return range.start + left }
            left -= length
        }
        preconditionFailure("no event is at place \(place)")
    }
}
