import Foundation
import MartletCore
import MartletSockets
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What goes wrong from outside gives a typed error with advice, and neither traps nor hangs.
@Suite struct FailureTests {
    @Test func anAddressInUse() throws {
        let context = try Context()
        let first = try context.socket(Pull.self)
        let second = try context.socket(Pull.self)
        for place in Place.available where place != .tcp6 {
            let bound = try first.bind(to: place.endpoint())
            defer { removeFile(of: bound) }
            let error = #expect(throws: MartletError.self) { try second.bind(to: bound) }
            #expect(error?.code == .addressInUse)
            #expect(error?.isRetriable == true)
            #expect(error?.message.contains("\(bound)") == true)
            let failure = error?.cause as? SocketFailure
            #expect(failure?.number == EADDRINUSE)
            #expect(failure?.operation == "zmq_bind")
            #expect(failure?.endpoint == "\(bound)")
        }
    }

    /// libzmq alone would unlink the path and leave the first listener deaf.
    @Test func anIPCListenerKeepsItsPathAndADeadOneLosesIt() throws {
        let endpoint = try Place.ipc.endpoint()
        defer { removeFile(of: endpoint) }
        let context = try Context()
        let path = String("\(endpoint)".dropFirst("ipc://".count))
        // What a killed process leaves: a socket file that nobody listens at.
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(result == 0)
        close(descriptor)
        let socket = try context.socket(Pull.self)
        #expect(try socket.bind(to: endpoint) == endpoint)
    }

