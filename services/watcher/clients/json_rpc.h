// JSON-RPC 2.0 over one HTTP body: calls written as a batch, answers matched to them by id. An
// answer that is missing, repeated, unasked for, or has both or neither of result and error spoils
// the whole body. Not thread-safe; one per request.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/error/error.h"

namespace simdjson::dom {
class element;
}

namespace paymesh::watcher {

struct RpcCall {
  std::string method;
  std::string params;  // a JSON array, made by the caller from checked values only
};

// A node's own error. `data` is its `error.data` when that is a text (revert data).
struct RpcError {
  std::int64_t code = 0;
  std::string message;
  std::string data;
};

class RpcAnswers {
 public:
  // BAD_ANSWER when the body is not exactly the answers to `count` calls with ids 1..count.
  static Result<RpcAnswers> Parse(std::string_view body, std::size_t count);
  RpcAnswers(RpcAnswers&&) noexcept;
  RpcAnswers& operator=(RpcAnswers&&) noexcept;
  ~RpcAnswers();

  std::size_t size() const;
  // Null when the node answered with a result.
  const RpcError* error(std::size_t index) const;
  // Only where error(index) is null. Lives as long as this object.
  const simdjson::dom::element& result(std::size_t index) const;

 private:
  struct Impl;
  explicit RpcAnswers(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The request's body: an object for one call, an array for more; ids 1, 2, ...
std::string RenderCalls(const std::vector<RpcCall>& calls);

// "text" with quotes, escaped.
std::string Quote(std::string_view text);

// Whether a node says that it does not know a finality tag, or has no block for it: as opposed to a
// node that is throttled or in trouble, which says nothing of the tag.
bool SaysNoSuchTag(const RpcError& error);

// The Error for a node's error: UNAVAILABLE NODE_ERROR, or NODE_LIMIT when the node says that too
// much was asked for at once, or too often.
Error ToError(const RpcError& error);

}  // namespace paymesh::watcher
