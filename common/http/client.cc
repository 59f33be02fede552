#include "common/http/client.h"

#include <openssl/ssl.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <deque>
#include <map>
#include <mutex>
#include <optional>

#include "common/http/url.h"

namespace paymesh::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;
using TlsStream = asio::ssl::stream<tcp::socket>;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kMaxIdleTotal = 256;

// One connection, plain or TLS, and what is running on it. Used by one coroutine at a time.
struct Connection {
  explicit Connection(const asio::any_io_executor& executor)
      : socket(executor), resolver(executor) {}

  tcp::socket& lowest() { return tls ? tls->next_layer() : socket; }
  void Abort() {
    error_code ignored;
    resolver.cancel();
    lowest().close(ignored);
  }

  tcp::socket socket;
  std::optional<TlsStream> tls;
  tcp::resolver resolver;
  beast::flat_buffer buffer;
  steady_clock::time_point idle_since;
};
using ConnectionPtr = std::shared_ptr<Connection>;

// Closes the connection when its time is up. The handler runs on the waiting coroutine's executor,
// so nothing else touches the connection then.
class Deadline {
 public:
  Deadline(const asio::any_io_executor& executor, steady_clock::time_point at,
           ConnectionPtr connection)
      : timer_(executor, at), expired_(std::make_shared<bool>(false)) {
    timer_.async_wait(asio::bind_executor(
        executor, [expired = expired_, weak = std::weak_ptr(connection)](error_code error) {
          // A wait that was cancelled too late must not close a connection given to another call.
          if (error || *expired) return;
          *expired = true;
          if (const ConnectionPtr alive = weak.lock()) alive->Abort();
        }));
  }
  ~Deadline() { *expired_ = true; }
  bool expired() const { return *expired_; }

 private:
  asio::steady_timer timer_;
  std::shared_ptr<bool> expired_;
};

Error TimedOut() {
  Error error;
  error.code = ErrorCode::kDeadlineExceeded;
  error.reason = "HTTP_TIMEOUT";
  error.message = "no answer in time";
  return error;
}
Error Failed(const std::string& what, const error_code& error) {
  return Error::Unavailable("CONNECTION_FAILED", what + ": " + error.message());
}

struct Exchanged {
  error_code error;
  bool anything_read = false;
  bool keep_alive = false;
  Response response;
};

using HttpRequest = beast::http::request<beast::http::string_body>;

template <class Stream>
Task<Exchanged> Exchange(Stream& stream, beast::flat_buffer& buffer, const HttpRequest& request,
                         const ClientOptions& options) {
  Exchanged result;
  auto [write_error, written] = co_await beast::http::async_write(stream, request, kAwait);
  if (write_error) {
    result.error = write_error;
    co_return result;
  }
  beast::http::response_parser<beast::http::string_body> parser;
  parser.body_limit(options.max_response_bytes);
  parser.header_limit(static_cast<std::uint32_t>(options.max_header_bytes));
  auto [read_error, read] = co_await beast::http::async_read(stream, buffer, parser, kAwait);
  result.anything_read = parser.got_some();
  result.error = read_error;
  if (read_error) co_return result;
  auto message = parser.release();
  result.keep_alive = message.keep_alive();
  result.response.status = static_cast<int>(message.result_int());
  for (const auto& field : message) {
    std::string name(field.name_string());
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    result.response.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  result.response.body = std::move(message.body());
  co_return result;
}

Task<void> ThrowIfCancelled() {
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
}

}  // namespace

class Client::Impl {
 public:
  explicit Impl(ClientOptions o) : options(std::move(o)), tls(asio::ssl::context::tls_client) {
    tls.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                    asio::ssl::context::no_tlsv1_1);
    tls.set_verify_mode(asio::ssl::verify_peer);
    error_code ignored;
    if (options.ca_file.empty()) {
      tls.set_default_verify_paths(ignored);
    } else {
      tls.load_verify_file(options.ca_file, ignored);  // without it, every handshake is refused
    }
  }

  static Task<Result<Response>> Send(std::shared_ptr<Impl> self, Request request);

  std::size_t idle() {
    std::lock_guard lock(mutex);
    std::size_t count = 0;
    for (const auto& [origin, list] : pool) count += list.size();
    return count;
  }

 private:
  Task<Result<ConnectionPtr>> Connect(const Url& url, steady_clock::time_point deadline);
  Task<Result<std::vector<tcp::endpoint>>> Resolve(const Url& url, Connection& connection);
  Task<Status> Handshake(const Url& url, Connection& connection);
  HttpRequest Build(const Url& url, Request request) const;
  ConnectionPtr TakeIdle(const std::string& origin);
  void PutIdle(const std::string& origin, ConnectionPtr connection);

  const ClientOptions options;
  asio::ssl::context tls;
  std::mutex mutex;
  std::map<std::string, std::deque<ConnectionPtr>> pool;
};

ConnectionPtr Client::Impl::TakeIdle(const std::string& origin) {
  std::lock_guard lock(mutex);
  const auto found = pool.find(origin);
  if (found == pool.end()) return nullptr;
  const auto oldest = steady_clock::now() - options.idle_timeout;
  ConnectionPtr taken;
  while (!taken && !found->second.empty()) {
    taken = std::move(found->second.back());  // the one used last is the likeliest to be alive
    found->second.pop_back();
    if (taken->idle_since < oldest) taken = nullptr;
  }
  if (found->second.empty()) pool.erase(found);
  return taken;
}

