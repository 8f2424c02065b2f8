// Usage: martlet-bench [BENCH] [--case NAME] [--json FILE] [--quick]
//
// Exit status 0 when everything ran and every message was verified, whatever the figures.

import Foundation

do {
    let options = try Options(Array(CommandLine.arguments.dropFirst()))
    try Runner(options).run()
} catch {
    FileHandle.standardError.write(Data("martlet-bench: \(error)\n".utf8))
    exit(1)
}
