// swift-tools-version: 6.3
import PackageDescription

// The map of Martlet: targets in the order of its layers, lowest last. An import that points
// upward does not resolve, because a target sees only the dependencies drawn here.

let features: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

// ThreadSanitizer cannot see the futex inside `Synchronization.Mutex`; `make sanitize` builds with
// a lock that it understands (Sources/MartletCore/Lock.swift).
let isThreadSanitized = Context.environment["MARTLET_THREAD_SANITIZER"] == "1"
let testSettings = features + (isThreadSanitized ? [.define("MARTLET_THREAD_SANITIZER")] : [])
let settings = testSettings + [.strictMemorySafety()]

// Homebrew's libraries are found through pkg-config. On Debian headers and libraries are where every
// compiler looks, and libzmq.pc adds flags that the package manager refuses with a warning.
#if os(macOS)
    let isHomebrew = true
#else
    let isHomebrew = false
#endif

let package = Package(
    name: "martlet",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Martlet", targets: ["Martlet"]),
        .library(name: "MartletSockets", targets: ["MartletSockets"]),
        .library(name: "MartletRouting", targets: ["MartletRouting"]),
        .library(name: "MartletEvents", targets: ["MartletEvents"]),
        .library(name: "MartletTestKit", targets: ["MartletTestKit"]),
        .executable(name: "martlet-publisher", targets: ["martlet-publisher"]),
        .executable(name: "martlet-worker", targets: ["martlet-worker"]),
        .executable(name: "martletctl", targets: ["martletctl"]),
        // For martlet-chaos, which puts it before other programs.
        .library(name: "martlet-slow-disk", type: .dynamic, targets: ["CSlowDisk"]),
    ],
    targets: [
        // Programs, and what they share.
        .executableTarget(
            name: "martlet-publisher",
            dependencies: [
                "MartletTools", "MartletCommandLine", "Martlet", "MartletSockets", "MartletCore",
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "martlet-worker",
            dependencies: ["MartletTools", "MartletCommandLine", "Martlet"],
            swiftSettings: settings),
        .executableTarget(
            name: "martletctl",
            dependencies: [
                "MartletTools", "MartletCommandLine", "Martlet", "MartletRouting",
                "MartletEvents", "MartletCore",
            ],
            swiftSettings: settings),
        .target(
            name: "MartletTools",
            dependencies: ["MartletCommandLine", "Martlet", "MartletEvents", "MartletCore"],
            swiftSettings: settings),
        .target(
            name: "MartletCommandLine", dependencies: ["MartletCore"], swiftSettings: settings),

        // Worked examples: small programs that use the public API alone.
        .executableTarget(
            name: "registration", dependencies: ["Martlet"], path: "Examples/registration",
            swiftSettings: settings),
        .executableTarget(
            name: "orders", dependencies: ["Martlet"], path: "Examples/orders",
            swiftSettings: settings),
        .executableTarget(
            name: "sensors", dependencies: ["Martlet"], path: "Examples/sensors",
            swiftSettings: settings),

        // For tests, ours and yours: a simulated world.
        .executableTarget(
            name: "martlet-simulate",
            dependencies: ["MartletCommandLine", "MartletTestKit", "MartletCore"],
            swiftSettings: settings),
        .executableTarget(
            name: "martlet-chaos",
            dependencies: ["MartletCommandLine", "MartletTestKit", "Martlet", "MartletCore"],
            swiftSettings: settings),
        .target(name: "CSlowDisk"),
        .target(
            name: "MartletTestKit",
            dependencies: ["MartletJournal", "MartletDelivery", "MartletEvents", "MartletCore"],
            swiftSettings: settings),

        // The face: what a user imports, and the only place where layers meet.
        .target(
            name: "Martlet",
            dependencies: [
                "MartletJournal", "MartletSockets", "MartletDelivery", "MartletRouting",
                "MartletEvents",
                "MartletCore",
            ],
            swiftSettings: settings),

        // Shells: the outside world.
        .target(
            name: "MartletSockets", dependencies: ["MartletCore", "CZeroMQ"],
            swiftSettings: settings),
        .target(
            name: "MartletJournal",
            dependencies: ["MartletEvents", "MartletCore", "CXXHash", "CSQLite", "CDisk"],
            swiftSettings: settings),

        // Pure: no input or output, no clock, no thread.
        .target(
            name: "MartletDelivery",
            dependencies: ["MartletRouting", "MartletEvents", "MartletCore"],
            swiftSettings: settings),
        .target(
            name: "MartletRouting", dependencies: ["MartletEvents", "MartletCore", "CXXHash"],
            swiftSettings: settings),
        .target(
            name: "MartletEvents", dependencies: ["MartletCore", "CXXHash"],
            swiftSettings: settings),
        .target(name: "MartletCore", swiftSettings: settings),

        // C: module maps and the shims that Swift cannot express.
        .systemLibrary(
            name: "CZeroMQ", pkgConfig: isHomebrew ? "libzmq" : nil,
            providers: [.apt(["libzmq3-dev"]), .brew(["zeromq"])]),
        .systemLibrary(
            name: "CXXHash", pkgConfig: isHomebrew ? "libxxhash" : nil,
            providers: [.apt(["libxxhash-dev"]), .brew(["xxhash"])]),
        .systemLibrary(name: "CDisk"),
        .systemLibrary(
            name: "CSQLite", pkgConfig: isHomebrew ? "sqlite3" : nil,
            providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]),

        .testTarget(
            name: "MartletSocketsTests",
            dependencies: ["MartletTestKit", "MartletSockets", "MartletCore", "CZeroMQ"],
            swiftSettings: testSettings),
        // Decoders under fire: `make fuzz` links them to libFuzzer, tests run the inputs it found.
        .target(
            name: "FuzzTargets",
            dependencies: ["MartletJournal", "MartletDelivery", "MartletRouting"],
            path: "Fuzz/Targets",
            swiftSettings: testSettings),
        .testTarget(
            name: "MartletEventsTests",
            dependencies: ["MartletEvents", "MartletCore", "FuzzTargets"],
            exclude: ["Golden"],
            swiftSettings: testSettings),
        .testTarget(
            name: "MartletDeliveryTests",
            dependencies: ["MartletDelivery", "MartletTestKit", "MartletSockets"],
            swiftSettings: testSettings),
        .testTarget(
            name: "MartletJournalTests",
            dependencies: ["MartletJournal", "MartletTestKit", "MartletEvents", "MartletCore"],
            swiftSettings: testSettings),
        .testTarget(
            name: "MartletTests", dependencies: ["Martlet", "MartletTestKit"],
            swiftSettings: testSettings),
        .testTarget(
            name: "MartletRoutingTests", dependencies: ["MartletRouting", "MartletEvents"],
            swiftSettings: testSettings),
        .testTarget(
            name: "MartletCommandLineTests",
            dependencies: [
                "Martlet", "MartletCommandLine", "martletctl", "martlet-publisher",
                "martlet-worker",
                "martlet-chaos", "registration", "orders", "sensors",
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "MartletCoreTests", dependencies: ["MartletCore"], swiftSettings: testSettings),
        // What the types must rule out, and what the repository promises about itself.
        .testTarget(
            name: "MisuseTests", dependencies: ["MartletSockets"], exclude: ["Samples"],
            swiftSettings: testSettings),
        .testTarget(name: "RepositoryTests", swiftSettings: testSettings),
    ],
    swiftLanguageModes: [.v6]
)
