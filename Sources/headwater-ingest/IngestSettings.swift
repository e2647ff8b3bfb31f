import IngestServer
package import Runtime
import Transcode
import Upload

/// Everything `headwater-ingest` is told, with its defaults.
package struct IngestSettings: Equatable {
    var ingest = IngestConfiguration()
    var origins = ["http://127.0.0.1:9094"]
    /// For the origins alone.
    private(set) var originAccess = OriginAccess()
    var outputs: [String] = []
    /// The origins, then the outputs.
    private(set) var destinations: [Destination] = []
    var process: ProcessSettings

    package static let keys: [ConfigurationKey] =
        [
            "rtmp-listen", ConfigurationKey("origin", isRepeatable: true, isSecret: true),
            // Where the token itself was written by mistake, it is not shown.
            ConfigurationKey("origin-token-file", isSecret: true), "origin-ca-file", "origin-client-certificate",
            ConfigurationKey("origin-client-key", isSecret: true),
            ConfigurationKey("output", isRepeatable: true, isSecret: true),
            ConfigurationKey("rendition", isRepeatable: true), "overlay",
            ConfigurationKey("input", isRepeatable: true, isSecret: true), "input-realtime", "test-pattern",
            "segment-duration", "window", "lhls-ahead", "resume-window", "on-conflict", "publishers-limit",
        ] + ProcessSettings.keys

    package init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        process = try ProcessSettings(reader, adminPort: 9193)
        if let value = try reader.hostAndPort("rtmp-listen") {
            ingest.rtmpHost = value.host
            ingest.rtmpPort = value.port
        }
        if let value = reader.texts("origin") { origins = value }
        originAccess = try Self.originAccess(reader)
        if let value = reader.texts("output") { outputs = value }
        for (key, texts) in [("origin", origins), ("output", outputs)] {
            for text in texts { destinations.append(try destination(text, of: key, reader)) }
        }
        if let texts = reader.texts("rendition") { ingest.renditions = try Self.renditions(texts, reader) }
        if let value = try reader.choice("overlay", of: Overlay.self) {
            do throws(RenditionError) {
                try value.verify()
            } catch {
                throw reader.refusal(of: "overlay", accepted: "none, or clock where it can be drawn: \(error)")
            }
            ingest.overlay = value
        }
        if let texts = reader.texts("input") { ingest.inputs = try Self.inputs(texts, reader) }
        if let value = try reader.boolean("input-realtime") { ingest.paceInputs = value }
        let stream = "a stream such as test, which is live/test, or APP/STREAM"
        ingest.testPattern = try reader.value("test-pattern", accepted: stream) { text in
            StreamName(publishedAs: text).map { String($0.path.dropFirst()) }
        }
        if ingest.testPattern != nil {
            do throws(TestPatternError) {
                try TestPattern.verify()
            } catch {
                throw reader.refusal(
                    of: "test-pattern", accepted: "a stream where there is all that it needs: \(error)")
            }
        }
        if let value = try reader.duration("segment-duration", in: .milliseconds(500)...(.seconds(30))) {
            ingest.segmentDuration = value
        }
        if let value = try reader.integer("window", in: 3...1_000) { ingest.window = value }
        if let value = try reader.integer("lhls-ahead", in: 0...10) { ingest.lhlsAhead = value }
        if let value = try reader.duration("resume-window", in: .zero...(.seconds(86_400))) {
            ingest.resumeWindow = value
        }
        if let value = try reader.choice("on-conflict", of: IngestConfiguration.ConflictPolicy.self) {
            ingest.onConflict = value
        }
        if let value = try reader.integer("publishers-limit", in: 1...1_000_000) { ingest.publishersLimit = value }
    }

    private func destination(
        _ text: String, of key: String, _ reader: ConfigurationReader
    ) throws(ConfigurationError) -> Destination {
        do throws(UploadError) {
            let destination = try Destination(parsing: text)
            guard key == "origin" else { return destination }
            guard case .http(let base, _) = destination else { throw .unknownScheme("file") }
            return .http(base, originAccess)
        } catch {
            throw reader.refusal(of: key, accepted: "a destination: \(error)")
        }
    }

    private static func originAccess(_ reader: ConfigurationReader) throws(ConfigurationError) -> OriginAccess {
        var access = OriginAccess()
        access.tokenFile = try file(
            "origin-token-file", "whose first line is a token", reader, OriginAccess.verify(tokenFile:))
        access.authorityFile = try file(
            "origin-ca-file", "of certificates", reader, OriginAccess.verify(certificateFile:))
        access.certificateFile = try file(
            "origin-client-certificate", "with a certificate", reader, OriginAccess.verify(certificateFile:))
        access.keyFile = try file(
            "origin-client-key", "with a private key", reader, OriginAccess.verify(keyFile:))
        if access.keyFile != nil, access.certificateFile == nil {
            throw reader.refusal(of: "origin-client-key", accepted: "the key of an origin-client-certificate")
        }
        if let path = access.certificateFile, access.keyFile == nil {
            do throws(UploadError) {
                try OriginAccess.verify(keyFile: path)
            } catch {
                throw reader.refusal(
                    of: "origin-client-certificate",
                    accepted: "a file with a certificate and its key, or an origin-client-key beside it: \(error)")
            }
        }
        return access
    }

    private static func file(
        _ key: String, _ accepted: String, _ reader: ConfigurationReader, _ verify: (String) throws(UploadError) -> Void
    ) throws(ConfigurationError) -> String? {
        guard let path = reader.text(key) else { return nil }
        do throws(UploadError) {
            try verify(path)
            return path
        } catch {
            throw reader.refusal(of: key, accepted: "a file \(accepted): \(error)")
        }
    }

    /// Reads the specifications, and opens their encoders to see that they work.
    private static func renditions(
        _ texts: [String], _ reader: ConfigurationReader
    ) throws(ConfigurationError) -> [RenditionSpec] {
        do throws(RenditionError) {
            let specs = try RenditionSpec.list(parsing: texts)
            try RenditionSpec.verify(specs)
            return specs
        } catch {
            throw reader.refusal(
                of: "rendition", accepted: "renditions such as source,720p or 720p,fps=30,video-bitrate=2M: \(error)")
        }
    }

    private static func inputs(
        _ texts: [String], _ reader: ConfigurationReader
    ) throws(ConfigurationError) -> [InputSource] {
        var inputs: [InputSource] = []
        for text in texts {
            guard let input = InputSource(parsing: text) else {
                throw reader.refusal(of: "input", accepted: InputSource.form)
            }
            inputs.append(input)
        }
        return inputs
    }
}
