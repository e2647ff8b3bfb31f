import NIOCore
import OriginServer
import Testing

@Suite struct PeerAddressTests {
    private static func peer(_ text: String) throws -> PeerAddress? {
        PeerAddress(try SocketAddress(ipAddress: text, port: 1_234))
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("255.255.255.255", "255.255.255.255"), ("0.0.0.0", "0.0.0.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("::1", "0:0:0:0::/64"), ("::ffff:192.0.2.1", "192.0.2.1"),
    ])
    func `an address is told`(text: String, description: String) throws {
        #expect(try Self.peer(text)?.description == description)
    }

    @Test func `addresses of one site are one, others are not`() throws {
        #expect(try Self.peer("2001:db8::1") == Self.peer("2001:db8::ffff:ffff:ffff:ffff"))
        #expect(try Self.peer("2001:db8::1") != Self.peer("2001:db8:0:1::1"))
        #expect(try Self.peer("192.0.2.1") != Self.peer("192.0.2.2"))
        #expect(try Self.peer("::ffff:192.0.2.1") == Self.peer("192.0.2.1"))
        #expect(try Self.peer("0.0.0.1") != Self.peer("::1"))
        #expect(try Self.peer("0.0.0.0") != Self.peer("::"))
    }

    @Test func `a local socket has none`() throws {
        #expect(PeerAddress(try SocketAddress(unixDomainSocketPath: "/tmp/x")) == nil)
    }
}
