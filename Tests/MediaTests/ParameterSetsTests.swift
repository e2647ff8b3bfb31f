import Media
import NIOCore
import Testing

@Suite struct ParameterSetsTests {
    static let small = ByteBuffer(hex: "6742c01fda014016ec0440000003004000000f03c60ca8")
    static let large = ByteBuffer(hex: "67640028acd940780227e5c04400000fa40003a9803c60c658")
    static let picture = ByteBuffer(hex: "68ce0fc8")
    static let otherPicture = ByteBuffer(hex: "68ebe3cb22c0")
    static let secondPicture = ByteBuffer(hex: "684f0fc8")
    static let slice = ByteBuffer(hex: "65888400")

    @Test func `a configuration is there with the first sequence parameter set`() throws {
        var sets = ParameterSets()
        #expect(sets.take([Self.slice]) == false)
        #expect(sets.configuration == nil)
        #expect(sets.take([Self.small, Self.picture, Self.slice]) == true)
        let configuration = try #require(sets.configuration)
        #expect(configuration.width == 1_280)
        #expect(configuration.sequenceParameterSets == [Self.small])
        #expect(configuration.pictureParameterSets == [Self.picture])
    }

    @Test func `repeated sets change nothing`() {
        var sets = ParameterSets()
        #expect(sets.take([Self.small, Self.picture]) == true)
        #expect(sets.take([Self.small, Self.picture, Self.slice]) == false)
        #expect(sets.take([Self.picture]) == false)
    }

    @Test func `a picture parameter set replaces the one of its number alone`() {
        var sets = ParameterSets()
        #expect(sets.take([Self.small, Self.picture, Self.secondPicture]) == true)
        #expect(sets.configuration?.pictureParameterSets == [Self.picture, Self.secondPicture])
        #expect(sets.take([Self.otherPicture]) == true)
        #expect(sets.configuration?.pictureParameterSets == [Self.otherPicture, Self.secondPicture])
    }

    @Test func `a sequence parameter set that differs begins anew`() {
        var sets = ParameterSets()
        #expect(sets.take([Self.small, Self.picture, Self.secondPicture]) == true)
        #expect(sets.take([Self.large, Self.otherPicture]) == true)
        #expect(sets.configuration?.width == 1_920)
        #expect(sets.configuration?.pictureParameterSets == [Self.otherPicture])
    }

    @Test(arguments: ["67", "6742c01f", "68", "6800000000", "67000003000003000003"])
    func `sets that cannot be read give no configuration`(hex: String) {
        var sets = ParameterSets()
        #expect(sets.take([ByteBuffer(hex: hex)]) == false)
        #expect(sets.configuration == nil)
        #expect(sets.take([Self.small, Self.picture]) == true)
    }

    @Test func `sets longer than any record are left out`() {
        var sets = ParameterSets()
        var long = Self.picture
        long.writeRepeatingByte(0x55, count: 100_000)
        #expect(sets.take([Self.small, long]) == true)
        #expect(sets.configuration?.pictureParameterSets == [])
    }
}
