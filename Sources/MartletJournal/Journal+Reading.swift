public import MartletCore
import MartletEvents
import Synchronization

extension Journal {
    /// Frames from the one that holds an event on.
    public func read(
        _ channel: Channel, from sequence: UInt64, byteCountMax: Int
    ) throws(MartletError) -> StoredEvents {
        let (places, hole) = try withIndexes { () throws(MartletError) in
            let view = try withState { (state) throws(MartletError) in
                state.view(of: channel, from: sequence, byteCountMax: byteCountMax)
            }
            return try view.walk(byteCountMax: byteCountMax)
        }
        var frames: [StoredFrame] = []
        for place in places {
            guard let frame = try place.read(channel) else {
                return StoredEvents(frames, damaged: place.frame.sequences)
            }
            frames.append(frame)
        }
        return StoredEvents(frames, damaged: hole)
    }

    /// The first event of a time or later.
    public func sequence(
        at time: Timestamp, of channel: Channel
    ) throws(MartletError) -> UInt64 {
        let (place, view) = try withIndexes { () throws(MartletError) in
            let view = try withState { (state) throws(MartletError) in
                state.view(of: channel, from: 1, byteCountMax: .max)
            }
            return (try view.first(at: time), view)
        }
        guard let place else { return view.next }
        let found = try place.read(channel)
        // A damaged one is begun with, so that it is named.
        let events = try found.map { (stored) throws(MartletError) in try Frame(stored.bytes) }
        let sequence = events?.first { $0.time >= time }?.sequence
        return max(view.expected, sequence ?? place.frame.sequences.lowerBound)
    }
}

extension Journal {
    /// Tries again, with indexes that are made anew from the groups, where one is damaged.
    private func withIndexes<Result>(
        _ body: () throws(MartletError) -> Result
    ) throws(MartletError) -> Result {
        var rebuilt: Set<UInt64> = []
        while true {
            do throws(MartletError) { return try body() } catch {
                // One that has just been made anew is not the index's fault.
                guard let damaged = error.cause as? DamagedIndex,
                    rebuilt.insert(damaged.segment).inserted
                else { throw error }
                try rebuildIndex(of: damaged.segment)
            }
        }
    }

    private func rebuildIndex(of number: UInt64) throws(MartletError) {
        try writing.withLock { (_) throws(MartletError) in
            let old = try withState { (state) throws(MartletError) in
                state.segments.first { $0.head.number == number }
            }
            guard let old else { return }
            var recovery = JournalRecovery(disk)
            let rebuilt = try recovery.rebuild(old)
            state.withLock { state in
                guard let place = state.segments.firstIndex(where: { $0 === old }) else { return }
                state.segments[place] = rebuilt
                state.findings += recovery.findings
            }
        }
    }
}

/// A frame, and the file that it is in.
struct FramePlace: Sendable {
    let file: any DiskFile
    let frame: PlacedFrame

    /// Nil if it is damaged.
    func read(_ channel: Channel) throws(MartletError) -> StoredFrame? {
        let bytes = try file.read(at: frame.offset, count: frame.byteCount)
        guard bytes.count == frame.byteCount, let header = try? FrameHeader(verifying: bytes),
            header.channel == channel, header.firstSequence == frame.sequences.lowerBound,
            header.count == frame.sequences.count
        else { return nil }
        return StoredFrame(
            channel: channel, epoch: header.epoch, sequences: frame.sequences,
            latest: frame.latest, bytes: bytes)
    }
}

/// A channel as it stood at a moment, from an event on: what is needed to read it without the
/// journal's lock.
struct ChannelView: Sendable {
    let number: Int
    /// Segments that are complete, and change no more.
    let complete: [Segment]
    /// Frames of the newest segment.
    let newest: [FramePlace]
    /// The first event that is wanted and kept.
    let expected: UInt64
    /// The number of the next event to come.
    let next: UInt64
    /// Where what is here ends.
    let end: UInt64

    /// Frames from the first event on, and the hole behind them, if there is one.
    func walk(
        byteCountMax: Int
    ) throws(MartletError) -> (places: [FramePlace], hole: Range<UInt64>?) {
        var walk = Walk(expected: expected, byteCountMax: byteCountMax)
        for segment in complete {
            let expected = walk.expected
            let start = try segment.place(number) { $0.sequences.upperBound > expected }
            for place in start..<(segment.spans[number]?.count ?? 0) {
                let frame = try segment.frame(number, place)
                guard walk.take(FramePlace(file: segment.file, frame: frame)) else {
                    return (walk.places, walk.hole)
                }
            }
        }
        for place in newest where place.frame.sequences.upperBound > walk.expected {
            guard walk.take(place) else { return (walk.places, walk.hole) }
        }
        return (walk.places, walk.expected < end ? walk.expected..<end : nil)
    }

    private struct Walk {
        var expected: UInt64
        let byteCountMax: Int
        var places: [FramePlace] = []
        var hole: Range<UInt64>?
        private var byteCount = 0

        init(expected: UInt64, byteCountMax: Int) {
            self.expected = expected
            self.byteCountMax = byteCountMax
        }

        /// False if the walk ends before this frame.
        mutating func take(_ place: FramePlace) -> Bool {
            let frame = place.frame
            guard frame.sequences.lowerBound <= expected else {
                hole = expected..<frame.sequences.lowerBound
                return false
            }
            guard places.isEmpty || byteCount + frame.byteCount <= byteCountMax else {
                return false
            }
            places.append(place)
            byteCount += frame.byteCount
            expected = frame.sequences.upperBound
            return true
        }
    }

    /// The first frame that counts for a time.
    func first(at time: Timestamp) throws(MartletError) -> FramePlace? {
        for segment in complete where segment.spans[number].map({ $0.latest >= time }) ?? false {
            let place = try segment.place(number) { $0.latest >= time }
            guard place < segment.spans[number]?.count ?? 0 else { continue }
            return FramePlace(file: segment.file, frame: try segment.frame(number, place))
        }
        return newest.first { $0.frame.latest >= time }
    }
}

extension JournalState {
    /// A channel from an event on. Of the newest segment there are frames of so many bytes, or one.
    func view(
        of channel: Channel, from sequence: UInt64, byteCountMax: Int
    ) -> ChannelView {
        guard let number = numbers[channel] else {
            return ChannelView(number: 0, complete: [], newest: [], expected: 1, next: 1, end: 1)
        }
        let expected = max(sequence, channels[number].first)
        let wanted = segments.filter {
            $0.spans[number].map { $0.sequences.upperBound > expected } ?? false
        }
        let active = wanted.last.flatMap { $0.isComplete ? nil : $0 }
        let newest = active?.frames(number, from: expected, byteCountMax: byteCountMax) ?? []
        let isAll =
            newest.last?.frame.sequences.upperBound == active?.spans[number]?.sequences.upperBound
        return ChannelView(
            number: number, complete: wanted.filter(\.isComplete), newest: newest,
            expected: expected, next: channels[number].next,
            end: isAll ? channels[number].next : newest.last?.frame.sequences.upperBound ?? expected
        )
    }
}
