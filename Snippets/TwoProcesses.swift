// Two processes exchange messages: this program starts itself a second time, as a worker.
//
//     swift run TwoProcesses
//
// The first hands out ten orders over PUSH, the second prices them and sends the totals back.

import MartletCore
import MartletSockets

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

let arguments = CommandLine.arguments
if arguments.count == 3 {
    try await work(takingFrom: Endpoint(arguments[1]), reportingTo: Endpoint(arguments[2]))
} else {
    try await dispatch()
}

/// The first process: sends orders out, and collects what comes back.
func dispatch() async throws {
    try await withSocketLoop { loop in
        let orders = try await loop.link(Push.self)
        let results = try await loop.link(Pull.self)
        let ordersAt = try await orders.bind(to: "tcp://127.0.0.1:*")
        let resultsAt = try await results.bind(to: "tcp://127.0.0.1:*")
        say("dispatcher \(getpid()): orders at \(ordersAt), results at \(resultsAt)")

        let worker = try start(with: ["\(ordersAt)", "\(resultsAt)"])
        for number in 1...10 {
            try await orders.send(Multipart(Bytes(utf8: "order \(number)")))
        }
        say("dispatcher \(getpid()): sent 10 orders to worker \(worker)")

        var received = 0
        for try await result in results.messages {
            say("dispatcher \(getpid()): \(String(decoding: result.first.array(), as: UTF8.self))")
            received += 1
            if received == 10 { break }
        }
        await orders.close()
        waitFor(worker)
        say("All 10 orders came back. Next: README.md, then Docs/architecture.md.")
    }
}

/// The second process: answers until it has seen every order.
func work(takingFrom orders: Endpoint, reportingTo results: Endpoint) async throws {
    try await withSocketLoop { loop in
        let incoming = try await loop.link(Pull.self)
        let outgoing = try await loop.link(Push.self)
        try await outgoing.connect(to: results)
        try await incoming.connect(to: orders)
        var seen = 0
        for try await order in incoming.messages {
            seen += 1
            let text = String(decoding: order.first.array(), as: UTF8.self)
            try await outgoing.send(
                Multipart(Bytes(utf8: "\(text) costs \(seen * 100) cents, says worker \(getpid())"))
            )
            if seen == 10 { break }
        }
    }
}

/// Starts this program again with other arguments.
func start(with arguments: [String]) throws -> pid_t {
    let words = ([CommandLine.arguments[0]] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var child: pid_t = 0
    let result = posix_spawn(&child, CommandLine.arguments[0], nil, nil, words, environ)
    guard result == 0 else {
        throw MartletError(.failed, "Could not start the worker: errno \(result).")
    }
    return child
}

func waitFor(_ child: pid_t) {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
}

func say(_ line: String) {
    print(line)
    fflush(nil)
}
