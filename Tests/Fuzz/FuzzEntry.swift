import Glibc

/// A decoder under libFuzzer: takes any bytes, and traps where it breaks a promise.
private enum FuzzEntry: String, CaseIterable {
    case chunks, amf0, handshake, tags, aggregate, playlist, avcConfiguration, audioConfiguration, timeline
    case annexB, adts
    case objectKey, cachePolicy, presentationDescription
    case authorization, tokenFile, signature, cors
    case objectRecord, objectFileName
    case byteRanges, httpDate, preconditions, acceptEncoding

    func run(_ bytes: UnsafeRawBufferPointer) {
        switch self {
        case .chunks: unsafe fuzzChunks(bytes)
        case .amf0: unsafe fuzzAMF0(bytes)
        case .handshake: unsafe fuzzHandshake(bytes)
        case .tags: unsafe fuzzFLVTags(bytes)
        case .aggregate: unsafe fuzzAggregate(bytes)
        case .playlist: unsafe fuzzPlaylist(bytes)
        case .avcConfiguration: unsafe fuzzAVCDecoderConfiguration(bytes)
        case .audioConfiguration: unsafe fuzzAudioSpecificConfig(bytes)
        case .timeline: unsafe fuzzTimeline(bytes)
        case .annexB: unsafe fuzzAnnexB(bytes)
        case .adts: unsafe fuzzADTS(bytes)
        case .objectKey: unsafe fuzzObjectKey(bytes)
        case .cachePolicy: unsafe fuzzCachePolicy(bytes)
        case .presentationDescription: unsafe fuzzPresentationDescription(bytes)
        case .authorization: unsafe fuzzAuthorization(bytes)
        case .tokenFile: unsafe fuzzTokenFile(bytes)
        case .signature: unsafe fuzzSignature(bytes)
        case .cors: unsafe fuzzCORS(bytes)
        case .objectRecord: unsafe fuzzObjectRecord(bytes)
        case .objectFileName: unsafe fuzzObjectFileName(bytes)
        case .byteRanges: unsafe fuzzByteRanges(bytes)
        case .httpDate: unsafe fuzzHTTPDate(bytes)
        case .preconditions: unsafe fuzzPreconditions(bytes)
        case .acceptEncoding: unsafe fuzzAcceptEncoding(bytes)
        }
    }
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ entry: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// What `FUZZ_TARGET` names. Written once, before the one thread that reads it begins.
nonisolated(unsafe) private var selected = FuzzEntry.chunks

/// The program's start, under the name SwiftPM gives an executable's `main`. `FUZZ_TARGET=list` tells the names.
@_cdecl("headwater_fuzz_main")
package func fuzzMain(
    _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> CInt {
    let name = unsafe getenv("FUZZ_TARGET").map { unsafe String(cString: $0) } ?? "list"
    guard let entry = FuzzEntry(rawValue: name) else {
        for entry in FuzzEntry.allCases { print(entry.rawValue) }
        return name == "list" ? 0 : 64
    }
    unsafe selected = entry
    var count = count
    var arguments = unsafe arguments
    return unsafe runDriver(&count, &arguments) { bytes, count in
        unsafe selected.run(UnsafeRawBufferPointer(start: bytes, count: count))
        return 0
    }
}
