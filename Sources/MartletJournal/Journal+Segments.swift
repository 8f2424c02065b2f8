public import MartletCore
import Synchronization

/// Segments come and go.
extension Journal {
    /// Completes a segment.
    func finish(_ segment: Segment) throws(MartletError) {
        let last = state.withLock { $0.nextGroup - 1 }
        let footer = segment.footer(lastGroup: last)
        try segment.file.write([footer], at: segment.end)
        try segment.file.resize(to: segment.end + footer.count)
        try segment.file.synchronize()
        let files = state.withLock { $0.files }
        state.withLock { state in
            segment.complete(byteCount: segment.end + footer.count)
            // From now on it is opened when it is read.
            guard let files, let place = state.segments.firstIndex(where: { $0 === segment })
            else { return }
            let name = SegmentHead.fileName(segment.head.number)
            state.segments[place] = segment.over(LazyFile(name, of: files))
        }
    }

    /// A segment gets its name when its head and its first groups are on the disk: one that cannot
    /// be read has been damaged.
    func begin() throws(MartletError) {
        let (head, groups) = state.withLock { state in
            let head = SegmentHead(
                node: state.node, number: (state.segments.last?.head.number ?? 0) + 1,
                salt: makeSalt(), firstGroup: state.nextGroup)
            return (head, state.snapshot(salt: head.salt))
        }
        let file = try disk.open(Journal.newFileName)
        try file.resize(to: 0)
        try file.write([head.bytes] + groups, at: 0)
        try file.synchronize()
        try disk.rename(Journal.newFileName, to: SegmentHead.fileName(head.number))
        try disk.synchronize()
        let segment = Segment(head, file)
        segment.end = SegmentHead.byteCount + groups.reduce(0) { $0 + $1.count }
        segment.byteCount = segment.end
        state.withLock { state in
            state.nextGroup += UInt64(groups.count)
            state.segments.append(segment)
        }
    }

    static let newFileName = "new.segment.part"

    /// From which events on channels of a stream would be kept in so many bytes.
    public func firsts(
        of stream: StreamName, keeping byteCount: UInt64
    ) throws(MartletError) -> [Channel: UInt64] {
        try withState { (state) throws(MartletError) in
            state.firsts(of: stream, keeping: byteCount)
        }
    }

    /// Gives back the room of what is kept no more.
    public func shrink() throws(MartletError) {
        try writing.withLock { (_) throws(MartletError) in
            let gone = try withState { (state) throws(MartletError) in state.takeUnneeded() }
            for segment in gone { try disk.remove(SegmentHead.fileName(segment.head.number)) }
            if !gone.isEmpty { try disk.synchronize() }
        }
    }
}
