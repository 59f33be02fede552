// The client against a small server written by hand, so that it can misbehave.
#include "common/http/client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "common/http/testing/test_certificates.h"
#include "common/runtime/run_blocking.h"

namespace paymesh::http {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

// Accepts connections one after another; for each request that ends its header, writes what
// `answer` gives for (number of the connection, number of the request on it); nothing ends the
// connection.
class ScriptedServer {
 public:
  using Answer = std::function<std::optional<std::string>(int connection, int request)>;
  explicit ScriptedServer(Answer answer, asio::ssl::context* tls = nullptr)
      : answer_(std::move(answer)),
        tls_(tls),
        acceptor_(context_, {asio::ip::make_address("127.0.0.1"), 0}),
        port_(acceptor_.local_endpoint().port()),
        thread_([this] { Run(); }) {}
  ~ScriptedServer() {
    stopping_ = true;
    boost::system::error_code ignored;
    tcp::socket wake(context_);
    wake.connect({asio::ip::make_address("127.0.0.1"), port_}, ignored);
    {
      std::lock_guard lock(mutex_);
      if (current_ != nullptr) current_->shutdown(tcp::socket::shutdown_both, ignored);
    }
    thread_.join();
  }
  std::string Url(const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + std::to_string(port_) + "/rpc";
  }
  int connections() const { return connections_; }
  std::string last_request() const { return last_request_; }

 private:
  void Run() {
    while (!stopping_) {
      tcp::socket socket(context_);
      boost::system::error_code error;
      acceptor_.accept(socket, error);
      if (error || stopping_) return;
      const int connection = connections_++;
      if (tls_ != nullptr) {
        asio::ssl::stream<tcp::socket> stream(std::move(socket), *tls_);
        stream.handshake(asio::ssl::stream_base::server, error);
        if (!error) Serve(stream, stream.next_layer(), connection);
      } else {
        Serve(socket, socket, connection);
      }
    }
  }
  template <class Stream>
  void Serve(Stream& stream, tcp::socket& lowest, int connection) {
    Hold(&lowest);
    std::string data;
    for (int request = 0;; ++request) {
      boost::system::error_code error;
      const std::size_t size =
          asio::read_until(stream, asio::dynamic_buffer(data), "\r\n\r\n{}", error);
      if (error || stopping_) break;
      last_request_ = data.substr(0, size);
      data.erase(0, size);
      const auto text = answer_(connection, request);
      if (!text) break;
      asio::write(stream, asio::buffer(*text), error);
      if (error) break;
    }
    Hold(nullptr);
  }
  void Hold(tcp::socket* socket) {
    std::lock_guard lock(mutex_);
    current_ = socket;
  }

  Answer answer_;
  asio::ssl::context* tls_;
  asio::io_context context_;
  tcp::acceptor acceptor_;
  std::uint16_t port_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  std::string last_request_;
  std::mutex mutex_;
  tcp::socket* current_ = nullptr;
  std::thread thread_;
};

std::string Ok(const std::string& body, const std::string& more = "") {
  return "HTTP/1.1 200 OK\r\nX-Kind: Test\r\n" + more +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// A client with the io_context that its kept connections live on.
struct Loop {
  explicit Loop(ClientOptions options = {}) : client(std::move(options)) {}
  template <class T>
  T Run(Task<T> task) {
    auto future = runtime::StartOn(context.get_executor(), std::move(task));
    context.restart();
    context.run();
    return future.get();
  }
  asio::io_context context;
  Client client;
};

Result<Response> Post(Loop& loop, const std::string& url, std::chrono::milliseconds timeout = 5s) {
  Request request;
  request.url = url;
  request.body = "{}";
  request.timeout = timeout;
  return loop.Run(loop.client.Send(std::move(request)));
}

Task<int> PostTimes(Client& client, std::string url, int times) {
  int good = 0;
  for (int i = 0; i < times; ++i) {
    Request request;
    request.url = url;
    request.body = "{}";
    auto answer = co_await client.Send(std::move(request));
    if (answer.ok() && answer->status == 200) ++good;
  }
  co_return good;
}

TEST(HttpClient, SendsAndReceives) {
  ScriptedServer server([](int, int) { return Ok("{\"result\":1}"); });
  Loop loop;
  const auto answer = Post(loop, server.Url());
  ASSERT_TRUE(answer.ok()) << answer.error().ToString();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "{\"result\":1}");
  EXPECT_EQ(answer->headers[0], (std::pair<std::string, std::string>("x-kind", "Test")));
  EXPECT_TRUE(server.last_request().starts_with("POST /rpc HTTP/1.1\r\nHost: 127.0.0.1:"));
}

TEST(HttpClient, KeepsItsConnection) {
  ScriptedServer server([](int, int) { return Ok("x"); });
  Loop loop;
  EXPECT_EQ(loop.Run(PostTimes(loop.client, server.Url(), 20)), 20);
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(loop.client.idle_connections(), 1U);
}

TEST(HttpClient, ReplacesAKeptConnectionThatTheServerHasClosed) {
  ScriptedServer server(
      [](int, int request) { return request == 0 ? std::optional(Ok("x")) : std::nullopt; });
  Loop loop;
  EXPECT_EQ(loop.Run(PostTimes(loop.client, server.Url(), 5)), 5);
  EXPECT_EQ(server.connections(), 5);
}

TEST(HttpClient, DoesNotKeepWhatTheServerCloses) {
  ScriptedServer server([](int, int) { return Ok("x", "Connection: close\r\n"); });
  Loop loop;
  ASSERT_TRUE(Post(loop, server.Url()).ok());
  EXPECT_EQ(loop.client.idle_connections(), 0U);
}

TEST(HttpClient, GivesUpWhenNoAnswerComesInTime) {
  ScriptedServer server([](int, int) { return "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"; });
  Loop loop;
  const auto start = std::chrono::steady_clock::now();
  const auto answer = Post(loop, server.Url(), 100ms);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().reason, "HTTP_TIMEOUT");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
}

