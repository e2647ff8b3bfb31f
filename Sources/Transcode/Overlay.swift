/// What is drawn into each encoded rendition.
package enum Overlay: String, CaseIterable, Sendable {
    case none
    /// The rendition's name, the local time with milliseconds, and the frame's number.
    case clock
}
