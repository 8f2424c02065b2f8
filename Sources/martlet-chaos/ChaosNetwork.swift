import Foundation

/// Machines on one network, from network namespaces: they vanish with this object. Root is needed.
final class ChaosNetwork {
    private let prefix: String
    let hosts: Int
    private var made: Undoing?

    /// Why there cannot be one; nil if there can.
    static var obstacle: String? {
        guard geteuid() == 0 else { return "root is needed to make network namespaces" }
        for tool in ["ip", "iptables"] where run(["sh", "-c", "command -v \(tool)"]) != 0 {
            return "`\(tool)` is missing"
        }
        let probe = "martlet-probe-\(getpid())"
        guard run(["ip", "netns", "add", probe]) == 0 else {
            return "the system does not let us make network namespaces"
        }
        defer { run(["ip", "netns", "del", probe]) }
        guard run(["ip", "netns", "exec", probe, "iptables", "-S"]) == 0 else {
            return "`iptables` does not work here"
        }
        return nil
    }

    /// So many machines, with the addresses 10.88.0.1 and on.
    init(hosts: Int) throws(ChaosFailure) {
        prefix = "mc\(getpid())"
        self.hosts = hosts
        let spaces = (0...hosts).map { "\(prefix)h\($0)" }
        made = Undoing { for space in spaces { ChaosNetwork.run(["ip", "netns", "del", space]) } }
        try must(["ip", "netns", "add", space(0)])
        try inside(0, ["ip", "link", "add", "br0", "type", "bridge"])
        try inside(0, ["ip", "link", "set", "br0", "up"])
        for host in 1...hosts {
            try must(["ip", "netns", "add", space(host)])
            try inside(
                host,
                [
                    "ip", "link", "add", "eth0", "type", "veth", "peer", "name", "h\(host)",
                    "netns", space(0),
                ])
            try inside(0, ["ip", "link", "set", "h\(host)", "master", "br0", "up"])
            try inside(host, ["ip", "link", "set", "lo", "up"])
            try inside(host, ["ip", "address", "add", "\(address(host))/24", "dev", "eth0"])
            try inside(host, ["ip", "link", "set", "eth0", "up"])
        }
    }

    func space(_ host: Int) -> String { "\(prefix)h\(host)" }

    func address(_ host: Int) -> String { "10.88.0.\(host)" }

    /// Nothing reaches the host any more, and, unless it is only mute to others, nothing leaves it.
    func cut(_ host: Int, oneWay: Bool = false) throws(ChaosFailure) {
        try inside(host, ["iptables", "-A", "INPUT", "-i", "eth0", "-j", "DROP"])
        if !oneWay { try inside(host, ["iptables", "-A", "OUTPUT", "-o", "eth0", "-j", "DROP"]) }
    }

    /// Packets are lost on their way to the host and from it.
    func lose(_ percent: Int, _ host: Int) throws(ChaosFailure) {
        for (chain, device) in [("INPUT", "-i"), ("OUTPUT", "-o")] {
            try inside(
                host,
                [
                    "iptables", "-A", chain, device, "eth0", "-m", "statistic", "--mode", "random",
                    "--probability", "\(Double(percent) / 100)", "-j", "DROP",
                ])
        }
    }

    /// What one host sends does not reach the other.
    func block(from source: Int, to target: Int) throws(ChaosFailure) {
        try inside(
            target, ["iptables", "-A", "INPUT", "-s", address(source), "-j", "DROP"])
    }

    func heal(_ host: Int) throws(ChaosFailure) { try inside(host, ["iptables", "-F"]) }

    /// Everybody reaches everybody.
    func healAll() throws(ChaosFailure) { for host in 1...hosts { try heal(host) } }

    private func inside(_ host: Int, _ words: [String]) throws(ChaosFailure) {
        try must(["ip", "netns", "exec", space(host)] + words)
    }

    private func must(_ words: [String]) throws(ChaosFailure) {
        guard ChaosNetwork.run(words) == 0 else {
            throw ChaosFailure("`\(words.joined(separator: " "))` failed")
        }
    }

    @discardableResult
    private static func run(_ words: [String]) -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return -1 }
        process.waitUntilExit()
        return process.terminationStatus
    }
}
