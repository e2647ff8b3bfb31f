import NIOCore
import OriginStore
import Testing

@Suite struct PresentationDescriptionTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let text: String
        /// Nil where it is no whole manifest.
        let uris: [String]?

        init(_ name: String, _ text: String, _ uris: [String]?) {
            testDescription = name
            self.text = text
            self.uris = uris
        }

        init(_ name: String, within text: String, _ uris: [String]) { self.init(name, "<MPD>\(text)</MPD>", uris) }
    }

    private static let two = "<Representation id='v' bandwidth=\"1\"/><Representation bandwidth='2' id=\"a\" />"

    static let rows = [
        Row("nothing", "", nil), Row("no manifest", "<MP/>", nil), Row("half", "<MPD a='b'><Period>", nil),
        Row("an end alone", "</MPD>", nil), Row("an empty one", "<?xml?>\n<MPD\n/>", []),
        Row(
            "a template of each representation",
            within: two + "<SegmentTemplate initialization=\"$RepresentationID$/i.mp4\"/>", ["a/i.mp4", "v/i.mp4"]),
        Row(
            "of each bandwidth too",
            within: two + "<SegmentTemplate initialization='$RepresentationID$-$Bandwidth$'/>",
            ["a-1", "a-2", "v-1", "v-2"]),
        Row("without representations", within: "<SegmentTemplate initialization='$RepresentationID$'/>", []),
        Row("numbered media", within: "<SegmentTemplate media=\"$Number%05d$.m4s\" initialization = 'i'/>", ["i"]),
        Row("media by time", within: "<SegmentTemplate media='$Time$.m4s'/>", []),
        Row(
            "a list",
            within: "<SegmentList><Initialization sourceURL='i'/><SegmentURL media='1'/><SegmentURL media='2'/>",
            ["1", "2", "i"]),
        Row("another element's attributes", within: "<EventStream media='x'/><Label initialization='y'/>", []),
        Row("an attribute within another's value", within: "<SegmentTemplate a=\"media='x'\" media='y'/>", ["y"]),
        Row("a value without end", within: "<SegmentTemplate media='x/>", []),
        Row("no value", within: "<SegmentTemplate media=/><SegmentTemplate media/>", []),
        Row("what is no UTF-8", within: "<SegmentTemplate media='\u{FFFD}'/>", ["\u{FFFD}"]),
    ]

    @Test(arguments: rows) func `what a manifest names`(row: Row) {
        #expect(PresentationDescription(ByteBuffer(string: row.text), limit: 100)?.uris == row.uris)
    }

    @Test func `it names no more than the limit`() {
        let representations = (0..<100).map { "<Representation id='\($0)' bandwidth='\($0)'/>" }.joined()
        let templates = (0..<20).map { "<SegmentTemplate initialization='\($0)/$RepresentationID$/$Bandwidth$'/>" }
        let text = "<MPD>\(representations)\(templates.joined())</MPD>"
        let uris = PresentationDescription(ByteBuffer(string: text), limit: 50)?.uris
        #expect(uris.map { $0.count <= 50 } == true)
    }
}
