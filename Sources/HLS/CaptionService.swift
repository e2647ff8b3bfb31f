/// One closed caption service within the video, as EXT-X-MEDIA's INSTREAM-ID names it (`RFC 8216bis §4.4.6.1`).
package enum CaptionService: Hashable, Sendable {
    /// CEA-608, channel 1 to 4.
    case channel(Int)
    /// CEA-708, service 1 to 6.
    case service(Int)

    package var instreamID: String {
        switch self {
        case .channel(let number): "CC\(number)"
        case .service(let number): "SERVICE\(number)"
        }
    }

    /// What a player shows in its menu.
    package var name: String {
        switch self {
        case .channel(let number): "Captions \(number)"
        case .service(let number): "Caption service \(number)"
        }
    }

    /// The services that caption data has something for; padding does not count.
    /// - Parameter data: `cc_data` triplets (`CEA-708 §4.3`, `ATSC A/53 Part 4 §6.2.3`); what is left of one is not read.
    package static func services(in data: [UInt8]) -> Set<CaptionService> {
        var services: Set<CaptionService> = []
        for start in stride(from: 0, through: data.count - 3, by: 3) {
            let (header, first, second) = (data[start], data[start + 1], data[start + 2])
            guard header & 0b100 != 0 else { continue }  // cc_valid
            switch header & 0b11 {
            case 0, 1:
                // A control code tells the channel (`CEA-608 §B.4`); bit 7 is parity.
                guard (0x10...0x1F).contains(first & 0x7F) else { continue }
                let field = Int(header & 0b11)
                services.insert(.channel(field * 2 + (first & 0x08 == 0 ? 1 : 2)))
            case 3:
                // A packet begins with its header, and that of its first service block (`CEA-708 §5, §6.2`).
                let number = Int(second >> 5)
                if (1...6).contains(number), second & 0x1F != 0 { services.insert(.service(number)) }
            default: continue
            }
        }
        return services
    }
}

extension CaptionService: Comparable {
    package static func < (left: CaptionService, right: CaptionService) -> Bool {
        switch (left, right) {
        case (.channel(let left), .channel(let right)): left < right
        case (.service(let left), .service(let right)): left < right
        case (.channel, .service): true
        case (.service, .channel): false
        }
    }
}
