import CZeroMQ
import MartletCore
import Testing

@testable import MartletSockets

/// What the shim takes for granted about the libzmq at hand.
@Suite struct LibraryTests {
    @Test func sizesAreThoseThatMessageReliesOn() throws {
        #expect(MemoryLayout<zmq_msg_t>.size == 64)
        #expect(MemoryLayout<Message>.stride == 64)
        #expect(MemoryLayout<Socket<Push>>.size <= 3 * MemoryLayout<Int>.size)
        // The library's own size, which the header could differ from.
        let context = zmq_ctx_new()
        defer { zmq_ctx_term(context) }
        #expect(zeromq_context_get(context!, ZMQ_MSG_T_SIZE) == 64)
    }

    @Test func theVersionIsOneThatWasTested() {
        let parts = Context.libraryVersion.split(separator: ".").compactMap { Int($0) }
        #expect(parts.count == 3)
        #expect((parts[0], parts[1]) == (4, 3) && parts[2] >= 4)
    }

    /// Hidden in the header, known to the library.
    @Test func theZAPDomainCanBeEnforced() throws {
        let socket = try SocketHandle(.pull, in: Context())
        #expect(socket.set(ZEROMQ_ZAP_ENFORCE_DOMAIN, to: 1) == 0)
        #expect(socket.number(ZEROMQ_ZAP_ENFORCE_DOMAIN) == 1)
    }

    @Test func errnoComesBackAsANegativeResult() throws {
        let socket = try SocketHandle(.pull, in: Context())
        #expect(socket.set(9_999, to: 1) == -EINVAL)
        #expect(zeromq_socket_bind(socket.pointer, "nonsense") == -EINVAL)
        var message = Message()
        #expect(socket.receive(into: &message, flags: ZMQ_DONTWAIT) == -EAGAIN)
    }

    @Test func theWakeUpDescriptorIsReadableOnceSet() throws {
        let signal = try WakeSignal()
        let isReadable = {
            var item = zeromq_wait_item(signal.descriptor)
            return zeromq_wait(&item, 1, 0) == 1
        }
        #expect(!isReadable())
        signal.notify()
        #expect(!isReadable(), "awake: no need to write")
        #expect(!signal.prepareToSleep(), "there is news")
        signal.wake(descriptorIsSet: false)
        #expect(signal.prepareToSleep())
        signal.notify()
        signal.notify()
        #expect(isReadable())
        signal.wake(descriptorIsSet: true)
        #expect(!isReadable())
        #expect(signal.prepareToSleep())
    }

    @Test func durationsAreRoundedAndBounded() {
        #expect(Duration.microseconds(1).milliseconds(rounded: .up) == 1)
        #expect(Duration.zero.milliseconds(rounded: .up) == 0)
        #expect(Duration.seconds(Int64.max).milliseconds(rounded: .up) == Int64(Int32.max))
        #expect(Duration.seconds(Int64.min).milliseconds(rounded: .up) == Int64(Int32.min))
        #expect(Duration.milliseconds(1_500).milliseconds(rounded: .up) == 1_500)
    }
}
