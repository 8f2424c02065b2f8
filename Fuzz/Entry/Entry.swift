// What libFuzzer calls. `make fuzz` builds it; the package does not know it.

import FuzzTargets
import Glibc
import MartletEvents

private let target: FuzzTarget = {
    let name = getenv("MARTLET_FUZZ").map { String(cString: $0) } ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
        fatalError("MARTLET_FUZZ must be one of \(FuzzTarget.allCases.map(\.rawValue))")
    }
    return target
}()

/// An input that takes longer is a finding.
private let nanosecondsMax: UInt64 = 100_000_000

private func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Feeds the target one input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Bytes(Array(UnsafeBufferPointer(start: start, count: count)))
    let started = now()
    target.feed(input)
    let elapsed = now() - started
    guard elapsed < nanosecondsMax else { fatalError("an input took \(elapsed) ns") }
    return 0
}
