/// Why a codec configuration record cannot be used.
package enum MediaError: Error, Hashable, Sendable {
    /// A field of a record, by the name the specification gives it.
    package enum Field: String, Hashable, Sendable {
        case configurationVersion
        case lengthSizeMinusOne
        case nalUnitType = "nal_unit_type"
        case seqParameterSetID = "seq_parameter_set_id"
        case chromaFormat = "chroma_format_idc"
        case bitDepth = "bit_depth_minus8"
        case deltaScale = "delta_scale"
        case log2MaxFrameNum = "log2_max_frame_num_minus4"
        case picOrderCount = "pic_order_cnt_type"
        case refFrames = "max_num_ref_frames"
        case pictureSize = "pic_width_in_mbs_minus1"
        case frameCropping = "frame_crop_offset"
        case expGolomb = "ue(v)"
        case audioObjectType
        case samplingFrequency
        case syncword
        case layer
        case channelConfiguration = "channel_configuration"
        case frameLength = "aac_frame_length"
        case rawDataBlocks = "number_of_raw_data_blocks_in_frame"
    }

    /// The record ends before a field it must have.
    case truncated
    /// The record is longer than any encoder's; the limit in bytes.
    case tooLarge(limitBytes: Int)
    /// The record carries no sequence parameter set, so the picture's size is not known.
    case missingSequenceParameterSet
    /// A field has a value that its specification does not allow.
    case invalid(Field)

    /// A name for metrics, one of a handful.
    package var label: String {
        switch self {
        case .truncated: "truncated"
        case .tooLarge: "too_large"
        case .missingSequenceParameterSet: "missing_sps"
        case .invalid: "invalid_field"
        }
    }
}

extension MediaError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .truncated: "the codec configuration ends too early"
        case .tooLarge(let limit): "the codec configuration is longer than \(limit) bytes"
        case .missingSequenceParameterSet: "the codec configuration has no sequence parameter set"
        case .invalid(let field): "the codec configuration has a value of \(field.rawValue) that is not allowed"
        }
    }
}
