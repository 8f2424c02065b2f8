extension Frame {
    /// A frame of those events for which `isWanted` says so: their records byte for byte, under the
    /// sequences that they have here, with the definitions that they need. Nil if it wants none.
    public func slice(where isWanted: (RecordedEvent) throws -> Bool) rethrows -> Frame? {
        var chosen: [RecordedEvent] = []
        for event in self where try isWanted(event) { chosen.append(event) }
        guard !chosen.isEmpty else { return nil }
        return chosen.count == header.count && !header.isSlice ? self : slice(of: chosen)
    }

    /// A frame of these events, which must be some of this one's, in order.
    package func slice(of events: [RecordedEvent]) -> Frame {
        let header = FrameHeader(
            channel: header.channel, epoch: header.epoch, firstSequence: events[0].sequence,
            count: events.count, baseTime: header.baseTime, isSlice: true,
            isDurable: header.isDurable,
            offset: header.offset, bodyOffset: header.offset + FrameHeader.byteCount)
        var buffer = EncodingBuffer(byteCountMax: 2 * Limits.frameBytesMax)
        let memory = unsafe buffer.storage
        do {
            unsafe try memory.pointee.appendZeros(header.bodyOffset)
            unsafe try appendRanges(of: events, to: &memory.pointee)
            unsafe try appendRecords(of: events, to: &memory.pointee)
            unsafe memory.pointee.overwrite(
                at: 0, UnsafeRawBufferPointer(rebasing: self.memory[..<header.offset]))
            unsafe header.write(
                into: UnsafeMutableRawBufferPointer(
                    start: memory.pointee.start, count: memory.pointee.count))
            return try Frame(buffer.takeBytes(), verifyingChecksum: false, isOwnSlice: true)
        } catch {
            // Ranges take less than the records that are left out and those that stay: twice the
            // limit is never reached.
            preconditionFailure("a slice is not a frame: \(error)")
        }
    }

    private func appendRanges(
        of events: [RecordedEvent], to memory: inout EncodingMemory
    ) throws(MartletError) {
        var ranges: [(start: UInt64, end: UInt64)] = []
        for event in events {
            if let last = ranges.last, last.end == event.sequence {
                ranges[ranges.count - 1].end += 1
            } else {
                ranges.append((event.sequence, event.sequence + 1))
            }
        }
        unsafe try memory.appendVarint(UInt64(ranges.count))
        var end = events[0].sequence
        for range in ranges {
            unsafe try memory.appendVarint(range.start - end)
            unsafe try memory.appendVarint(range.end - range.start)
            end = range.end
        }
    }

    private func appendRecords(
        of events: [RecordedEvent], to memory: inout EncodingMemory
    ) throws(MartletError) {
        let wanted = Set(events.map(\.definitionNumber))
        for number in wanted.sorted() {
            let record = try definitions[number].record(numbered: number)
            try record.withBytes { (span) throws(MartletError) in
                unsafe try span.withUnsafeBytes { (bytes) throws(MartletError) in
                    unsafe try memory.append(bytes)
                }
            }
        }
        for event in events { unsafe try memory.append(event.recordBytes) }
    }
}
