// Samples of README.md and Docs/sockets.md. Run it: swift run Sockets

import MartletCore
import MartletSockets

try direct()
try await throughTheLoop()
try encrypted()
try await watched()

func direct() throws {
    // begin direct
    let context = try Context()

    let receiver = try context.socket(Pull.self)
    let endpoint = try receiver.bind(to: "tcp://127.0.0.1:*")

    let sender = try context.socket(Push.self)
    try sender.set(.sendTimeout, to: .seconds(5))
    try sender.connect(to: endpoint)
    try sender.send(Message(Array("hello".utf8)))

    let message = try receiver.receive()
    message.withBytes { span in
        print("received \(span.byteCount) bytes")
    }
    // end direct

    // begin fast
    var batch = Message()
    for number in UInt8(1)...3 { try sender.send(Message([number])) }
    for _ in 1...3 {
        // One message value serves for all: what it held before is released.
        try receiver.receive(into: &batch)
    }
    // end fast

    // begin keep
    var order = Message([1, 2, 3])
    if try !sender.trySend(&order) {
        print("no room; the order is still here, with \(order.count) bytes")
    }
    // end keep

    let other = try context.socket(Pull.self)
    // begin errors
    do {
        try other.bind(to: endpoint)
    } catch {
        switch error.code {
        case .addressInUse:
            print(error.message, error.isRetriable)
            if let failure = error.cause as? SocketFailure {
                print(failure.operation, failure.number, failure.endpoint ?? "")
            }
        default:
            throw error
        }
    }
    // end errors
}

func throughTheLoop() async throws {
    // begin loop
    try await withSocketLoop { loop in
        let orders = try await loop.link(Pull.self)
        let endpoint = try await orders.bind(to: "tcp://127.0.0.1:*")

        let checkout = try await loop.link(Push.self)
        try await checkout.connect(to: endpoint)
        for number in 1...3 {
            try await checkout.send(Multipart(Bytes(utf8: "order \(number)")))
        }

        var received = 0
        for try await order in orders.messages {
            print(String(decoding: order.first.array(), as: UTF8.self))
            received += 1
            if received == 3 { break }
        }
    }
    // end loop
}

func encrypted() throws {
    let context = try Context()
    // begin curve
    let serverKeys = try CurveKeyPair()
    let server = try context.socket(Pull.self)
    try server.useCurve(asServer: serverKeys, lettingIn: .anyWithServerKey)
    let secret = try server.bind(to: "tcp://127.0.0.1:*")

    let client = try context.socket(Push.self)
    try client.useCurve(asClient: CurveKeyPair(), of: serverKeys.publicKey)
    try client.connect(to: secret)
    try client.send(Message([42]))
    print(try server.receive().count)
    // end curve
}

func watched() async throws {
    let context = try Context()
    // begin monitor
    let watched = try context.socket(Pull.self)
    let monitor = try watched.monitor()
    try watched.bind(to: "tcp://127.0.0.1:*")
    for try await event in monitor {
        print(event)
        break
    }
    // end monitor
}
