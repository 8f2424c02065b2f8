// What must not compile, each with the error that the compiler must give. Checked by MisuseTests.

import MartletCore
import MartletSockets

func verbsOfOtherRoles(_ context: Context) throws {
    let pub = try context.socket(Pub.self)
    _ = try pub.receive() // expected-error {{requires that 'Pub' conform to 'ReceivingRole'}}
    try pub.subscribe() // expected-error {{requires that 'Pub' conform to 'SubscribingRole'}}

    let push = try context.socket(Push.self)
    _ = try push.receiveMultipart() // expected-error {{requires that 'Push' conform to 'ReceivingRole'}}

    let pull = try context.socket(Pull.self)
    try pull.send(Message([1])) // expected-error {{requires that 'Pull' conform to 'SendingRole'}}
    try pull.subscribe() // expected-error {{requires that 'Pull' conform to 'SubscribingRole'}}

    let sub = try context.socket(Sub.self)
    try sub.send(Multipart(Bytes())) // expected-error {{requires that 'Sub' conform to 'SendingRole'}}
    let xsub = try context.socket(XSub.self)
    try xsub.subscribe() // expected-error {{requires that 'XSub' conform to 'SubscribingRole'}}
}

func optionsOfOtherRoles(_ context: Context) throws {
    let pull = try context.socket(Pull.self)
    try pull.set(.sendHighWaterMark, to: 1) // expected-error {{}}
    try pull.set(.routingID, to: Bytes()) // expected-error {{}}
    let push = try context.socket(Push.self)
    try push.set(.receiveTimeout, to: .zero) // expected-error {{}}
    try push.set(.isLossless, to: true) // expected-error {{}}
    try push.set(.linger, to: 1) // expected-error {{}}
}

func linksOfOtherRoles(_ loop: SocketLoop) async throws {
    let push = try await loop.link(Push.self)
    _ = try await push.receive() // expected-error {{requires that 'Push' conform to 'ReceivingRole'}}
    let pull = try await loop.link(Pull.self)
    try await pull.send(Multipart(Bytes())) // expected-error {{requires that 'Pull' conform to 'SendingRole'}}
    let _: any Link = pull // expected-error {{}}
}

func copies(_ context: Context) throws {
    let shared: any Sendable = try context.socket(Push.self) // expected-error {{}}
    _ = shared
}
