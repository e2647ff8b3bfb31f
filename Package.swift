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
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioConcurrency = Target.Dependency.product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioHPACK = Target.Dependency.product(name: "NIOHPACK", package: "swift-nio-http2")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
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
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CLibAV", pkgConfig: "libavformat libavcodec libavfilter libavutil",
            providers: [.apt(["libavformat-dev", "libavcodec-dev", "libavfilter-dev", "libavutil-dev"])]),
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CMemoryFile"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        decoderRoom("Media", [nioCore]),
        decoderRoom("RTMP", [nioCore]),
        decoderRoom("HLS", ["Media", nioCore]),
        room("MemoryFile", ["CMemoryFile", nioCore]),
        decoderRoom("OriginStore", ["HLS", "MemoryFile", nioCore, heap, deque]),
        decoderRoom("HTTPSemantics", ["OriginStore", nioCore, nioHTTP1]),
        decoderRoom("OriginAccess", [crypto]),
        decoderRoom(
            "OriginPersistence",
            [
                "OriginStore", nioCore, nioPosix, nioConcurrency, crypto, systemPackage, logging, metrics, lifecycle,
            ]),
        room("LibAV", ["Media", "CLibAV", nioCore]),
        room("Transcode", ["HLS", "LibAV", "Media", nioCore, nioPosix, logging, metrics]),
        room("Upload", ["CCurl", nioCore, logging, metrics]),
        room(
            "Runtime",
            [nioCore, nioPosix, nioHTTP1, logging, metrics, lifecycle, unixSignals, configuration, yams]),
        room(
            "IngestServer",
            ["Media", "RTMP", "HLS", "LibAV", "Transcode", "Upload", nioCore, nioPosix, logging, metrics, lifecycle]),
        room(
            "OriginServer",
            [
                "HTTPSemantics", "OriginStore", "OriginAccess", "MemoryFile", "CZlib", nioCore, nioPosix, nioHTTP1,
                nioHTTP2, nioHPACK, nioSSL, nioTLS,
                systemPackage, logging, metrics, lifecycle,
            ]),

        service(
            "headwater-ingest", ["IngestServer", "Transcode", "Upload", "Runtime", argumentParser, lifecycle]),
        service(
            "headwater-origin",
            [
                "OriginServer", "OriginStore", "OriginPersistence", "Runtime", nioCore, logging, argumentParser,
                lifecycle,
            ]),

        .target(name: "TestSupport", path: "Tests/Support", swiftSettings: settings),
        tests("MediaTests", ["Media", nioCore]),
        tests("RTMPTests", ["RTMP", nioCore]),
        tests("HLSTests", ["HLS", "Media", "TestSupport", nioCore]),
        tests("UploadTests", ["Upload", nioCore, nioPosix, nioHTTP1, nioSSL, logging, metrics]),
        tests("MemoryFileTests", ["MemoryFile", nioCore]),
        tests("OriginStoreTests", ["OriginStore", "TestSupport", nioCore, nioEmbedded]),
        tests("OriginAccessTests", ["OriginAccess", subprocess]),
        tests("HTTPSemanticsTests", ["HTTPSemantics", "OriginStore", "TestSupport", nioCore, nioHTTP1]),
        tests("OriginServerTests", ["OriginServer", "TestSupport", nioCore, subprocess]),
        tests(
            "OriginPersistenceTests",
            [
                "OriginPersistence", "OriginStore", "TestSupport", nioCore, logging, metrics, subprocess, systemPackage,
            ]),
        tests(
            "OriginConformanceTests",
            [
                "OriginServer", "OriginStore", "OriginAccess", "OriginPersistence", nioCore, nioPosix, nioHTTP1,
                nioHTTP2, nioHPACK, nioSSL,
                logging, lifecycle,
            ]),
        tests("LibAVTests", ["LibAV", "Media", nioCore, nioPosix]),
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
            name: "headwater-fuzz",
            dependencies: [
                "Media", "RTMP", "HLS", "OriginStore", "OriginAccess", "OriginPersistence", "HTTPSemantics", nioCore,
                nioHTTP1,
            ],
            path: "Tests/Fuzz",
            swiftSettings: settings + fuzzFlags + [.unsafeFlags(["-parse-as-library"])],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]))
}
