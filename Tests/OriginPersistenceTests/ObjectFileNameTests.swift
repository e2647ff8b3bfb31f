import OriginPersistence
import OriginStore
import Testing

@Suite struct ObjectFileNameTests {
    @Test func `the name is the hash of the path`() {
        let name = ObjectFileName(key("/live/a.ts"))
        // printf /live/a.ts | sha256sum
        #expect(name.path == "c7/c705cd3d87490ecf6d9aae059fd5d799f2c2386320720fc0fd3c9d4576d44fa9.object")
        #expect(ObjectFileName(name.name, in: name.folder) == name)
        #expect(ObjectFileName.isTemporary(name.name + ".part", in: name.folder))
    }

    @Test func `other names are not taken for an object's`() {
        let name = ObjectFileName(key("/live/a.ts"))
        let other = name.folder == "00" ? "01" : "00"
        #expect(ObjectFileName(name.name, in: other) == nil)
        #expect(ObjectFileName(name.name.uppercased(), in: name.folder) == nil)
        #expect(ObjectFileName(String(name.name.dropFirst(3)), in: name.folder) == nil)
        #expect(ObjectFileName(name.name + ".part", in: name.folder) == nil)
        #expect(ObjectFileName("README", in: name.folder) == nil)
        #expect(!ObjectFileName.isTemporary(name.name, in: name.folder))
        #expect(!ObjectFileName.isTemporary("a.part", in: name.folder))
    }

    @Test func `there are 256 folders`() {
        #expect(ObjectFileName.folders.count == 256)
        #expect(Set(ObjectFileName.folders).count == 256)
    }
}
