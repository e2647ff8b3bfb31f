import NIOCore
import NIOHTTP1

/// Answers one request, then closes.
final class AdminHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let respond: (HTTPRequestHead) -> AdminResponse
    private var hasAnswered = false

    init(respond: @escaping (HTTPRequestHead) -> AdminResponse) {
        self.respond = respond
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let request) = unwrapInboundIn(data), !hasAnswered else { return }
        answer(respond(request), to: request.method, version: request.version, context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError, !hasAnswered else {
            return context.close(promise: nil)
        }
        answer(AdminResponse(status: .badRequest, body: "not HTTP\n"), to: .GET, version: .http1_1, context)
    }

    private func answer(
        _ response: AdminResponse, to method: HTTPMethod, version: HTTPVersion, _ context: ChannelHandlerContext
    ) {
        hasAnswered = true
        context.write(wrapOutboundOut(.head(response.head(version: version))), promise: nil)
        if method != .HEAD {
            let body = context.channel.allocator.buffer(string: response.body)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }
}
