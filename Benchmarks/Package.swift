// swift-tools-version: 6.3
import PackageDescription

// Benchmarks: Martlet against C programs over raw libzmq that do the same work, in the same run.

let package = Package(
    name: "martlet-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "martlet", path: "..")],
    targets: [
        // The workload that both sides share, and the in-process C baselines.
        .target(name: "CWorkload", linkerSettings: [.linkedLibrary("zmq")]),
        // One end of a two-process case, in C and in Swift.
        .executableTarget(name: "baseline-peer", dependencies: ["CWorkload"]),
        .executableTarget(
            name: "martlet-peer",
            dependencies: [
                "CWorkload", .product(name: "MartletSockets", package: "martlet"),
                .product(name: "Martlet", package: "martlet"),
            ]),
        // Runs the cases and prints the table.
        .executableTarget(
            name: "martlet-bench",
            dependencies: [
                "CWorkload", .product(name: "MartletSockets", package: "martlet"),
                .product(name: "MartletEvents", package: "martlet"),
                .product(name: "MartletRouting", package: "martlet"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
