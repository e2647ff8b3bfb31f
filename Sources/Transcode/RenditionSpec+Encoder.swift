package import LibAV

extension RenditionSpec.Video {
    /// How the encoder of this rendition is set up.
    ///
    /// Keyframes come where they are asked for alone and there are no B-frames, unless an encoder option says otherwise:
    /// that is how `VideoEncoder` sets up every encoder.
    ///
    /// - Parameters:
    ///   - width: of the picture as it is encoded, in pixels.
    ///   - height: likewise.
    ///   - framesPerSecond: what the rate control reckons with.
    ///   - threads: 0 has the library decide.
    package func videoEncoderConfiguration(
        width: Int, height: Int, framesPerSecond: Double, threads: Int
    ) -> VideoEncoder.Configuration {
        let words = [("preset", preset), ("tune", tune)].compactMap { name, value in
            value.map { VideoEncoder.Configuration.Option(name: name, value: $0) }
        }
        return VideoEncoder.Configuration(
            encoder: encoder, width: width, height: height, framesPerSecond: framesPerSecond,
            bitsPerSecond: bitsPerSecond, maximumBitsPerSecond: maximumBitsPerSecond, bufferBits: maximumBitsPerSecond,
            threads: threads, profile: profile, options: words + encoderOptions)
    }

    /// What one thread encodes with time to spare, in pixels a second, at the light presets of libx264.
    private static let pixelsOfOneThread = 1_280.0 * 720 * 60

    /// How many threads the encoder is to have: one where that is enough, since each further one costs bits and waits
    /// for the others; else all processors, at most 4. Encoders other than libx264 decide for themselves (0).
    package func encoderThreads(size: PictureSize, framesPerSecond: Double, processors: Int) -> Int {
        guard encoder == X264.name else { return 0 }
        let isSmall = Double(size.area) * framesPerSecond <= Self.pixelsOfOneThread
        return isSmall && X264.isLight(preset ?? "medium") ? 1 : min(max(processors, 1), 4)
    }
}

extension RenditionSpec {
    /// What encoders are tried with where the source decides.
    private static let trialSize = PictureSize(width: 1_280, height: 720)
    private static let trialRate = 30.0
    private static let trialSampleRate = 48_000

    /// Opens an encoder for each specification as it will be opened for a stream, so that what cannot work is found
    /// when the service starts.
    package static func verify(_ specs: [RenditionSpec]) throws(RenditionError) {
        for spec in specs {
            if let video = spec.video { try verify(video, of: spec.name) }
            if let audio = spec.audio { try verify(audio, of: spec.name) }
        }
    }

    private static func verify(_ video: Video, of name: String) throws(RenditionError) {
        let size = video.box ?? trialSize
        let configuration = video.videoEncoderConfiguration(
            width: size.width, height: size.height, framesPerSecond: video.framesPerSecond ?? trialRate, threads: 1)
        do throws(LibAVError) {
            _ = try VideoEncoder(configuration)
        } catch {
            throw .refusedByEncoder(video.encoder, rendition: name, reason: error.reason)
        }
    }

    private static func verify(_ audio: Audio, of name: String) throws(RenditionError) {
        let channels = audio.channelCount ?? 2
        let configuration = AudioEncoder.Configuration(
            sampleRate: trialSampleRate, channelCount: channels,
            bitsPerSecond: audio.bitsPerSecond ?? Audio.defaultBitsPerSecond(channelCount: channels))
        do throws(LibAVError) {
            _ = try AudioEncoder(configuration)
        } catch {
            throw .refusedByEncoder("aac", rendition: name, reason: error.reason)
        }
    }
}
