#include "common/host/admin_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <thread>

#include "common/runtime/task.h"

namespace paymesh::runtime {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using HttpRequest = http::request<http::string_body>;
using HttpResponse = http::response<http::string_body>;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds kIdle{30};
constexpr int kMaxConnections = 32;
constexpr std::size_t kMaxBody = 1024;

HttpResponse Answer(const HttpRequest& request, http::status status, std::string body,
                    std::string_view content_type = "text/plain; charset=utf-8") {
  HttpResponse response(status, request.version());
  response.set(http::field::content_type,
               beast::string_view(content_type.data(), content_type.size()));
  response.keep_alive(request.keep_alive());
  response.body() = std::move(body);
  response.prepare_payload();
  return response;
}

HttpResponse Handle(const HttpRequest& request, const AdminHandlers& handlers) {
  const bool get = request.method() == http::verb::get;
  if (request.target() == "/metrics" && get) {
    const auto accept = request[http::field::accept];
    const MetricsFormat format = MetricsFormatFor({accept.data(), accept.size()});
    return Answer(request, http::status::ok, handlers.metrics(format), ContentType(format));
  }
  if (request.target() == "/log-level" && get) {
    return Answer(request, http::status::ok, handlers.get_log_level() + "\n");
  }
  if (request.target() == "/log-level" && request.method() == http::verb::put) {
    std::string name = request.body();
    name.erase(name.find_last_not_of(" \r\n") + 1);
    if (handlers.set_log_level(name)) return Answer(request, http::status::ok, name + "\n");
    return Answer(request, http::status::bad_request, "one of debug, info, warn, error\n");
  }
  return Answer(request, http::status::not_found, "GET /metrics, GET or PUT /log-level\n");
}

// Whether the peer is on this machine: in a pod that is a port-forward, too.
bool IsHere(const tcp::socket& socket) {
  boost::system::error_code error;
  const asio::ip::address peer = socket.remote_endpoint(error).address();
  if (!peer.is_v6() || !peer.to_v6().is_v4_mapped()) return !error && peer.is_loopback();
  return asio::ip::make_address_v4(asio::ip::v4_mapped, peer.to_v6()).is_loopback();
}

}  // namespace

struct AdminServer::Impl {
  explicit Impl(AdminHandlers h) : handlers(std::move(h)), context(1), acceptor(context) {}

  Task<void> Accept() {
    for (;;) {
      auto [error, socket] = co_await acceptor.async_accept(kAwait);
      if (error == asio::error::operation_aborted) co_return;
      if (error || connections >= kMaxConnections) {
        // Out of descriptors, most likely: a little patience instead of a busy loop.
        if (error) co_await SleepFor(std::chrono::milliseconds(100));
        continue;
      }
      ++connections;
      asio::co_spawn(context, Serve(std::move(socket)),
                     [this](const std::exception_ptr&) { --connections; });
    }
  }

  Task<void> Serve(tcp::socket socket) {
    beast::tcp_stream stream(std::move(socket));
    beast::flat_buffer buffer;
    for (;;) {
      stream.expires_after(kIdle);
      http::request_parser<http::string_body> parser;
      parser.body_limit(kMaxBody);
      auto [read_error, read] = co_await http::async_read(stream, buffer, parser, kAwait);
      if (read_error) co_return;
      const HttpRequest& request = parser.get();
      HttpResponse response =
          request.method() == http::verb::get || IsHere(stream.socket())
              ? Handle(request, handlers)
              : Answer(request, http::status::forbidden, "changes come from this machine alone\n");
      auto [write_error, written] = co_await http::async_write(stream, response, kAwait);
      if (write_error || !response.keep_alive()) co_return;
    }
  }

  AdminHandlers handlers;
  asio::io_context context;
  tcp::acceptor acceptor;
  int connections = 0;  // on the one thread
  std::thread thread;
};

Result<std::unique_ptr<AdminServer>> AdminServer::Start(const std::string& address,
                                                        AdminHandlers handlers) {
  auto impl = std::make_unique<Impl>(std::move(handlers));
  const std::size_t colon = address.rfind(':');
  std::uint16_t port = 0;
  boost::system::error_code error;
  const auto ip = asio::ip::make_address(address.substr(0, colon), error);
  const char* digits = address.c_str() + colon + 1;
  if (error || colon == std::string::npos ||
      std::from_chars(digits, address.c_str() + address.size(), port).ec != std::errc()) {
    return Error::InvalidArgument("INVALID_ADDRESS", "not an IP address and port: " + address);
  }
  const tcp::endpoint endpoint(ip, port);
  impl->acceptor.open(endpoint.protocol(), error);
  if (!error) impl->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) impl->acceptor.bind(endpoint, error);
  if (!error) impl->acceptor.listen(64, error);
  if (error) {
    return Error::Unavailable("PORT_TAKEN", "cannot listen on " + address + ": " + error.message());
  }
  asio::co_spawn(impl->context, impl->Accept(), asio::detached);
  impl->thread = std::thread([context = &impl->context] { context->run(); });
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(impl)));
}

AdminServer::AdminServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AdminServer::~AdminServer() {
  impl_->context.stop();
  impl_->thread.join();
}
int AdminServer::port() const { return impl_->acceptor.local_endpoint().port(); }

}  // namespace paymesh::runtime
