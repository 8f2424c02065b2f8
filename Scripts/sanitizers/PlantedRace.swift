// A race on purpose: a ThreadSanitizer that says nothing about it proves nothing about the rest.

import Dispatch

final class Shared: @unchecked Sendable {
    var count = 0
}

let shared = Shared()
DispatchQueue.concurrentPerform(iterations: 4) { _ in
    for _ in 0..<10_000 { shared.count += 1 }
}
print(shared.count)