    @Test func anAddressOfAnotherMachine() throws {
        let socket = try Context().socket(Pull.self)
        let error = #expect(throws: MartletError.self) {
            try socket.bind(to: "tcp://203.0.113.7:5550")
        }
        #expect(error?.code == .addressNotAvailable)
        let interface = #expect(throws: MartletError.self) {
            try socket.bind(to: "tcp://nosuchinterface:5550")
        }
        #expect(interface?.code == .addressNotAvailable)
    }

    @Test func endpointsThatCannotBeConnectedTo() throws {
        let socket = try Context().socket(Push.self)
        let cases: [(Endpoint, String)] = [
            ("tcp://*:5550", "name one peer"), ("tcp://127.0.0.1:*", "Name the port"),
            ("tcp://localhost:5550", "resolved()"), ("ipc://*", "Name the path"),
        ]
        for (endpoint, advice) in cases {
            let error = #expect(throws: MartletError.self) { try socket.connect(to: endpoint) }
            #expect(error?.code == .invalidEndpoint)
            #expect(error?.message.contains(advice) == true, "\(error?.message ?? "")")
        }
    }

    @Test func aPathThatIsNotThere() throws {
        let socket = try Context().socket(Pull.self)
        let error = #expect(throws: MartletError.self) {
            try socket.bind(to: "ipc:///no/such/folder/x.sock")
        }
        #expect(error?.code == .invalidEndpoint)
    }

    /// Root may write anywhere; so another user's process tries.
    @Test(.enabled(if: isRoot(), "becomes another user, which only root can"))
    func aPathThatIsForbidden() async throws {
        await #expect(processExitsWith: .success) {
            setgid(65_534)
            setuid(65_534)
            let socket = try Context().socket(Pull.self)
            let error = #expect(throws: MartletError.self) {
                try socket.bind(to: "ipc:///root-only.sock")
            }
            #expect(error?.code == .permissionDenied)
            #expect(error?.message.contains("may write") == true)
        }
    }

    @Test func nobodyToSendTo() throws {
        let socket = try Context().socket(Push.self)
        try socket.set(.sendTimeout, to: .milliseconds(20))
        let error = #expect(throws: MartletError.self) { try socket.send(Message([1])) }
        #expect(error?.code == .timedOut)
        #expect(error?.isRetriable == true)
        var kept = Message([1, 2, 3])
        #expect(try !socket.trySend(&kept))
        #expect(kept.array() == [1, 2, 3])
        #expect(try !socket.trySend(Multipart(Bytes([1]))))
        #expect(try socket.wait(for: .writable, atMost: .milliseconds(5)).isEmpty)
    }

    @Test func nothingToReceive() throws {
        let socket = try Context().socket(Pull.self)
        try socket.bind(to: "inproc://silent")
        try socket.set(.receiveTimeout, to: .milliseconds(20))
        let error = #expect(throws: MartletError.self) { _ = try socket.receive() }
        #expect(error?.code == .timedOut)
        var message = Message([9])
        #expect(try !socket.tryReceive(into: &message))
        #expect(try socket.tryReceiveMultipart() == nil)
        #expect(try socket.wait(for: .readable, atMost: .zero).isEmpty)
    }

    @Test func aPeerThatARouterDoesNotKnow() throws {
        let socket = try Context().socket(Router.self)
        try socket.bind(to: "inproc://router")
        let error = #expect(throws: MartletError.self) {
            try socket.send(Multipart(Bytes(utf8: "stranger"), Bytes([1])))
        }
        #expect(error?.code == .unreachable)
    }

    @Test func aReplyWithoutARequest() throws {
        let socket = try Context().socket(Rep.self)
        try socket.bind(to: "inproc://reply")
        let error = #expect(throws: MartletError.self) { try socket.send(Message([1])) }
        #expect(error?.code == .wrongState)
    }

    @Test func endpointsThatWereNotBound() throws {
        let socket = try Context().socket(Pull.self)
        #expect(throws: MartletError.self) { try socket.unbind(from: "tcp://127.0.0.1:1") }
        #expect(throws: MartletError.self) { try socket.disconnect(from: "tcp://127.0.0.1:1") }
    }

    @Test(.timeLimit(.minutes(5)))
    func aContextThatIsShutDownWhileOthersWait() throws {
        let context = try Context()
        let socket = try context.socket(Pull.self)
        try socket.bind(to: "inproc://waiting")
        Thread.detachNewThread { context.shutdown() }
        let error = #expect(throws: MartletError.self) { _ = try socket.receive() }
        #expect(error?.code == .closed)
        let polled = #expect(throws: MartletError.self) {
            _ = try socket.wait(for: .readable, atMost: nil)
        }
        #expect(polled?.code == .closed)
        let opened = #expect(throws: MartletError.self) { _ = try context.socket(Push.self) }
        #expect(opened?.code == .closed)
    }

    @Test(.timeLimit(.minutes(5)))
    func aMessageOfTooManyParts() throws {
        let context = try Context()
        let left = try context.socket(Pair.self)
        let right = try context.socket(Pair.self)
        try left.bind(to: "inproc://parts")
        try right.connect(to: "inproc://parts")
        let part = Bytes([1])
        let most = Multipart(
            first: part, rest: Array(repeating: part, count: Limits.messagePartsMax - 1))
        try left.send(most)
        #expect(try right.receiveMultipart() == most)
        let sending = #expect(throws: MartletError.self) {
            try left.send(Multipart(first: part, rest: Array(most)))
        }
        #expect(sending?.code == .messageTooLarge)
        // A peer that knows no limit.
        for _ in 0..<Limits.messagePartsMax + Limits.envelopePartsMax {
            try left.send(Message([1]), more: true)
        }
        try left.send(Message([1]))
        try left.send(Multipart(Bytes([2])))
        let error = #expect(throws: MartletError.self) { try right.receiveMultipart() }
        #expect(error?.code == .messageTooLarge)
        #expect(try right.receiveMultipart() == Multipart(Bytes([2])))
    }

    /// libzmq alone drops the first in silence, and never recovers from the second.
    @Test func aRoutedMessageWithoutItsParts() throws {
        let context = try Context()
        let router = try context.socket(Router.self)
        let stream = try context.socket(Stream.self)
        let name = Bytes(utf8: "peer")
        let refusals: [() throws -> Void] = [
            { try router.send(Multipart(name)) },
            { _ = try router.trySend(Multipart(name)) },
            { try stream.send(Multipart(name)) },
            { try stream.send(Multipart(name, Bytes(), Bytes())) },
        ]
        for refused in refusals {
            let error = #expect(throws: MartletError.self) { try refused() }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test func aFileWhereASocketShouldBe() throws {
        let endpoint = try Place.ipc.endpoint()
        defer { removeFile(of: endpoint) }
        let path = String("\(endpoint)".dropFirst("ipc://".count))
        let file = try #require(fopen(path, "w"))
        fclose(file)
        let socket = try Context().socket(Pull.self)
        let error = #expect(throws: MartletError.self) { try socket.bind(to: endpoint) }
        #expect(error?.code == .invalidEndpoint)
        #expect(access(path, F_OK) == 0, "the file is still there")
    }

    @Test func endpointsThatWouldAbortOrDoNothing() throws {
        let context = try Context()
        let pull = try context.socket(Pull.self)
        #expect(throws: MartletError.self) { try pull.bind(to: "inproc://zeromq.zap.01") }
        let stream = try context.socket(Stream.self)
        #expect(throws: MartletError.self) { try stream.bind(to: "inproc://stream") }
        #expect(throws: MartletError.self) { try stream.connect(to: "ipc:///tmp/stream") }
    }
}
