// What must not compile although every name in it exists. Checked by MisuseTests.

import MartletCore
import MartletSockets

func useAfterClose(_ context: Context) throws {
    let socket = try context.socket(Push.self) // expected-error {{'socket' used after consume}}
    socket.close() // expected-note {{consumed here}}
    try socket.send(Message([1])) // expected-note {{used here}}
}

func sendTwice(_ context: Context) throws {
    let socket = try context.socket(Push.self)
    let message = Message([1]) // expected-error {{'message' consumed more than once}}
    try socket.send(message) // expected-note {{consumed here}}
    try socket.send(message) // expected-note {{consumed again here}}
}

func useAfterGivingToTheLoop(_ context: Context, _ loop: SocketLoop) async throws {
    let socket = try context.socket(Push.self) // expected-error {{'socket' used after consume}}
    // expected-error@+3 {{sending 'socket' risks causing data races}}
    // expected-note@+2 {{passed as a 'sending' parameter}}
    // expected-note@+1 {{consumed here}}
    _ = try await loop.link(over: socket)
    // expected-note@+2 {{used here}}
    // expected-note@+1 {{access can happen concurrently}}
    try socket.send(Message([1]))
}
