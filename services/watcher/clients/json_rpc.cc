#include "services/watcher/clients/json_rpc.h"

#include <simdjson.h>

#include <optional>

#include "services/watcher/clients/answers.h"
#include "services/watcher/reasons.h"

namespace paymesh::watcher {
namespace {

using simdjson::dom::element;

constexpr std::size_t kMaxDepth = 32;  // an honest answer nests six deep
constexpr std::size_t kMaxMessageBytes = 1024;

bool ContainsAny(std::string_view text, std::initializer_list<std::string_view> needles) {
  for (const std::string_view needle : needles) {
    if (text.find(needle) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

struct RpcAnswers::Impl {
  simdjson::dom::parser parser;
  std::vector<element> results;
  std::vector<std::optional<RpcError>> errors;
  std::vector<bool> answered;

  Status Take(const element& answer) {
    if (!answer.is_object()) return BadAnswer("an answer that is no object");
    std::uint64_t id = 0;
    if (answer["id"].get(id) != simdjson::SUCCESS || id == 0 || id > results.size()) {
      return BadAnswer("an answer with an unknown id");
    }
    const std::size_t index = static_cast<std::size_t>(id - 1);
    if (answered[index]) return BadAnswer("two answers with one id");
    answered[index] = true;
    element error;
    element result;
    const bool has_error = answer["error"].get(error) == simdjson::SUCCESS && !error.is_null();
    const bool has_result = answer["result"].get(result) == simdjson::SUCCESS;
    if (has_error && has_result && !result.is_null()) return BadAnswer("both result and error");
    if (!has_error && !has_result) return BadAnswer("neither result nor error");
    if (!has_error) {
      results[index] = result;
      return {};
    }
    RpcError& out = errors[index].emplace();
    std::string_view text;
    if (error["code"].get(out.code) != simdjson::SUCCESS) out.code = 0;
    if (error["message"].get(text) == simdjson::SUCCESS)
      out.message = text.substr(0, kMaxMessageBytes);
    if (error["data"].get(text) == simdjson::SUCCESS && text.size() <= 2 * kMaxLogDataBytes) {
      out.data = text;
    }
    return {};
  }
};

RpcAnswers::RpcAnswers(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RpcAnswers::RpcAnswers(RpcAnswers&&) noexcept = default;
RpcAnswers& RpcAnswers::operator=(RpcAnswers&&) noexcept = default;
RpcAnswers::~RpcAnswers() = default;

Result<RpcAnswers> RpcAnswers::Parse(std::string_view body, std::size_t count) {
  auto impl = std::make_unique<Impl>();
  impl->results.resize(count);
  impl->errors.resize(count);
  impl->answered.resize(count);
  if (impl->parser.allocate(body.size() + 1, kMaxDepth) != simdjson::SUCCESS) {
    return BadAnswer("too large");
  }
  element root;
  if (impl->parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS) {
    return BadAnswer("no JSON");
  }
  if (root.is_object()) {
    // One answer; to a batch, only an error that concerns all of it, with no id.
    if (count != 1) return BadAnswer("one answer to many calls");
    RETURN_IF_ERROR(impl->Take(root));
    return RpcAnswers(std::move(impl));
  }
  simdjson::dom::array array;
  if (root.get(array) != simdjson::SUCCESS || count == 1) return BadAnswer("no answer object");
  std::size_t taken = 0;
  for (const element answer : array) {
    RETURN_IF_ERROR(impl->Take(answer));
    ++taken;
  }
  if (taken != count) return BadAnswer("an answer is missing");
  return RpcAnswers(std::move(impl));
}

std::size_t RpcAnswers::size() const { return impl_->results.size(); }

const RpcError* RpcAnswers::error(std::size_t index) const {
  const auto& error = impl_->errors.at(index);
  return error ? &*error : nullptr;
}

const element& RpcAnswers::result(std::size_t index) const { return impl_->results.at(index); }

std::string RenderCalls(const std::vector<RpcCall>& calls) {
  std::string body = calls.size() == 1 ? "" : "[";
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (i != 0) body += ',';
    body += R"({"jsonrpc":"2.0","id":)" + std::to_string(i + 1) + R"(,"method":)" +
            Quote(calls[i].method) + R"(,"params":)" + calls[i].params + "}";
  }
  if (calls.size() != 1) body += ']';
  return body;
}

std::string Quote(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    } else {
      out += c;
    }
  }
  return out + '"';
}

bool SaysNoSuchTag(const RpcError& error) {
  constexpr std::int64_t kInvalidParams = -32602;
  constexpr std::int64_t kUnknownBlock = -39001;  // of the execution API's errors
  if (ToError(error).reason == reasons::kNodeLimit) return false;
  return error.code == kInvalidParams || error.code == kUnknownBlock ||
         ContainsAny(error.message,
                     {"not supported", "unsupported", "invalid argument", "hex string",
                      "safe block not found", "finalized block not found", "Unknown block"});
}

Error ToError(const RpcError& error) {
  const std::string said = "the node said " + std::to_string(error.code) + ": " + error.message;
  if (error.code == -32005 || error.code == 429 ||
      ContainsAny(error.message, {"limit", "too many", "range", "timeout", "timed out", "too large",
                                  "exceed", "more than"})) {
    return Error::Unavailable(std::string(reasons::kNodeLimit), said);
  }
  return Error::Unavailable(std::string(reasons::kNodeError), said);
}

}  // namespace paymesh::watcher
