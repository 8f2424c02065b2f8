import Foundation
import MartletCommandLine
import MartletCore
import MartletTestKit

/// A process that carries connections, with faults that it is told of.
enum ProxyRole {
    static let command = Command(
        "proxy", "carries connections to ports of this machine, with faults",
        details: [
            "It reads a line of settings at a time from standard input, as `delay=50 flips=0.1`: "
                + "delay and jitter in ms, silent=1, cuts as a share of pieces, and for the second "
                + "port flips and swaps; `cut` cuts all connections. A line sets all that it does "
                + "not name to none."
        ],
        operands: .init("HOST PORT", 2...2, "Where to listen: there, and at the next port."),
        options: [.value("seed", "N", nil, standard: "1", "What faults are drawn from.")]
    ) { (arguments) throws(CommandFailure) in
        let host = arguments.operands[0]
        guard let port = UInt16(arguments.operands[1]), port < .max else {
            throw CommandFailure(.usage, "PORT is a number below 65535.")
        }
        let seed = UInt64(try arguments.requiredInteger("seed", in: 0...Int.max))
        do throws(MartletError) {
            let proxies = try [port, port + 1].map { (port) throws(MartletError) in
                try FaultProxy(
                    to: .tcp("127.0.0.1", port: port), listening: .tcp(host, port: port),
                    seed: seed &+ UInt64(port))
            }
            while let line = readLine() { obey(line, proxies[0], proxies[1]) }
        } catch { throw CommandFailure(error, .unavailable) }
        return .success
    }

    /// The service has no checksums of its own, as frames have: bytes that TCP would never deliver
    /// so are delivered at the data socket alone.
    private static func obey(_ line: String, _ service: FaultProxy, _ data: FaultProxy) {
        var (both, damage) = (NetworkFaults(), NetworkFaults())
        for word in line.split(separator: " ") {
            let sides = word.split(separator: "=")
            let value = min(max(sides.count == 2 ? Double(sides[1]) ?? 0 : 1, 0), 1e6)
            switch sides.first {
            case "delay": both.delay = .milliseconds(Int(value))
            case "jitter": both.jitter = .milliseconds(Int(value))
            case "silent": both.isSilent = value > 0
            case "cuts": both.cutShare = value
            case "flips": damage.flippedShare = value
            case "swaps": damage.swappedShare = value
            case "cut":
                service.cut()
                data.cut()
            default: continue
            }
        }
        service.faults = both
        both.flippedShare = damage.flippedShare
        both.swappedShare = damage.swappedShare
        data.faults = both
    }
}
