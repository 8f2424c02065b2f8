import Foundation
import Testing

/// Misuse that the types rule out does not compile. The compiler itself compares its errors with
/// those that the samples expect, and fails on one that is missing as on one too many.
@Suite(.timeLimit(.minutes(5))) struct MisuseTests {
    @Test(arguments: ["Correct", "Roles", "Ownership"])
    func samplesFailAsTheySay(name: String) throws {
        let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let root = here.deletingLastPathComponent().deletingLastPathComponent()
        // The modules lie beside the test program that is running.
        let built = try #require(Self.modulesFolder)
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.arguments = [
            // Ownership is checked after the types are, on the way to machine code.
            "swiftc", "-emit-sil", "-o", "/dev/null", "-module-name", "Sample",
            "-swift-version", "6", "-I", built.path, "-Xfrontend", "-verify",
            // Where a requirement stands is a note in our own sources.
            "-Xfrontend", "-verify-ignore-unrelated",
            "-Xcc", "-fmodule-map-file=\(root.path)/Sources/CZeroMQ/module.modulemap",
            here.appendingPathComponent("Samples/\(name).swift").path,
        ]
        let output = Pipe()
        compiler.standardError = output
        compiler.standardOutput = output
        try compiler.run()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        compiler.waitUntilExit()
        #expect(compiler.terminationStatus == 0, "\(String(decoding: said, as: UTF8.self))")
    }

    private static var modulesFolder: URL? {
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        return [
            program.deletingLastPathComponent(),
            URL(fileURLWithPath: "/proc/self/exe")
                .resolvingSymlinksInPath().deletingLastPathComponent(),
        ]
        .map { $0.appendingPathComponent("Modules") }
        .first { FileManager.default.fileExists(atPath: $0.path) }
    }
}