void Client::Impl::PutIdle(const std::string& origin, ConnectionPtr connection) {
  std::lock_guard lock(mutex);
  const auto now = steady_clock::now();
  std::size_t total = 0;
  for (auto& [name, list] : pool) {
    while (!list.empty() && list.front()->idle_since < now - options.idle_timeout) list.pop_front();
    total += list.size();
  }
  auto& list = pool[origin];
  if (list.size() >= options.max_idle_per_origin || total >= kMaxIdleTotal) return;
  connection->idle_since = now;
  list.push_back(std::move(connection));
}

HttpRequest Client::Impl::Build(const Url& url, Request request) const {
  HttpRequest message;
  message.version(11);
  message.method_string(request.method);
  message.target(url.target);
  message.set(beast::http::field::host, url.HostHeader());
  message.set(beast::http::field::user_agent, options.user_agent);
  for (const auto& [name, value] : request.headers) message.set(name, value);
  message.body() = std::move(request.body);
  message.keep_alive(true);
  message.prepare_payload();
  return message;
}

Task<Result<std::vector<tcp::endpoint>>> Client::Impl::Resolve(const Url& url,
                                                               Connection& connection) {
  std::vector<tcp::endpoint> endpoints;
  error_code not_numeric;
  const auto address = asio::ip::make_address(url.host, not_numeric);
  if (!not_numeric) {
    endpoints.emplace_back(address, url.port);
  } else {
    auto [error, found] =
        co_await connection.resolver.async_resolve(url.host, std::to_string(url.port), kAwait);
    if (error) co_return Failed("cannot resolve " + url.host, error);
    for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  }
  co_return endpoints;
}

Task<Status> Client::Impl::Handshake(const Url& url, Connection& connection) {
  connection.tls.emplace(std::move(connection.socket), tls);
  SSL* ssl = connection.tls->native_handle();
  SSL_set_tlsext_host_name(ssl, url.host.c_str());
  connection.tls->set_verify_callback(asio::ssl::host_name_verification(url.host));
  auto [error] = co_await connection.tls->async_handshake(asio::ssl::stream_base::client, kAwait);
  if (error) co_return Failed("TLS with " + url.host, error);
  co_return Status();
}

Task<Result<ConnectionPtr>> Client::Impl::Connect(const Url& url,
                                                  steady_clock::time_point deadline) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  auto connection = std::make_shared<Connection>(executor);
  const Deadline timer(executor, std::min(deadline, steady_clock::now() + options.connect_timeout),
                       connection);
  auto endpoints = co_await Resolve(url, *connection);
  if (timer.expired()) co_return TimedOut();
  if (!endpoints.ok()) co_return endpoints.error();
  auto [error, endpoint] = co_await asio::async_connect(connection->socket, *endpoints, kAwait);
  if (timer.expired()) co_return TimedOut();
  if (error) co_return Failed("cannot connect to " + url.Origin(), error);
  error_code ignored;
  connection->socket.set_option(tcp::no_delay(true), ignored);
  if (url.tls) {
    Status shaken = co_await Handshake(url, *connection);
    if (timer.expired()) co_return TimedOut();
    if (!shaken.ok()) co_return shaken.error();
  }
  co_return connection;
}

Task<Result<Response>> Client::Impl::Send(std::shared_ptr<Impl> self, Request request) {
  Result<Url> parsed = ParseUrl(request.url);
  if (!parsed.ok()) co_return parsed.error();
  const Url url = *std::move(parsed);
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto deadline = steady_clock::now() + request.timeout;
  const HttpRequest message = self->Build(url, std::move(request));
  ConnectionPtr connection = self->TakeIdle(url.Origin());
  for (;;) {
    const bool kept = connection != nullptr;
    if (!kept) {
      Result<ConnectionPtr> fresh = co_await self->Connect(url, deadline);
      co_await ThrowIfCancelled();
      if (!fresh.ok()) co_return fresh.error();
      connection = *std::move(fresh);
    }
    Exchanged result;
    bool expired = false;
    {
      const Deadline timer(executor, deadline, connection);
      if (connection->tls) {
        result = co_await Exchange(*connection->tls, connection->buffer, message, self->options);
      } else {
        result = co_await Exchange(connection->socket, connection->buffer, message, self->options);
      }
      expired = timer.expired();
    }
    if (!result.error && !expired) {
      // Bytes beyond the answer would be taken for the answer to the next request.
      if (result.keep_alive && connection->buffer.size() == 0) {
        self->PutIdle(url.Origin(), std::move(connection));
      }
      co_return std::move(result.response);
    }
    connection->Abort();
    connection = nullptr;
    co_await ThrowIfCancelled();
    if (expired) co_return TimedOut();
    if (result.error == beast::http::error::body_limit ||
        result.error == beast::http::error::header_limit ||
        result.error == beast::http::error::buffer_overflow) {
      co_return Error::ResourceExhausted("RESPONSE_TOO_LARGE", "the answer is too large");
    }
    if (!kept || result.anything_read) {
      co_return Failed("exchange with " + url.Origin(), result.error);
    }
  }
}

Client::Client(ClientOptions options) : impl_(std::make_shared<Impl>(std::move(options))) {}
Client::~Client() = default;
Task<Result<Response>> Client::Send(Request request) {
  return Impl::Send(impl_, std::move(request));
}
std::size_t Client::idle_connections() const { return impl_->idle(); }

}  // namespace paymesh::http
