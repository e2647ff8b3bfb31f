import NIOCore

/// A command message (`RTMP 1.0 §7.1.1, §7.2`).
package struct RTMPCommand: Hashable, Sendable {
    package var name: String
    /// 0 if no answer is expected.
    package var transactionID: Double
    /// The command object or, in an answer, its properties; null if there is none.
    package var object: AMF0Value
    package var arguments: [AMF0Value]

    package init(name: String, transactionID: Double, object: AMF0Value = .null, arguments: [AMF0Value] = []) {
        self.name = name
        self.transactionID = transactionID
        self.object = object
        self.arguments = arguments
    }

    /// Reads a whole message; what stands behind the name may be missing.
    ///
    /// Throws `commandMalformed` if it is no command, or what is wrong with its AMF.
    static func decode(from buffer: inout ByteBuffer, limits: RTMPLimits) throws(RTMPError) -> RTMPCommand {
        var decoder = AMF0Decoder(limits: limits)
        guard case .string(let name) = try decoder.decode(from: &buffer) else { throw .commandMalformed }
        var command = RTMPCommand(name: name, transactionID: 0)
        if buffer.readableBytes > 0 {
            guard case .number(let transactionID) = try decoder.decode(from: &buffer) else { throw .commandMalformed }
            command.transactionID = transactionID
        }
        if buffer.readableBytes > 0 { command.object = try decoder.decode(from: &buffer) }
        command.arguments = try decoder.decodeAll(from: &buffer)
        return command
    }

    func encode(into buffer: inout ByteBuffer) {
        AMF0Value.string(name).encode(into: &buffer)
        AMF0Value.number(transactionID).encode(into: &buffer)
        object.encode(into: &buffer)
        for argument in arguments { argument.encode(into: &buffer) }
    }
}

extension RTMPCommand: CustomStringConvertible, CustomDebugStringConvertible {
    /// Shows no bytes of the peer, for a command's values hold stream keys and tokens.
    package var description: String { "RTMPCommand(\(arguments.count) arguments)" }
    package var debugDescription: String { description }
}

/// A data message: a handler's name and values (`RTMP 1.0 §7.1.2`).
package struct RTMPData: Hashable, Sendable {
    package var handler: String
    package var values: [AMF0Value]

    package init(handler: String, values: [AMF0Value] = []) {
        self.handler = handler
        self.values = values
    }

    /// The properties of `onMetaData`, sent as such or through `@setDataFrame`; nil if this is something else.
    package var metadata: AMF0Object? {
        switch handler {
        case "onMetaData": values.first?.object
        case "@setDataFrame" where values.first?.string == "onMetaData": values.dropFirst().first?.object
        default: nil
        }
    }

    static func decode(from buffer: inout ByteBuffer, limits: RTMPLimits) throws(RTMPError) -> RTMPData {
        var decoder = AMF0Decoder(limits: limits)
        guard case .string(let handler) = try decoder.decode(from: &buffer) else { throw .commandMalformed }
        return RTMPData(handler: handler, values: try decoder.decodeAll(from: &buffer))
    }

    func encode(into buffer: inout ByteBuffer) {
        AMF0Value.string(handler).encode(into: &buffer)
        for value in values { value.encode(into: &buffer) }
    }
}
