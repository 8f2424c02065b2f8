import CWorkload
import MartletSockets

func pull(_ work: Work, from endpoint: Endpoint) throws {
    let context = try Context()
    let socket = try context.socket(Pull.self)
    try socket.connect(to: endpoint)
    work.say("joined")
    var tally = Tally(work)
    var message = Message()
    while !tally.isComplete {
        try socket.receive(into: &message)
        message.withBytes { tally.add($0) }
    }
    tally.report()
}

func subscribe(_ work: Work, to endpoint: Endpoint) throws {
    let context = try Context()
    let socket = try context.socket(Sub.self)
    try socket.subscribe()
    try socket.connect(to: endpoint)
    var tally = Tally(work)
    var message = Message()
    var hasJoined = false
    while !tally.isComplete {
        try socket.receive(into: &message)
        message.withBytes { span in
            let isProbe = span.withUnsafeBytes {
                workload_number($0.baseAddress, $0.count) == .max
            }
            if !isProbe {
                tally.add(span)
            } else if !hasJoined {
                hasJoined = true
                work.say("joined")
            }
        }
    }
    tally.report()
}

func pullThroughLoop(_ work: Work, from endpoint: Endpoint) async throws {
    try await withSocketLoop { loop in
        let link = try await loop.link(Pull.self)
        try await link.connect(to: endpoint)
        work.say("joined")
        var tally = Tally(work)
        for try await message in link.messages {
            message.first.withBytes { tally.add($0) }
            if tally.isComplete { break }
        }
        tally.report()
    }
}