TEST(HttpClient, RefusesAnAnswerThatIsTooLarge) {
  ScriptedServer server([](int connection, int) {
    return connection == 0 ? Ok(std::string(2'000, 'x'))
                           : "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
                                 std::string(2'000, 'x') + "\r\n0\r\n\r\n";
  });
  ClientOptions options;
  options.max_response_bytes = 1'000;
  Loop loop(options);
  for (int i = 0; i < 2; ++i) {
    const auto answer = Post(loop, server.Url());
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().reason, "RESPONSE_TOO_LARGE");
  }
}

TEST(HttpClient, SaysWhenNobodyListensOrTheAnswerIsBrokenOff) {
  std::string url;
  {
    ScriptedServer server([](int, int) { return Ok("x"); });
    url = server.Url();
  }
  Loop loop;
  EXPECT_EQ(Post(loop, url).error().reason, "CONNECTION_FAILED");
  ScriptedServer breaking([](int, int request) {
    return request == 0 ? std::optional<std::string>("HTTP/1.1 garbage\r\n\r\n") : std::nullopt;
  });
  EXPECT_EQ(Post(loop, breaking.Url()).error().reason, "CONNECTION_FAILED");
}

TEST(HttpClient, StopsWhenItsCallerIsCancelled) {
  ScriptedServer server([](int, int) { return ""; });
  asio::io_context context;
  Client client;
  asio::cancellation_signal signal;
  bool cancelled = false;
  asio::co_spawn(context, PostTimes(client, server.Url(), 1),
                 asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error, int) {
                   cancelled = runtime::IsCancellation(error);
                 }));
  asio::steady_timer timer(context, 50ms);
  timer.async_wait(
      [&](boost::system::error_code) { signal.emit(asio::cancellation_type::terminal); });
  context.run();
  EXPECT_TRUE(cancelled);
}

TEST(HttpClient, VerifiesTheServersCertificate) {
  rpc::TestCertificates certificates;
  const auto files = certificates.Issue("server", {});
  asio::ssl::context tls(asio::ssl::context::tls_server);
  tls.use_certificate_chain_file(files.certificate);
  tls.use_private_key_file(files.key, asio::ssl::context::pem);
  ScriptedServer server([](int, int) { return Ok("secret"); }, &tls);
  ClientOptions options;
  options.ca_file = files.ca;
  Loop trusting(options);
  const auto answer = Post(trusting, server.Url("https"));
  ASSERT_TRUE(answer.ok()) << answer.error().ToString();
  EXPECT_EQ(answer->body, "secret");
  EXPECT_EQ(trusting.client.idle_connections(), 1U);
}

TEST(HttpClient, RefusesAServerWhoseAuthorityItDoesNotTrust) {
  rpc::TestCertificates certificates;
  const auto files = certificates.Issue("server", {});
  asio::ssl::context tls(asio::ssl::context::tls_server);
  tls.use_certificate_chain_file(files.certificate);
  tls.use_private_key_file(files.key, asio::ssl::context::pem);
  ScriptedServer server([](int, int) { return Ok("secret"); }, &tls);
  Loop strict;
  EXPECT_EQ(Post(strict, server.Url("https")).error().reason, "CONNECTION_FAILED");
}

}  // namespace
}  // namespace paymesh::http
