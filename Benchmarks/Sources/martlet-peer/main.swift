// One end of a two-process benchmark over Martlet; baseline-peer is its counterpart over raw
// libzmq.

import MartletSockets

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

func complain(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = write(2, bytes, bytes.count)
}

let arguments = CommandLine.arguments
guard arguments.count == 6, let count = UInt64(arguments[3]), let size = Int(arguments[4]),
    let interval = UInt64(arguments[5])
else {
    complain(
        "usage: martlet-peer push|pull|pub|sub|loop-pull|node-pub-TASKS|node-durable-TASKS"
            + "|node-batches-TASKS"
            + "|node-singly-TASKS|node-spinning-TASKS|node-pool-TASKS"
            + "|store-deep|store-one|store-paced|replay-pub|replay-sub"
            + "|catch-up-pub|catch-up-sub"
            + "|submit-node|submit-one|submit-deep|work-pub|work-durable|work-sub"
            + "|push-pub|push-sub|push-sub-direct|uneven|crowd-pub|crowd-sub "
            + "ENDPOINT|FOLDER COUNT SIZE INTERVAL_NS|PERCENT"
    )
    exit(2)
}
do {
    let work = Work(count: count, size: size, interval: interval)
    if arguments[1].hasPrefix("store-") {
        try await store(work, in: arguments[2], as: arguments[1])
        exit(0)
    }
    let endpoint = try Endpoint(arguments[2])
    switch arguments[1] {
    case "replay-pub": try await replay(work, at: endpoint)
    case "catch-up-pub": try await publishAheadOfReader(work, at: endpoint)
    case "catch-up-sub": try await catchUp(work, with: endpoint)
    case "submit-node": try await storeSubmitted(work, at: endpoint)
    case "submit-one": try await submit(work, to: endpoint, isDeep: false)
    case "submit-deep": try await submit(work, to: endpoint, isDeep: true)
    case "work-pub": try await publishWork(work, at: endpoint, isDurable: false)
    case "work-durable": try await publishWork(work, at: endpoint, isDurable: true)
    case "work-sub": try await workOnEvents(work, at: endpoint)
    case "uneven": try await shareUnevenWork(work, at: endpoint)
    case "crowd-pub": try await publishToCrowd(work, at: endpoint)
    case "crowd-sub": try await workInCrowd(work, at: endpoint)
    case "push-pub": try await pushWork(work, at: endpoint)
    case "push-sub": try await pullWork(work, from: endpoint, directly: false)
    case "push-sub-direct": try await pullWork(work, from: endpoint, directly: true)
    case "replay-sub": try await readPast(work, at: endpoint)
    case "push": try push(work, at: endpoint)
    case "pub": try publish(work, at: endpoint)
    case "pull": try pull(work, from: endpoint)
    case "sub": try subscribe(work, to: endpoint)
    case "loop-pull": try await pullThroughLoop(work, from: endpoint)
    case let role where role.hasPrefix("node-"):
        let parts = role.split(separator: "-")
        guard parts.count == 3, let tasks = Int(parts[2]) else { fallthrough }
        switch parts[1] {
        case "pub": try await publishFromNode(work, at: endpoint, tasks: tasks)
        case "durable":
            try await publishFromNode(work, at: endpoint, tasks: tasks, isDurable: true)
        case "batches": try await readFromNode(work, at: endpoint, tasks: tasks, .batches)
        case "singly": try await readFromNode(work, at: endpoint, tasks: tasks, .singly)
        case "spinning": try await readFromNode(work, at: endpoint, tasks: tasks, .spinning)
        case "pool": try await readFromNode(work, at: endpoint, tasks: tasks, .singlyInPool)
        default: throw Work.Wrong(what: "no role `\(role)`")
        }
    default: throw Work.Wrong(what: "no role `\(arguments[1])`")
    }
} catch {
    complain("martlet-peer: \(error)")
    exit(1)
}
