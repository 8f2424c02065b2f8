import CZeroMQ
import MartletCore

/// What links ask of the loop, done on its thread.
extension SocketLoop {
    func bind(_ queues: LinkQueues, to endpoint: Endpoint) throws(MartletError) -> Endpoint {
        try withHandle(of: queues) { handle throws(MartletError) in try handle.bind(to: endpoint) }
    }

    func connect(_ queues: LinkQueues, to endpoints: [Endpoint]) throws(MartletError) {
        try withHandle(of: queues) { handle throws(MartletError) in
            for (index, endpoint) in endpoints.enumerated() {
                do throws(MartletError) {
                    try handle.connect(to: endpoint)
                } catch {
                    // All or none.
                    for made in endpoints[..<index] { try? handle.disconnect(from: made) }
                    throw error
                }
            }
        }
    }

    func unbind(_ queues: LinkQueues, from endpoint: Endpoint) throws(MartletError) {
        try withHandle(of: queues) { handle throws(MartletError) in
            try handle.unbind(from: endpoint)
        }
    }

    func disconnect(_ queues: LinkQueues, from endpoint: Endpoint) throws(MartletError) {
        try withHandle(of: queues) { handle throws(MartletError) in
            try handle.disconnect(from: endpoint)
        }
    }

    func set<Role, Value>(
        _ queues: LinkQueues, _ option: SocketOption<Role, Value>, to value: Value
    ) throws(MartletError) {
        try withHandle(of: queues) { handle throws(MartletError) in
            try option.write(value, handle)
        }
    }

    func value<Role, Value>(
        _ queues: LinkQueues, of option: SocketOption<Role, Value>
    ) throws(MartletError) -> Value {
        try withHandle(of: queues) { handle throws(MartletError) in try option.read(handle) }
    }

    func monitor(_ queues: LinkQueues) throws(MartletError) -> SocketMonitor {
        try withHandle(of: queues) { handle throws(MartletError) in try SocketMonitor(handle) }
    }

    func setPrefix(
        _ queues: LinkQueues, _ option: Int32, _ prefix: Bytes
    ) throws(MartletError) {
        try withHandle(of: queues) { handle throws(MartletError) in
            try handle.setPrefix(option, prefix)
        }
    }
}
