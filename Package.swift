// swift-tools-version: 6.2
import PackageDescription

/// What every Swift target of Headwater is compiled with: house rules 1, 11 and 15.
let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

/// `make fuzz` sets this: the rooms with decoders are then compiled for libFuzzer, with the program that feeds them.
let isFuzzing = Context.environment["HEADWATER_FUZZ"] != nil
let fuzzFlags: [SwiftSetting] = isFuzzing ? [.unsafeFlags(["-sanitize=fuzzer"])] : []

func decoderRoom(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings + fuzzFlags)
}

func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func service(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let package = Package(
    name: "headwater",
    products: [
        .executable(name: "headwater-ingest", targets: ["headwater-ingest"]),
        .executable(name: "headwater-origin", targets: ["headwater-origin"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        .systemLibrary(
            name: "CLibAV", pkgConfig: "libavformat libavcodec libavfilter libavutil",
            providers: [.apt(["libavformat-dev", "libavcodec-dev", "libavfilter-dev", "libavutil-dev"])]),
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),

        decoderRoom("Media", [nioCore]),
        decoderRoom("RTMP", [nioCore]),
        decoderRoom("HLS", ["Media", nioCore]),
        decoderRoom("OriginStore", ["HLS", nioCore]),
        room("LibAV", ["Media", "CLibAV", nioCore]),
        room("Transcode", ["HLS", "LibAV", "Media", nioCore, nioPosix, logging, metrics]),
        room("Upload", ["CCurl", nioCore, logging, metrics]),
        room(
            "Runtime",
            [nioCore, nioPosix, nioHTTP1, logging, metrics, lifecycle, unixSignals, configuration, yams]),
        room(
            "IngestServer",
            ["Media", "RTMP", "HLS", "LibAV", "Transcode", "Upload", nioCore, nioPosix, logging, metrics, lifecycle]),
        decoderRoom("OriginServer", ["OriginStore", nioCore, nioPosix, nioHTTP1, logging, metrics, lifecycle]),

        service(
            "headwater-ingest", ["IngestServer", "Transcode", "Upload", "Runtime", argumentParser, lifecycle]),
        service(
            "headwater-origin",
            ["OriginServer", "OriginStore", "Runtime", nioCore, argumentParser, lifecycle]),

        .target(name: "TestSupport", path: "Tests/Support", swiftSettings: settings),
        tests("MediaTests", ["Media", nioCore]),
        tests("RTMPTests", ["RTMP", nioCore]),
        tests("HLSTests", ["HLS", "Media", "TestSupport", nioCore]),
        tests("UploadTests", ["Upload", nioCore, nioPosix, nioHTTP1, logging, metrics]),
        tests("OriginStoreTests", ["OriginStore", nioCore, nioEmbedded]),
        tests("OriginServerTests", ["OriginServer", "OriginStore", nioCore, nioPosix, logging]),
        tests("LibAVTests", ["LibAV", "Media", nioCore]),
        tests("TranscodeTests", ["Transcode", "LibAV", "HLS", "Media", "TestSupport", nioCore]),
        tests("IngestServerTests", ["IngestServer", "HLS", "LibAV", "RTMP", "Media", nioCore]),
        tests("ConfigurationTests", ["headwater-ingest", "headwater-origin", "OriginStore", "Runtime"]),
        tests("EndToEndTests", ["TestSupport", nioCore, nioPosix, nioHTTP1, subprocess, systemPackage]),
        tests("RuntimeTests", ["Runtime", nioCore, nioPosix, logging, metrics, lifecycle]),
    ]
)

if isFuzzing {
    package.targets.append(
        .executableTarget(
            name: "headwater-fuzz", dependencies: ["Media", "RTMP", "HLS", "OriginStore", "OriginServer", nioCore],
            path: "Tests/Fuzz",
            swiftSettings: settings + fuzzFlags + [.unsafeFlags(["-parse-as-library"])],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]))
}
