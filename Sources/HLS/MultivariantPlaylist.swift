package import NIOCore

/// A multivariant playlist (`RFC 8216bis §4.4.6`): the renditions there are to choose from.
package struct MultivariantPlaylist: Hashable, Sendable {
    package var variants: [Variant]
    /// Whether every segment of every variant can be decoded by itself.
    package var independentSegments: Bool
    /// Within every variant's video; rendered, never parsed.
    package var closedCaptions: [CaptionService]
    /// URIs that tags name which are not modelled (EXT-X-MEDIA, EXT-X-I-FRAME-STREAM-INF, EXT-X-SESSION-KEY); parsed,
    /// never rendered.
    package var otherURIs: [String] = []

    package struct Resolution: Hashable, Sendable {
        package var width: Int
        package var height: Int

        package init(width: Int, height: Int) {
            self.width = width
            self.height = height
        }
    }

    package struct Variant: Hashable, Sendable {
        package var uri: String
        /// The peak, in bits a second.
        package var bandwidth: Int
        /// In bits a second.
        package var averageBandwidth: Int?
        /// The formats of every track, such as `avc1.64001f,mp4a.40.2` (`RFC 6381`).
        package var codecs: String?
        package var resolution: Resolution?
        /// Frames a second, 0 to 1,000,000; written with three decimals.
        package var frameRate: Double?

        package init(
            uri: String, bandwidth: Int, averageBandwidth: Int? = nil, codecs: String? = nil,
            resolution: Resolution? = nil, frameRate: Double? = nil
        ) {
            self.uri = uri
            self.bandwidth = bandwidth
            self.averageBandwidth = averageBandwidth
            self.codecs = codecs
            self.resolution = resolution
            self.frameRate = frameRate
        }
    }

    package init(
        variants: [Variant] = [], independentSegments: Bool = false, closedCaptions: [CaptionService] = []
    ) {
        self.variants = variants
        self.independentSegments = independentSegments
        self.closedCaptions = closedCaptions
    }

    /// Every URI it names: the variants' first.
    package var uris: [String] { variants.map(\.uri) + otherURIs }

    /// The text. INSTREAM-ID of CEA-708 needs version 7 (`RFC 8216bis §8`); else version 1 will do, which goes without saying.
    package func render() -> String {
        var text = "#EXTM3U\n"
        if closedCaptions.contains(where: { $0 > .channel(.max) }) { text += "#EXT-X-VERSION:7\n" }
        if independentSegments { text += "#EXT-X-INDEPENDENT-SEGMENTS\n" }
        for service in closedCaptions {
            text += "#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"\(Self.captionGroup)\",NAME=\"\(service.name)\","
            text += "DEFAULT=NO,AUTOSELECT=YES,INSTREAM-ID=\"\(service.instreamID)\"\n"
        }
        for variant in variants {
            text += "#EXT-X-STREAM-INF:\(variant.attributes)"
            if !closedCaptions.isEmpty, variant.resolution != nil {
                text += ",CLOSED-CAPTIONS=\"\(Self.captionGroup)\""
            }
            text += "\n\(variant.uri)\n"
        }
        return text
    }

    private static let captionGroup = "captions"
}

extension MultivariantPlaylist.Variant {
    fileprivate var attributes: String {
        var list = ["BANDWIDTH=\(bandwidth)"]
        if let averageBandwidth { list.append("AVERAGE-BANDWIDTH=\(averageBandwidth)") }
        if let codecs { list.append("CODECS=\"\(codecs)\"") }
        if let resolution { list.append("RESOLUTION=\(resolution.width)x\(resolution.height)") }
        if let frameRate, (0...1_000_000).contains(frameRate) {
            let thousandths = Int((frameRate * 1_000).rounded())
            list.append("FRAME-RATE=\(thousandths / 1_000).\(String(1_000 + thousandths % 1_000).dropFirst())")
        }
        return list.joined(separator: ",")
    }
}

/// Reading; tags and attributes it does not know are ignored.
extension MultivariantPlaylist {
    package init(parsing buffer: ByteBuffer, limits: PlaylistLimits = PlaylistLimits()) throws(PlaylistError) {
        try self.init(parsing: PlaylistLines.text(of: buffer, limits: limits), limits: limits)
    }

    package init(parsing text: String, limits: PlaylistLimits = PlaylistLimits()) throws(PlaylistError) {
        var lines = try PlaylistLines(text, limits: limits)
        var pending: Variant?
        self.init()
        while let line = try lines.next() {
            switch line {
            case .uri(let uri):
                guard var variant = pending else { throw lines.error(.missingTag(tag: "EXT-X-STREAM-INF")) }
                variant.uri = String(uri)
                variants.append(variant)
                pending = nil
            case .tag("EXT-X-STREAM-INF", let value):
                guard pending == nil else { throw lines.error(.missingURI(tag: "EXT-X-STREAM-INF")) }
                do throws(PlaylistError.Reason) {
                    pending = try Variant(attributes: value)
                } catch {
                    throw lines.error(error)
                }
            case .tag("EXT-X-INDEPENDENT-SEGMENTS", _):
                independentSegments = true
            case .tag(let name, let value) where Self.tagsWithURI.contains(name):
                guard let attributes = PlaylistValue.attributes(value) else {
                    throw lines.error(.invalidValue(tag: String(name)))
                }
                if let uri = attributes["URI"], !uri.isEmpty { otherURIs.append(String(uri)) }
            case .tag(let name, _) where Self.mediaTags.contains(name):
                throw lines.error(.mixedKinds(tag: String(name)))
            case .tag: break
            }
            guard variants.count + otherURIs.count <= limits.entries else {
                throw lines.error(.tooManyEntries(limit: limits.entries))
            }
        }
        if pending != nil { throw lines.error(.missingURI(tag: "EXT-X-STREAM-INF")) }
    }

    private static let tagsWithURI: Set<Substring> = [
        "EXT-X-MEDIA", "EXT-X-I-FRAME-STREAM-INF", "EXT-X-SESSION-KEY",
    ]
    private static let mediaTags: Set<Substring> = ["EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXTINF"]
}

extension MultivariantPlaylist.Variant {
    /// Reads EXT-X-STREAM-INF's attributes (`RFC 8216bis §4.4.6.2`); the URI comes on the next line.
    fileprivate init(attributes text: Substring) throws(PlaylistError.Reason) {
        let tag = "EXT-X-STREAM-INF"
        guard let attributes = PlaylistValue.attributes(text) else { throw .invalidValue(tag: tag) }
        func read<Value>(
            _ name: Substring, _ read: (Substring) -> Value?
        ) throws(PlaylistError.Reason) -> Value? {
            guard let text = attributes[name] else { return nil }
            guard let value = read(text) else { throw .missingAttribute(tag: tag, attribute: String(name)) }
            return value
        }
        guard let bandwidth = try read("BANDWIDTH", PlaylistValue.integer) else {
            throw .missingAttribute(tag: tag, attribute: "BANDWIDTH")
        }
        self.init(
            uri: "", bandwidth: bandwidth, averageBandwidth: try read("AVERAGE-BANDWIDTH", PlaylistValue.integer),
            codecs: attributes["CODECS"].map(String.init),
            resolution: try read("RESOLUTION", PlaylistValue.resolution),
            frameRate: try read("FRAME-RATE", PlaylistValue.floatingPoint))
    }
}
