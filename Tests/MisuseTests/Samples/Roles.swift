// What must not compile, each with the error that the compiler must give. Checked by MisuseTests.

import MartletCore
import MartletSockets

func verbsOfOtherRoles(_ context: Context) throws {
    let pub = try context.socket(Pub.self)
    // expected-error@+1 {{requires that 'Pub' conform to 'ReceivingRole'}}
    _ = try pub.receive()
    // expected-error@+1 {{requires that 'Pub' conform to 'SubscribingRole'}}
    try pub.subscribe()

    let push = try context.socket(Push.self)
    // expected-error@+1 {{requires that 'Push' conform to 'ReceivingRole'}}
    _ = try push.receiveMultipart()

    let pull = try context.socket(Pull.self)
    // expected-error@+1 {{requires that 'Pull' conform to 'SendingRole'}}
    try pull.send(Message([1]))
    // expected-error@+1 {{requires that 'Pull' conform to 'SubscribingRole'}}
    try pull.subscribe()

    let sub = try context.socket(Sub.self)
    // expected-error@+1 {{requires that 'Sub' conform to 'SendingRole'}}
    try sub.send(Multipart(Bytes()))
    let xsub = try context.socket(XSub.self)
    // expected-error@+1 {{requires that 'XSub' conform to 'SubscribingRole'}}
    try xsub.subscribe()
}

func optionsOfOtherRoles(_ context: Context) throws {
    let pull = try context.socket(Pull.self)
    // expected-error@+1 {{}}
    try pull.set(.sendHighWaterMark, to: 1)
    // expected-error@+1 {{}}
    try pull.set(.routingID, to: Bytes())
    let push = try context.socket(Push.self)
    // expected-error@+1 {{}}
    try push.set(.receiveTimeout, to: .zero)
    // expected-error@+1 {{}}
    try push.set(.isLossless, to: true)
    // expected-error@+1 {{}}
    try push.set(.linger, to: 1)
}

func linksOfOtherRoles(_ loop: SocketLoop) async throws {
    let push = try await loop.link(Push.self)
    // expected-error@+1 {{requires that 'Push' conform to 'ReceivingRole'}}
    _ = try await push.receive()
    let pull = try await loop.link(Pull.self)
    // expected-error@+1 {{requires that 'Pull' conform to 'SendingRole'}}
    try await pull.send(Multipart(Bytes()))
    // expected-error@+1 {{}}
    let _: any Link = pull
}

func copies(_ context: Context) throws {
    // expected-error@+1 {{}}
    let shared: any Sendable = try context.socket(Push.self)
    _ = shared
}
