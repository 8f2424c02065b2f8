import MartletCore
import MartletSockets
import Testing

@Suite struct EndpointTests {
    @Test(arguments: [
        "tcp://127.0.0.1:5550", "tcp://*:5550", "tcp://127.0.0.1:*", "tcp://[::1]:5550",
        "tcp://[fe80::1%eth0]:1", "tcp://checkout:65535", "tcp://db-1.shop.example:80",
        "tcp://under_score:80", "ipc:///run/orders.sock", "ipc://relative.sock", "ipc://*",
        "ipc://@abstract", "inproc://orders", "inproc://with spaces and Ümlaut",
    ])
    func readsAndWritesBack(text: String) throws {
        let endpoint = try Endpoint(text)
        #expect(endpoint.description == text)
        #expect(try Endpoint(endpoint.description) == endpoint)
    }

    @Test(arguments: [
        ("", "no transport"), ("5550", "no transport"), ("tcp:/127.0.0.1:1", "no transport"),
        ("udp://127.0.0.1:1", "not a transport"), ("TCP://127.0.0.1:1", "not a transport"),
        ("tcp://127.0.0.1", "port is missing"), ("tcp://127.0.0.1:", "not a port"),
        ("tcp://127.0.0.1:65536", "not a port"), ("tcp://127.0.0.1:-1", "not a port"),
        ("tcp://127.0.0.1:+1", "not a port"), ("tcp://127.0.0.1:1x", "not a port"),
        ("tcp://:5550", "host is missing"), ("tcp://127.0.0.256:1", "not an IPv4 address"),
        ("tcp://1.2.3:1", "not an IPv4 address"), ("tcp://::1:5550", "in brackets"),
        ("tcp://[::1:5550", "IPv6 address in brackets"), ("tcp://[::g]:1", "IPv6"),
        ("tcp://-bad:1", "neither an address nor"), ("tcp://a..b:1", "neither an address nor"),
        ("tcp://sp ace:1", "neither an address nor"), ("tcp://eth0;10.0.0.1:1", "source address"),
        ("tcp://a\u{0}b:1", "control character"), ("ipc://", "path is empty"),
        ("ipc://@", "path is empty"), ("inproc://", "1 to 255"),
    ])
    func refusesWithAReason(text: String, reason: String) {
        let error = #expect(throws: MartletError.self) { try Endpoint(text) }
        #expect(error?.code == .invalidEndpoint)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }

    @Test func knowsTheLimitsOfPathsAndNames() throws {
        let longest = "ipc://" + String(repeating: "p", count: 107)
        #expect(try Endpoint(longest).description == longest)
        let error = #expect(throws: MartletError.self) { try Endpoint(longest + "p") }
        #expect(error?.message.contains("108 bytes") == true)
        #expect(throws: MartletError.self) {
            try Endpoint("inproc://" + String(repeating: "n", count: 256))
        }
        #expect(throws: MartletError.self) {
            try Endpoint("tcp://" + String(repeating: "h", count: 64) + ":1")
        }
    }

    @Test func tellsItsParts() throws {
        let endpoint = try Endpoint.tcp("::1", port: 80)
        #expect(endpoint.description == "tcp://[::1]:80")
        #expect(endpoint.host == "::1")
        #expect(endpoint.port == 80)
        #expect(endpoint.transport == .tcp)
        #expect(!endpoint.hasHostName)
        #expect(Endpoint("tcp://name:80").hasHostName)
        #expect(Endpoint("tcp://127.0.0.1:0") == Endpoint("tcp://127.0.0.1:*"))
    }

    @Test func resolvesNamesToEveryAddress() async throws {
        let found = try await Endpoint("tcp://localhost:5550").resolved()
        #expect(found.contains("tcp://127.0.0.1:5550"))
        #expect(found.allSatisfy { $0.port == 5550 && !$0.hasHostName })
        #expect(Set(found).count == found.count)
        let numeric: Endpoint = "tcp://10.0.0.1:1"
        #expect(try await numeric.resolved() == [numeric])
    }

    @Test(.timeLimit(.minutes(5)))
    func anUnknownHostIsAnErrorThatNamesIt() async throws {
        let endpoint = Endpoint("tcp://no-such-host.invalid:1")
        let error = await #expect(throws: MartletError.self) { try await endpoint.resolved() }
        #expect(error?.code == .unknownHost)
        #expect(error?.message.contains("no-such-host.invalid") == true)
        #expect(error?.isRetriable == true)
    }
}
