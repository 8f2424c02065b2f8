// What must not compile although every name in it exists. Checked by MisuseTests.

import MartletCore
import MartletSockets

func useAfterClose(_ context: Context) throws {
    // expected-error@+1 {{'socket' used after consume}}
    let socket = try context.socket(Push.self)
    // expected-note@+1 {{consumed here}}
    socket.close()
    // expected-note@+1 {{used here}}
    try socket.send(Message([1]))
}

func sendTwice(_ context: Context) throws {
    let socket = try context.socket(Push.self)
    // expected-error@+1 {{'message' consumed more than once}}
    let message = Message([1])
    // expected-note@+1 {{consumed here}}
    try socket.send(message)
    // expected-note@+1 {{consumed again here}}
    try socket.send(message)
}

func useAfterGivingToTheLoop(_ context: Context, _ loop: SocketLoop) async throws {
    // expected-error@+1 {{'socket' used after consume}}
    let socket = try context.socket(Push.self)
    // expected-error@+3 {{sending 'socket' risks causing data races}}
    // expected-note@+2 {{passed as a 'sending' parameter}}
    // expected-note@+1 {{consumed here}}
    _ = try await loop.link(over: socket)
    // expected-note@+2 {{used here}}
    // expected-note@+1 {{access can happen concurrently}}
    try socket.send(Message([1]))
}
