import Foundation

/// A child process that does one end of a case, and talks in lines.
final class Peer {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// A case that takes longer than this has hung.
    private static let timeout: TimeInterval = 120

    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let name: String
    private let lines: UnsafeMutablePointer<FILE>

    /// Starts `program`, which lies beside this one.
    init(_ program: String, _ arguments: [String]) throws {
        name = ([program] + arguments).joined(separator: " ")
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        process.executableURL = folder.appendingPathComponent(program)
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        guard let lines = fdopen(dup(output.fileHandleForReading.fileDescriptor), "r") else {
            throw Failure(description: "no pipe to \(name)")
        }
        self.lines = lines
        let process = process
        DispatchQueue.global().asyncAfter(deadline: .now() + Peer.timeout) {
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
    }

    deinit {
        fclose(lines)
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    /// Waits until the peer has ended by itself, so that it leaves nothing behind.
    func end() { process.waitUntilExit() }

    /// Lets the peer go on.
    func go() { say("go") }

    /// Gives the peer a line.
    func say(_ line: String) {
        input.fileHandleForWriting.write(Data((line + "\n").utf8))
    }

    /// The words after `word` in the next line, which must begin with it.
    func expect(_ word: String) throws -> [String] {
        var buffer: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(buffer) }
        let length = getline(&buffer, &capacity, lines)
        guard length > 0, let buffer else {
            throw Failure(description: "\(name) ended or hung before it said `\(word)`")
        }
        let words = String(cString: buffer).split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.first == word else {
            throw Failure(description: "\(name) said `\(words)`, not `\(word)`")
        }
        return Array(words.dropFirst())
    }
}
