/// A value of AMF0 (`AMF0 §2.1`).
package enum AMF0Value: Hashable, Sendable {
    case number(Double)
    case boolean(Bool)
    /// A string, or a long string, the form being chosen by the length.
    case string(String)
    case object(AMF0Object)
    case null
    case undefined
    /// An earlier object, by its place; it is kept as it is and never followed, so that there are no cycles.
    case reference(UInt16)
    case ecmaArray(AMF0Object)
    case strictArray([AMF0Value])
    /// Milliseconds since 1970; the time zone is reserved and 0.
    case date(milliseconds: Double, timeZone: Int16)
    case unsupported
    case xmlDocument(String)
    case typedObject(className: String, AMF0Object)

    package var number: Double? {
        if case .number(let value) = self { value } else { nil }
    }

    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The properties of whatever has properties.
    package var object: AMF0Object? {
        switch self {
        case .object(let object), .ecmaArray(let object), .typedObject(_, let object): object
        default: nil
        }
    }
}

/// Properties in the order they were written.
package struct AMF0Object: Hashable, Sendable {
    package struct Property: Hashable, Sendable {
        package var key: String
        package var value: AMF0Value

        package init(key: String, value: AMF0Value) {
            self.key = key
            self.value = value
        }
    }

    package var properties: [Property]

    package init(properties: [Property] = []) {
        self.properties = properties
    }

    /// The value of the first property of that name.
    package subscript(key: String) -> AMF0Value? {
        properties.first { $0.key == key }?.value
    }
}

extension AMF0Object: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, AMF0Value)...) {
        self.init(properties: elements.map { Property(key: $0.0, value: $0.1) })
    }
}
