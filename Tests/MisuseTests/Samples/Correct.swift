// The same calls in the right places: shows that the samples beside it fail for their own reasons.

import MartletCore
import MartletSockets

func correct(_ context: Context, _ loop: SocketLoop) async throws {
    let push = try context.socket(Push.self)
    try push.set(.sendHighWaterMark, to: 1)
    try push.set(.linger, to: .seconds(1))
    try push.send(Message([1]))
    let link = try await loop.link(over: push)
    try await link.send(Multipart(Bytes()))
    let sub = try context.socket(Sub.self)
    try sub.subscribe()
    _ = try sub.receive()
    sub.close()
    let _: any Link = try await loop.link(Dealer.self)
}
