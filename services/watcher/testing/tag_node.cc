#include "services/watcher/testing/tag_node.h"

#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "common/http/client.h"
#include "common/runtime/run_blocking.h"

namespace paymesh::watcher {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

// The answer to one tag, without its id.
std::string TagAnswerOf(TagMode mode) {
  switch (mode) {
    case TagMode::kThrottled:
      return R"("error":{"code":-32005,"message":"too many requests"})";
    case TagMode::kFailing:
      return R"("error":{"code":-32603,"message":"internal error"})";
    case TagMode::kMalformed:
      return R"("result":{"number":"0x5"})";
    case TagMode::kUnsupported:
      return R"("error":{"code":-32602,"message":"invalid block tag"})";
    default:
      return R"("result":null)";
  }
}

}  // namespace

TagNode::TagNode(std::string upstream)
    : upstream_(std::move(upstream)),
      acceptor_(context_, {asio::ip::make_address("127.0.0.1"), 0}),
      thread_([this] { Run(); }) {}

TagNode::~TagNode() {
  stopping_ = true;
  boost::system::error_code ignored;
  tcp::socket wake(context_);
  wake.connect(acceptor_.local_endpoint(), ignored);
  thread_.join();
}

std::string TagNode::url() const {
  return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
}

// One call a connection: nothing is kept that would have to be ended.
void TagNode::Run() {
  while (!stopping_) {
    tcp::socket socket(context_);
    boost::system::error_code error;
    acceptor_.accept(socket, error);
    if (error || stopping_) continue;
    beast::flat_buffer buffer;
    beast::http::request<beast::http::string_body> request;
    beast::http::read(socket, buffer, request, error);
    if (error) continue;
    beast::http::response<beast::http::string_body> response{beast::http::status::ok, 11};
    response.body() = Answer(request.body());
    response.keep_alive(false);
    response.prepare_payload();
    beast::http::write(socket, response, error);
    socket.shutdown(tcp::socket::shutdown_both, error);
  }
}

std::string TagNode::Answer(const std::string& body) {
  if (body.find(R"("finalized")") != std::string::npos) {
    ++asked_;
    if (mode_ != TagMode::kHonest) {
      const std::string each = TagAnswerOf(mode_);
      return R"([{"jsonrpc":"2.0","id":1,)" + each + R"(},{"jsonrpc":"2.0","id":2,)" + each + "}]";
    }
  }
  http::Request request;
  request.url = upstream_;
  request.headers.emplace_back("content-type", "application/json");
  request.body = body;
  http::Client client;
  Result<http::Response> response = runtime::RunBlocking(client.Send(std::move(request)));
  return response.ok() ? response->body : "";
}

}  // namespace paymesh::watcher
