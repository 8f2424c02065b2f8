import MartletCore

/// Finds out what a folder holds: the same way after a clean end, a kill and a power cut.
struct JournalRecovery {
    private let disk: any Disk
    private let open: OpenFiles
    private(set) var findings: [StorageFinding] = []
    /// The number of the group to come, as it was when the journal was closed; nil if it was not.
    private var closedAt: UInt64?

    init(_ disk: any Disk) {
        self.disk = disk
        open = OpenFiles(disk)
    }

    mutating func run(newNode: NodeID) throws(MartletError) -> JournalState {
        let files = try disk.files()
        // One that was being made when everything stopped.
        if files.contains(Journal.newFileName) { try disk.remove(Journal.newFileName) }
        let numbers = files.compactMap { SegmentHead.number(of: $0) }.sorted()
        guard let newest = numbers.last else {
            var state = JournalState(node: newNode)
            state.files = open
            return state
        }
        closedAt = try readEnd(files)
        var older: [Segment] = []
        for number in numbers.dropLast() {
            if let segment = try readOlder(number) { older.append(segment) }
        }
        noteMissing(numbers)
        var state = try readNewest(newest)
        for segment in older where segment.head.node != state.node {
            throw JournalRecovery.foreign(segment.head.number, disk.name)
        }
        // Of another life of the same node: a backup was copied over what was there.
        for segment in older
        where segment.spans.keys.contains(where: { $0 >= state.channels.count }) {
            throw JournalRecovery.foreign(segment.head.number, disk.name)
        }
        // A process that was killed may have named a segment a moment ago: the name must last too.
        try disk.synchronize()
        // From here on the journal may change.
        if files.contains(Journal.closedFileName) { try disk.remove(Journal.closedFileName) }
        state.segments.insert(contentsOf: older, at: 0)
        state.findings = findings
        state.files = open
        return state
    }

    private mutating func note(_ text: String, isLoss: Bool = true) {
        findings.append(StorageFinding(text, isLoss: isLoss))
    }

    private func readEnd(_ files: [String]) throws(MartletError) -> UInt64? {
        guard files.contains(Journal.closedFileName) else { return nil }
        let file = try disk.open(Journal.closedFileName)
        var reader = FieldReader(try file.read(at: 0, count: 16))
        guard let end = reader.number(), let check = reader.number(), check == ~end else {
            return nil
        }
        return end
    }

    private mutating func noteMissing(_ numbers: [UInt64]) {
        for (before, number) in zip(numbers, numbers.dropFirst()) where number != before + 1 {
            note("Segments \(before + 1) to \(number - 1) are missing: what they held is lost.")
        }
    }

    // MARK: Older segments

    /// Nil if nothing in it can be found.
    private mutating func readOlder(_ number: UInt64) throws(MartletError) -> Segment? {
        let file = LazyFile(SegmentHead.fileName(number), of: open)
        guard let head = try head(of: file, number) else {
            note("Segment \(number) is damaged at its beginning: what it held is lost.")
            return nil
        }
        let size = try file.size()
        if let footer = try SegmentFooter(file, size: size, salt: head.salt) {
            return Segment(head, file, footer, byteCount: size)
        }
        let segment = Segment(head, file)
        segment.end = size
        return try rebuild(segment)
    }

    /// Its index is missing or damaged: it is made anew from the groups, which end where the
    /// segment says, or before.
    mutating func rebuild(_ old: Segment) throws(MartletError) -> Segment {
        note("The index of segment \(old.head.number) was made anew.", isLoss: false)
        let segment = Segment(old.head, old.file)
        var scan = SegmentScan(old.file, old.head, size: old.end)
        while let found = try scan.next() {
            var offset = found.framesOffset
            for case .frame(let frame) in found.group.entries {
                segment.add(frame, at: offset)
                offset += frame.byteCount
            }
        }
        note(scan.damagedGroups, in: segment)
        segment.end = scan.offset
        let footer = segment.footer(lastGroup: scan.nextNumber - 1)
        try segment.file.write([footer], at: segment.end)
        try segment.file.resize(to: segment.end + footer.count)
        try segment.file.synchronize()
        segment.complete(byteCount: segment.end + footer.count)
        return segment
    }

