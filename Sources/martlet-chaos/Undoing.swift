import Dispatch
import Foundation
import Synchronization

/// What must be undone when the program is told to end: processes, mounts, networks.
final class Undoing: Sendable {
    private static let all = Mutex<(next: Int, bodies: [Int: @Sendable () -> Void])>((0, [:]))
    private let number: Int

    /// It is done when this goes, or when a signal ends the program.
    init(_ body: @escaping @Sendable () -> Void) {
        number = Undoing.all.withLock { all in
            all.next += 1
            all.bodies[all.next] = body
            return all.next
        }
    }

    deinit { undo() }

    /// Does it, once.
    func undo() {
        let number = number
        Undoing.all.withLock { $0.bodies.removeValue(forKey: number) }?()
    }

    /// Whoever ends the program ends all that it has begun, the newest first.
    static func handleSignals() -> [any DispatchSourceSignal] {
        [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                let bodies = all.withLock { all in
                    defer { all.bodies = [:] }
                    return all.bodies.sorted { $0.key > $1.key }.map(\.value)
                }
                for body in bodies { body() }
                exit(128 + number)
            }
            source.resume()
            return source
        }
    }
}
