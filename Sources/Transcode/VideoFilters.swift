import LibAV
import Media

extension Overlay {
    /// Draws it once, so that a missing font is found when the service starts.
    package func verify() throws(RenditionError) {
        guard self == .clock else { return }
        do throws(LibAVError) {
            var graph = try FilterGraph(
                source: "color=size=256x64:rate=1,\(VideoFilters.clock(height: 64))", kind: .video)
            _ = try graph.receive()
        } catch {
            throw .refusedOverlay(reason: error.reason)
        }
    }
}

/// What libavfilter does to a picture on its way into a rendition.
enum VideoFilters {
    /// Scales to square pixels, draws the overlay, and converts to what the encoder takes, in 4:2:0 as players need it.
    static func description(
        from layout: FrameLayout, to size: PictureSize, pixelFormat: String, overlay: Overlay
    ) -> String {
        var filters: [String] = []
        if layout.width != size.width || layout.height != size.height {
            filters.append("scale=\(size.width):\(size.height):flags=bicubic")
        }
        filters.append("setsar=1")
        filters.append("format=\(pixelFormat)")
        if overlay == .clock { filters.append(clock(height: size.height)) }
        return filters.joined(separator: ",")
    }

    /// The text each frame carries, at the top left, as large as can be read in a small player.
    static func clock(height: Int) -> String {
        let size = max(12, height / 18)
        return "drawtext=font=DejaVu Sans Mono:text='%{metadata\\:\(Frame.textKey)}':fontsize=\(size):fontcolor=white"
            + ":box=1:boxcolor=black@0.6:boxborderw=\(size / 4):x=\(size / 2):y=\(size / 2)"
    }
}
