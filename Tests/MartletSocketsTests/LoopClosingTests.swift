import MartletCore
import MartletSockets
import Testing

@Suite(.timeLimit(.minutes(5))) struct LoopClosingTests {
    @Test func whatIsQueuedGoesOutFirst() async throws {
        let context = try Context()
        let receiver = try context.socket(Pull.self)
        try receiver.beImpatientReceiving()
        let bound = try receiver.bind(to: "tcp://127.0.0.1:*")
        let count = 2_000
        try await withSocketLoop { loop in
            let sender = try await loop.link(Push.self)
            try await sender.connect(to: bound)
            for number in 0..<count {
                try await sender.send(Multipart(pattern(100, seed: number)))
            }
        }
        for number in 0..<count {
            #expect(try receiver.receiveMultipart() == Multipart(pattern(100, seed: number)))
        }
    }

    /// Nobody is there to take the messages: closing gives up when its time is over.
    @Test func aDrainIsBounded() async throws {
        let loop = try SocketLoop()
        let sender = try await loop.link(Push.self)
        try await sender.connect(to: "tcp://127.0.0.1:1")
        try await sender.send(Multipart(Bytes([1])))
        let start = ContinuousClock.now
        await loop.close(drainingFor: .milliseconds(50))
        #expect(ContinuousClock.now - start >= .milliseconds(50))
        let error = await #expect(throws: MartletError.self) {
            try await sender.send(Multipart(Bytes([2])))
        }
        #expect(error?.code == .closed)
    }

    /// The peer reads nothing, so that libzmq's own queue cannot empty either.
    @Test(arguments: [false, true])
    func aStalledPeerHoldsUpNothing(isMonitored: Bool) async throws {
        let receiver = try Context().socket(Pull.self)
        try receiver.set(.receiveHighWaterMark, to: 1)
        try receiver.set(.receiveBufferBytes, to: 8_192)
        let bound = try receiver.bind(to: "tcp://127.0.0.1:*")
        let loop = try SocketLoop()
        let link = try await loop.link(Push.self)
        if isMonitored { _ = try await link.monitor() }
        try await link.connect(to: bound)
        for _ in 0..<60 { try await link.send(Multipart(pattern(200_000))) }
        // Had the loop to wait for what the link allows, the time limit would end the test.
        await link.close(drainingFor: .seconds(600))
        let start = ContinuousClock.now
        await loop.close(drainingFor: .milliseconds(200))
        #expect(ContinuousClock.now - start >= .milliseconds(200))
    }

    @Test func whatCouldNotGoOutComesBack() async throws {
        let loop = try SocketLoop()
        let sender = try await loop.link(Push.self)
        for number in UInt8(0)..<5 { try await sender.send(Multipart(Bytes([number]))) }
        await sender.close(drainingFor: .milliseconds(10))
        let returned = try await sender.receiveReturned()
        #expect(returned?.map { $0.message.first.array()[0] } == [0, 1, 2, 3, 4])
        #expect(returned?.allSatisfy { $0.error.code == .closed } == true)
        #expect(try await sender.receiveReturned() == nil)
        await loop.close()
    }

    @Test func everythingThatWaitsIsTold() async throws {
        let loop = try SocketLoop()
        let receiver = try await loop.link(Pull.self)
        try await receiver.bind(to: "inproc://waits")
        let sender = try await loop.link(Push.self, messages: 1)
        try await sender.send(Multipart(Bytes([1])))
        let receiving = Task { try await receiver.receive() }
        let sending = Task {
            while true { try await sender.send(Multipart(Bytes([1]))) }
        }
        await loop.close(drainingFor: .milliseconds(10))
        #expect(try await receiving.value == nil)
        #expect(try await sender.receiveReturned()?.isEmpty == false)
        #expect(try await sender.receiveReturned() == nil)
        let error = await #expect(throws: MartletError.self) { try await sending.value }
        #expect(error?.code == .closed)
    }

    @Test func aClosedLoopSaysSo() async throws {
        let loop = try SocketLoop()
        let link = try await loop.link(Pull.self)
        await loop.close()
        await loop.close()
        let refusals: [() async throws -> Void] = [
            { _ = try await loop.link(Push.self) },
            { _ = try await loop.openContext() },
            { try await link.bind(to: "inproc://late") },
            { try await link.connect(to: "inproc://late") },
            { try await link.set(.linger, to: .zero) },
            { try await loop.sleep(until: .now) },
            { _ = try await link.monitor() },
        ]
        for refused in refusals {
            let error = await #expect(throws: MartletError.self) { try await refused() }
            #expect(error?.code == .closed)
        }
        #expect(try await link.receive() == nil)
        await link.close()
    }

    @Test func manyMayCloseAtOnce() async throws {
        for _ in 0..<50 {
            let loop = try SocketLoop()
            let link = try await loop.link(Pull.self)
            try await link.bind(to: "inproc://many")
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { await loop.close() } }
                group.addTask { await link.close() }
            }
        }
    }

    @Test func aContextShutDownUnderItsLoopEndsNothingElse() async throws {
        let context = try Context()
        let loop = try SocketLoop(context: context)
        let link = try await loop.link(Pull.self)
        try await link.bind(to: "inproc://shutdown")
        let receiving = Task { try await link.receive() }
        context.shutdown()
        #expect(try await receiving.value == nil)
        let error = await #expect(throws: MartletError.self) {
            try await link.bind(to: "inproc://shutdown-2")
        }
        #expect(error?.code == .closed)
        #expect(await loop.socketCount == 0)
        // The loop itself goes on, and is closed like any other.
        try await loop.sleep(until: .now)
        await loop.close()
    }

    @Test func aLinkClosesAlone() async throws {
        try await withSocketLoop { loop in
            let first = try await loop.link(Pull.self)
            let second = try await loop.link(Pull.self)
            let bound = try await first.bind(to: "tcp://127.0.0.1:*")
            await first.close()
            #expect(try await first.receive() == nil)
            // The address is free again once libzmq's reaper has been by.
            while true {
                do {
                    try await second.bind(to: bound)
                    break
                } catch let error as MartletError where error.code == .addressInUse {
                    await Task.yield()
                }
            }
        }
    }

    @Test func aForgottenLinkClosesItself() async throws {
        try await withSocketLoop { loop in
            var forgotten: ZeroMQLink<Pull>? = try await loop.link(Pull.self)
            try await forgotten?.bind(to: "inproc://forgotten")
            #expect(await loop.socketCount == 1)
            forgotten = nil
            while await loop.socketCount > 0 { await Task.yield() }
        }
    }
}
