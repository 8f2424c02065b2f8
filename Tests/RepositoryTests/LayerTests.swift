import Foundation
import Testing

/// Imports point downward only, and libraries stay small.
@Suite struct LayerTests {
    /// What each library may import, from the top layer to the bottom. A target without a line here
    /// fails the test: decide first where it belongs.
    static let allowed: [String: Set<String>] = [
        "martlet-publisher": [
            "MartletTools", "MartletCommandLine", "Martlet", "MartletSockets", "MartletCore",
            "Synchronization",
        ],
        "martlet-worker": [
            "MartletTools", "MartletCommandLine", "Martlet", "Synchronization", "Dispatch",
            "Glibc", "Darwin",
        ],
        "martletctl": [
            "MartletTools", "MartletCommandLine", "Martlet", "MartletRouting", "MartletEvents",
            "MartletCore", "Synchronization", "Glibc", "Darwin",
        ],
        "MartletTools": [
            "MartletCommandLine", "Martlet", "MartletEvents", "MartletCore", "Synchronization",
            "Dispatch",
        ],
        "martlet-simulate": ["MartletCommandLine", "MartletTestKit", "MartletCore"],
        "martlet-chaos": [
            "MartletCommandLine", "MartletTestKit", "Martlet", "MartletCore", "Synchronization",
            "Dispatch", "Foundation",
        ],
        "MartletTestKit": [
            "MartletJournal", "MartletDelivery", "MartletEvents", "MartletCore", "Synchronization",
            "Glibc", "Darwin",
        ],
        "Martlet": [
            "MartletJournal", "MartletSockets", "MartletDelivery", "MartletRouting",
            "MartletEvents", "MartletCore", "Synchronization", "Dispatch", "Glibc", "Darwin",
        ],
        "MartletDelivery": ["MartletRouting", "MartletEvents", "MartletCore"],
        "MartletCommandLine": [
            "MartletCore", "Synchronization", "Dispatch", "Glibc", "Darwin",
        ],
        "MartletSockets": [
            "MartletCore", "CZeroMQ", "Synchronization", "Dispatch", "Glibc", "Darwin",
        ],
        "MartletJournal": [
            "MartletEvents", "MartletCore", "CXXHash", "CSQLite", "CDisk", "Synchronization",
            "Glibc", "Darwin",
        ],
        "MartletRouting": ["MartletEvents", "MartletCore", "CXXHash"],
        "MartletEvents": [
            "MartletCore", "CXXHash", "FoundationEssentials", "Synchronization", "Glibc", "Darwin",
        ],
        "MartletCore": ["Synchronization", "Glibc", "Darwin"],
    ]

    /// No input or output, no clock, no thread.
    static let pure: Set<Substring> = [
        "MartletDelivery", "MartletRouting", "MartletEvents", "MartletCore",
    ]

    /// The files in which a pure layer touches the system, each with its reason.
    static let exceptions = [
        // memcmp.
        "Sources/MartletCore/Bytes.swift",
        // inet_pton.
        "Sources/MartletCore/EndpointParser.swift",
        // The lock that ThreadSanitizer understands.
        "Sources/MartletCore/Lock.swift",
        // realloc, memmove and free.
        "Sources/MartletEvents/Coding/EncodingBuffer.swift",
        // memcmp.
        "Sources/MartletEvents/Coding/Memory.swift",
        // malloc and free.
        "Sources/MartletEvents/Coding/MemoryPool.swift",
    ]

    @Test func importsPointDownward() throws {
        for file in try Repository.files(below: "Sources", ".swift") {
            let target = file.path.split(separator: "/")[1]
            let allowed = try #require(Self.allowed[String(target)], "\(target) has no layer")
            for module in Self.imports(of: file) {
                #expect(
                    allowed.contains(module), "\(file) imports \(module), which is not below it")
                if Self.pure.contains(target), ["Glibc", "Darwin"].contains(module) {
                    #expect(Self.exceptions.contains(file.path), "\(file) is not pure")
                }
            }
        }
    }

    /// The table above and the manifest say the same.
    @Test func theManifestDrawsTheSameLayers() throws {
        let manifest = try Repository.file("Package.swift").lines.joined(separator: "\n")
        for (target, modules) in Self.allowed {
            let pattern = try Regex("name: \"\(target)\",(\\s*dependencies: \\[([^\\]]*)\\])?")
                .dotMatchesNewlines()
            let found = try #require(manifest.ranges(of: pattern).map { manifest[$0] }.last)
            for module in modules where module.hasPrefix("Martlet") || module.hasPrefix("C") {
                #expect(found.contains("\"\(module)\""), "\(target) does not depend on \(module)")
            }
        }
    }

    private static func imports(of file: Repository.File) -> [String] {
        file.lines.compactMap { line in
            let words = line.split(separator: " ")
            guard let place = words.firstIndex(of: "import"), place < words.count - 1,
                words[..<place].allSatisfy({ ["public", "package", "internal"].contains($0) })
            else { return nil }
            return words[place + 1].split(separator: ".").first.map(String.init)
        }
    }
}
