import MartletCore
import MartletJournal
import MartletTestKit
import Testing

/// Files that were changed behind the journal's back: what can be read is what was stored, and what
/// cannot is named.
@Suite(.timeLimit(.minutes(5))) struct DamageTests {
    private static let epoch = Epoch(start: 1, random: 1)

    /// A journal of several segments that was closed, and its frames.
    private static func stored() throws -> (SimulatedDisk, [StoredFrame]) {
        let disk = SimulatedDisk()
        let journal = try Journal(on: disk, configuration)
        var changes = StorageChanges()
        changes.epoch = epoch
        changes.streams = ["orders": 1]
        try journal.commit(changes)
        let channel = Channel(node: journal.node, stream: "orders", lane: 1)
        var series = FrameSeries(channel, epoch)
        var frames: [StoredFrame] = []
        for count in [1, 3, 2, 1, 4, 1, 2, 1, 1] {
            changes = StorageChanges()
            changes.frames = [try series.frame(count)]
            try journal.commit(changes)
            frames += changes.frames
        }
        try journal.close()
        return (disk, frames)
    }

    private static var configuration: Journal.Configuration {
        var configuration = Journal.Configuration()
        configuration.segmentBytes = 500
        return configuration
    }

    /// What of the frames is there; the rest must be named as damaged, or said when it was opened.
    private func read(
        _ disk: SimulatedDisk, _ frames: [StoredFrame], _ what: String
    ) throws -> Int {
        let journal = try Journal(on: disk, Self.configuration)
        let channel = frames[0].channel
        var next = journal.channels.first { $0.channel == channel }?.first ?? 1
        let end = journal.channels.first { $0.channel == channel }?.next ?? 1
        var read: [StoredFrame] = []
        var damaged = 0
        while next < end {
            let events = try journal.read(channel, from: next, byteCountMax: 300)
            read += events.frames
            next = events.frames.last?.sequences.upperBound ?? next
            if let range = events.damaged {
                try #require(range.lowerBound <= next && range.upperBound > next, "\(what)")
                damaged += Int(range.upperBound - next)
                next = range.upperBound
            } else {
                try #require(!events.frames.isEmpty, "\(what)")
            }
        }
        for frame in read { try #require(frames.contains(frame), "\(what)") }
        let all = frames.reduce(0) { $0 + $1.sequences.count }
        let got = read.reduce(0) { $0 + $1.sequences.count }
        try #require(
            got + damaged == all || !journal.findings.isEmpty,
            "\(what): \(got) and \(damaged) of \(all)")
        let found = try journal.check { _ in }.reduce(0) { $0 + $1.sequences.count }
        try #require(found == damaged, "\(what)")
        return got
    }

    /// Every bit of every file.
    @Test func flippedBitsAreNoticed() throws {
        let (disk, frames) = try Self.stored()
        #expect(disk.names.count > 3)
        let all = try read(disk.copy(), frames, "untouched")
        #expect(all == frames.reduce(0) { $0 + $1.sequences.count })
        var refused = 0
        var whole = 0
        for file in disk.names {
            for byte in disk.content(of: file).indices {
                let copy = disk.copy()
                copy.damage(file) { $0[byte] ^= 1 << UInt8(byte % 8) }
                do {
                    if try read(copy, frames, "\(file) at \(byte)") == all { whole += 1 }
                } catch let error as MartletError {
                    #expect(error.message.contains("damaged") || error.message.contains("version"))
                    refused += 1
                }
            }
        }
        // Of the newest segment's beginning, and of zeros that nobody reads.
        #expect(refused > 50 && whole > 0)
    }

    /// Every length of every file.
    @Test func cutFilesAreNoticed() throws {
        let (disk, frames) = try Self.stored()
        for file in disk.names {
            for size in 0..<disk.content(of: file).count {
                let copy = disk.copy()
                copy.damage(file) { $0.removeLast($0.count - size) }
                do { _ = try read(copy, frames, "\(file) cut to \(size)") } catch is MartletError {}
            }
        }
    }

    @Test func lostFilesAreNoticed() throws {
        let (disk, frames) = try Self.stored()
        for file in disk.names.dropLast() {
            let copy = disk.copy()
            copy.lose(file)
            let got = try read(copy, frames, "\(file) lost")
            #expect(got < frames.reduce(0) { $0 + $1.sequences.count })
        }
    }

    /// A damaged group in the middle and a torn one at the end: what is stored after that is there
    /// when the journal is opened again.
    @Test func whatFollowsDamageIsKept() throws {
        let disk = SimulatedDisk()
        let journal = try Journal(on: disk)
        var changes = StorageChanges()
        changes.epoch = Self.epoch
        changes.streams = ["orders": 1]
        try journal.commit(changes)
        let channel = Channel(node: journal.node, stream: "orders", lane: 1)
        var series = FrameSeries(channel, Self.epoch)
        for _ in 0..<3 {
            changes = StorageChanges()
            changes.frames = [try series.frame(1)]
            try journal.commit(changes)
        }
        disk.killProcess()
        let file = disk.names[0]
        let magics = disk.content(of: file).indices.filter {
            $0.isMultiple(of: 8) && disk.content(of: file)[$0...].starts(with: "MGRP".utf8)
        }
        // The group of the second event, and the frame of the third.
        disk.damage(file) { content in
            content[magics[3] + 9] ^= 1
            content[magics[4] + 120] ^= 1
        }
        let opened = try Journal(on: disk)
        let next = try #require(opened.channels.first?.next)
        series = FrameSeries(channel, Self.epoch, next: next)
        changes = StorageChanges()
        changes.frames = [try series.frame(5)]
        try opened.commit(changes)
        disk.killProcess()
        let again = try Journal(on: disk)
        let read = try again.read(channel, from: next, byteCountMax: .max)
        #expect(read.frames == changes.frames)
    }

    /// What could not be read is not written.
    @Test func whatCannotBeReadIsRefused() throws {
        let journal = try Journal(on: SimulatedDisk())
        var changes = StorageChanges()
        changes.cursors = [
            "x": [
                Position(
                    channel: Channel(node: journal.node, stream: "s", lane: 0), epoch: Self.epoch,
                    sequence: .max)
            ]
        ]
        #expect(throws: MartletError.self) { try journal.commit(changes) }
        changes.cursors = [:]
        changes.epoch = Self.epoch
        try journal.commit(changes)
    }

    /// One folder, one owner; a copy is another folder.
    @Test func aFolderHasOneOwner() throws {
        try withFolder { folder in
            let journal = try Journal(at: "\(folder)/a")
            #expect(throws: MartletError.self) { try Journal(at: "\(folder)/a") }
            try journal.close()
            try Journal(at: "\(folder)/a").close()
            try copyFolder("\(folder)/a", to: "\(folder)/b")
            let error = #expect(throws: MartletError.self) { try Journal(at: "\(folder)/b") }
            #expect(error?.message.contains("copy") == true)
            try Journal.adopt("\(folder)/b")
            let adopted = try Journal(at: "\(folder)/b")
            #expect(adopted.node == journal.node)
        }
    }

    /// A later version, or another program's files.
    @Test func otherFilesAreLeftAlone() throws {
        let (disk, frames) = try Self.stored()
        disk.damage(disk.names[0]) { $0[8] = 9 }
        let error = #expect(throws: MartletError.self) { try read(disk, frames, "version") }
        #expect(error?.message.contains("version 9") == true)
        let other = SimulatedDisk()
        _ = try other.open("notes.txt")
        _ = try Journal(on: other)
        #expect(other.names.contains("notes.txt"))
    }
}
