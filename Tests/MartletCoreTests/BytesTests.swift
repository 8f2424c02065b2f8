import MartletCore
import Testing

@Suite struct BytesTests {
    @Test(arguments: [0, 1, 33, 2_048, 1_000_000])
    func holdsWhatItWasGiven(count: Int) {
        let array = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let bytes = Bytes(array)
        #expect(bytes.count == count)
        #expect(bytes.isEmpty == (count == 0))
        #expect(bytes.array() == array)
        #expect(bytes == Bytes(array))
        #expect(bytes.hashValue == Bytes(array).hashValue)
    }

    @Test func differsByLengthAndByContent() {
        #expect(Bytes([1, 2, 3]) != Bytes([1, 2]))
        #expect(Bytes([1, 2, 3]) != Bytes([1, 2, 4]))
        #expect(Bytes() == Bytes([]))
    }

    @Test func keepsItsOwnerAliveAndNoLonger() {
        var keeper: Keeper? = Keeper([1, 2, 3])
        weak let watched = keeper
        var bytes = keeper?.bytes
        keeper = nil
        #expect(watched != nil)
        #expect(bytes?.array() == [1, 2, 3])
        bytes = nil
        #expect(watched == nil)
    }

    @Test func aSliceKeepsTheMemoryAndADetachedCopyDoesNot() {
        var keeper: Keeper? = Keeper([10, 11, 12, 13, 14])
        weak let watched = keeper
        var slice = keeper?.bytes[1..<4]
        keeper = nil
        #expect(slice?.array() == [11, 12, 13])
        #expect(watched != nil)
        let copy = slice?.detached()
        slice = nil
        #expect(watched == nil)
        #expect(copy?.array() == [11, 12, 13])
    }

    @Test func showsNoPayload() {
        #expect("\(Bytes(utf8: "secret"))" == "Bytes(6)")
        #expect("\(Multipart(Bytes(utf8: "secret"), Bytes()))" == "Multipart(6 + 0 bytes)")
    }

    @Test func manyLieInOneStorage() {
        let storage = ByteStorage.make(byteCountMax: 10)
        let first = Bytes([1, 2, 3]).withBytes { storage.append($0) }
        let second = Bytes([4, 5]).withBytes { storage.append($0) }
        #expect(storage.room == 5)
        #expect(first.array() == [1, 2, 3])
        #expect(second.array() == [4, 5])
    }
}

@Suite struct MultipartTests {
    @Test func isACollectionOfItsParts() {
        let message = Multipart(Bytes([1]), Bytes(), Bytes([2, 3]))
        #expect(message.map(\.count) == [1, 0, 2])
        #expect(message.byteCount == 3)
        #expect(message.last?.array() == [2, 3])
        #expect(Multipart(Bytes([7])).count == 1)
        #expect(message == Multipart(first: Bytes([1]), rest: [Bytes(), Bytes([2, 3])]))
    }
}

@Suite struct MartletErrorTests {
    @Test func saysWhatAndWhetherToTryAgain() {
        let error = MartletError(.addressInUse, "Port 5550 is taken.")
        #expect("\(error)" == "addressInUse: Port 5550 is taken.")
        #expect(error.isRetriable)
        #expect(!MartletError(.invalidEndpoint, "").isRetriable)
        #expect(MartletError(.failed, "", isRetriable: true).isRetriable)
        #expect(MartletError.Code("mine") == MartletError.Code("mine"))
    }
}

/// Memory with an owner that can be watched.
private final class Keeper {
    private let memory: UnsafeMutableRawBufferPointer

    init(_ content: [UInt8]) {
        memory = .allocate(byteCount: content.count, alignment: 1)
        memory.copyBytes(from: content)
    }

    deinit { memory.deallocate() }

    var bytes: Bytes { Bytes(unowned: UnsafeRawBufferPointer(memory), keptBy: self) }
}