    private mutating func note(_ damagedGroups: UInt64, in segment: Segment) {
        guard damagedGroups > 0 else { return }
        note(
            "\(damagedGroups) groups of segment \(segment.head.number) are damaged: what they held "
                + "is lost.")
    }

    private func head(
        of file: any DiskFile, _ number: UInt64
    ) throws(MartletError) -> SegmentHead? {
        switch SegmentHead.read(try file.read(at: 0, count: SegmentHead.byteCount)) {
        case .head(let head): return head.number == number ? head : nil
        case .unknownVersion(let version):
            throw MartletError(
                .failed,
                "Segment \(number) of the journal \(disk.name) has version \(version), which this "
                    + "Martlet does not know. Open it with the version that wrote it.")
        case .none: return nil
        }
    }

    // MARK: The newest segment

    private mutating func readNewest(_ number: UInt64) throws(MartletError) -> JournalState {
        let file = try disk.open(SegmentHead.fileName(number))
        let size = try file.size()
        guard let head = try head(of: file, number) else { throw damaged(number) }
        let segment = Segment(head, file)
        var state = JournalState(node: head.node)
        let footer = try SegmentFooter(file, size: size, salt: head.salt)
        // What lies behind the groups is no group. It may be there in part, and is made again.
        let groupsEnd = footer?.entriesOffset ?? size
        var scan = SegmentScan(file, head, size: groupsEnd)
        guard let first = try scan.next(), first.group.number == head.firstGroup else {
            throw damaged(number)
        }
        var unfit = 0
        take(first, &state, segment, &unfit)
        try walk(&scan, &state, segment, &unfit)
        note(scan.damagedGroups, in: segment)
        if unfit > 0 {
            note("\(unfit) entries behind damaged groups cannot be understood, and are left out.")
        }
        state.nextGroup = scan.nextNumber
        state.segments = [segment]
        segment.byteCount = size
        noteLostEnd(state)
        try cut(segment)
        return state
    }

    private mutating func noteLostEnd(_ state: JournalState) {
        guard let closedAt, closedAt > state.nextGroup else { return }
        note(
            "The last \(closedAt - state.nextGroup) groups are missing, which were there when the "
                + "journal was closed: what they held is lost.")
    }

    /// The last group counts only if it is whole, since nobody can have confirmed one that is not;
    /// but for a journal that was closed behind it.
    private mutating func walk(
        _ scan: inout SegmentScan, _ state: inout JournalState, _ segment: Segment,
        _ unfit: inout Int
    ) throws(MartletError) {
        var last: SegmentScan.Found?
        while let found = try scan.next() {
            if let last { take(last, &state, segment, &unfit) }
            last = found
        }
        guard let last else { return }
        var isThere = closedAt.map { $0 > last.group.number } ?? false
        if !isThere { isThere = try SegmentScan.isWhole(last, in: segment.file) }
        if isThere {
            take(last, &state, segment, &unfit)
        } else {
            note(
                "The last group of segment \(segment.head.number) is not whole, as after a power "
                    + "cut: it was never confirmed, and was taken away.", isLoss: false)
            scan.giveBack(last, at: segment.end)
        }
    }

    private func take(
        _ found: SegmentScan.Found, _ state: inout JournalState, _ segment: Segment,
        _ unfit: inout Int
    ) {
        unfit += state.apply(found.group.entries, framesAt: found.framesOffset, in: segment)
        segment.end = found.end
    }

    /// What stands behind the groups is taken away, so that nothing of it is ever taken for one.
    private func cut(_ segment: Segment) throws(MartletError) {
        if segment.byteCount > segment.end { try segment.file.resize(to: segment.end) }
        // What a process had written that was killed counts from now on: it must last.
        try segment.file.synchronize()
        segment.byteCount = segment.end
    }

    // MARK: Errors

    private func damaged(_ number: UInt64) -> MartletError {
        MartletError(
            .failed,
            "Segment \(number) of the journal \(disk.name), the newest, is damaged where it says "
                + "what the journal holds. Restore the folder from a backup, or begin with an "
                + "empty one.")
    }

    private static func foreign(_ number: UInt64, _ folder: String) -> MartletError {
        MartletError(
            .wrongState,
            "Segment \(number) in \(folder) belongs to another journal: two of them were mixed. "
                + "Restore the folder as a whole from a backup.")
    }
}
