// Recursive length prefix (yellow paper, appendix B). Decoding is strict: one encoding for one
// value, nothing behind it.
// Pure functions; any thread.
#pragma once

#include <variant>
#include <vector>

#include "common/error/error.h"
#include "common/evm/bytes.h"
#include "common/money/u256.h"

namespace paymesh::evm {

// A byte string or a list of items.
class RlpItem {
 public:
  using List = std::vector<RlpItem>;

  RlpItem() = default;  // the empty string
  explicit RlpItem(Bytes bytes) : value_(std::move(bytes)) {}
  explicit RlpItem(ByteView bytes) : value_(Bytes(bytes.begin(), bytes.end())) {}
  explicit RlpItem(List list) : value_(std::move(list)) {}
  // Big-endian without leading zeros; zero is the empty string.
  explicit RlpItem(const U256& number);

  bool IsList() const { return std::holds_alternative<List>(value_); }
  const Bytes& bytes() const { return std::get<Bytes>(value_); }  // requires !IsList()
  const List& list() const { return std::get<List>(value_); }     // requires IsList()
  // INVALID_RLP for a list, leading zeros or more than 32 bytes.
  Result<U256> ToU256() const;

  friend bool operator==(const RlpItem&, const RlpItem&) = default;

 private:
  std::variant<Bytes, List> value_;
};

// No input of ours nests deeper than an access list does (4).
inline constexpr unsigned kMaxRlpDepth = 16;

Bytes RlpEncode(const RlpItem& item);
Result<RlpItem> RlpDecode(ByteView data);  // INVALID_RLP

}  // namespace paymesh::evm
