import OriginServer
import Testing

@Suite struct EntityTagTests {
    @Test(arguments: [
        ["\"a\""], ["*"], [" * "], ["W/\"a\""], ["\"b\", \"a\""], ["\"b\",,\t\"a\""], ["\"b\"", "\"a\""],
        ["\"a,b\", \"a\""],
    ])
    func `a list names a tag`(fields: [String]) {
        #expect(EntityTag.isNamed("\"a\"", in: fields))
    }

    @Test(arguments: [
        [], [""], [","], ["a"], ["\"b\""], ["\"a"], ["\"ab\""], ["\"ba\""], ["w/\"a\""], ["\"b, \"a\""], ["W/"],
        ["\"A\""],
    ])
    func `a list does not name a tag`(fields: [String]) {
        #expect(!EntityTag.isNamed("\"a\"", in: fields))
    }

    @Test(arguments: [
        ("bytes=0-1", ByteRange.from(0, through: 1)), ("BYTES= 0 - 1 ", .from(0, through: 1)),
        ("bytes=5-", .from(5, through: nil)),
        ("bytes=-5", .suffix(5)), ("bytes=9007199254740993-", .from(1 << 53, through: nil)),
    ])
    func `a range is read`(header: String, range: ByteRange) {
        #expect(ByteRange(header: header) == range)
    }

    @Test(arguments: [
        "", "bytes", "bytes=", "bytes=-", "bytes=1", "bytes=2-1", "bytes=1-2,3-4", "bytes=+1-2", "bytes=1-x", "bit=1-2",
    ])
    func `what is no single range is ignored`(header: String) {
        #expect(ByteRange(header: header) == nil)
    }
}
