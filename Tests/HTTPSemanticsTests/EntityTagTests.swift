import HTTPSemantics
import Testing

@Suite struct EntityTagTests {
    /// Fields, and whether they name `"a"` by the weak and by the strong comparison.
    @Test(arguments: [
        (["\"a\""], true, true), (["*"], true, true), ([" * "], true, true), (["W/\"a\""], true, false),
        (["\"b\", \"a\""], true, true), (["\"b\",,\t\"a\""], true, true), (["\"b\"", "\"a\""], true, true),
        (["\"a,b\", \"a\""], true, true), (["W/\"a\", \"a\""], true, true), (["W/\"b\", \"a\""], true, true),
        ([], false, false), ([""], false, false), ([","], false, false), (["a"], false, false),
        (["\"b\""], false, false),
        (["\"a"], false, false), (["\"ab\""], false, false), (["\"ba\""], false, false), (["w/\"a\""], false, false),
        (["\"b, \"a\""], false, false), (["W/"], false, false), (["\"A\""], false, false), (["\"b\", *"], false, false),
        (["**"], false, false), (["\"b\" x \"a\""], false, false),
    ])
    func `a list names a tag or not`(fields: [String], isNamed: Bool, isNamedStrongly: Bool) {
        #expect(EntityTag.isNamed("\"a\"", in: fields) == isNamed)
        #expect(EntityTag.isNamed("\"a\"", in: fields, .strong) == isNamedStrongly)
    }

    @Test func `an object without a tag is named by the asterisk alone`() {
        #expect(EntityTag.isNamed(nil, in: ["\"b\"", "*"]))
        #expect(!EntityTag.isNamed(nil, in: ["\"a\"", ""]))
    }

    @Test func `of all lists together 64 tags are read`() {
        let others = { (count: Int) in Array(repeating: "\"\"", count: count).joined(separator: ",") }
        #expect(EntityTag.isNamed("\"a\"", in: [others(30), others(33), "\"a\""]))
        #expect(!EntityTag.isNamed("\"a\"", in: [others(30), others(34), "\"a\""]))
        #expect(EntityTag.isNamed("\"a\"", in: [others(64), "*"]))
    }

    @Test func `another coding of an object has another tag`() {
        #expect(EntityTag.of("\"a-1\"", coding: "gzip") == "\"a-1-gzip\"")
        #expect(EntityTag.of("", coding: "gzip") == "")
        #expect(EntityTag.of("\"", coding: "gzip") == "\"")
    }
}
