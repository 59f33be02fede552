// The contract ABI: calls, return values, events.
// https://docs.soliditylang.org/en/latest/abi-spec.html
// Types are written as in a signature: address, bool, uintN, int256, bytesN, bytes, string, T[],
// T[n] and tuples (T,U). An int256 is carried as its two's complement in a U256.
// Decoding refuses dirty upper bytes, offsets outside the data and absurd lengths.
// Immutable values and pure functions; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/error/error.h"
#include "common/evm/address.h"
#include "common/evm/bytes.h"
#include "common/money/u256.h"

namespace paymesh::evm {

class AbiType {
 public:
  enum class Kind { kAddress, kBool, kUint, kInt256, kFixedBytes, kBytes, kString, kArray, kTuple };

  static Result<AbiType> Parse(std::string_view text);  // INVALID_ABI
  // "address,uint256,(bytes32,bool)[]": the inside of a parameter list; empty gives no types.
  static Result<std::vector<AbiType>> ParseList(std::string_view text);

  Kind kind() const { return kind_; }
  unsigned size() const { return size_; }  // kUint: bits; kFixedBytes: bytes
  // kArray: the element alone; kTuple: the members.
  const std::vector<AbiType>& parts() const { return parts_; }
  // kArray: T[n] has a length, T[] has kDynamicLength.
  static constexpr std::size_t kDynamicLength = ~std::size_t{0};
  std::size_t length() const { return length_; }
  bool IsDynamic() const { return dynamic_; }
  // Bytes in the head of a list: 32 for what is dynamic.
  std::size_t head_size() const { return head_size_; }

 private:
  friend class AbiTypeParser;
  AbiType() = default;
  Kind kind_ = Kind::kBool;
  unsigned size_ = 0;
  std::size_t length_ = 0;
  std::vector<AbiType> parts_;
  bool dynamic_ = false;
  std::size_t head_size_ = 32;
};

// One value: uintN and int256 are U256, bytesN is a Hash32 (left-aligned), an array or a tuple is a
// list.
class AbiValue {
 public:
  using List = std::vector<AbiValue>;
  using Variant = std::variant<U256, Address, bool, Hash32, Bytes, std::string, List>;

  AbiValue(const U256& value) : value_(value) {}             // NOLINT: implicit, for argument lists
  AbiValue(const Address& value) : value_(value) {}          // NOLINT: implicit
  AbiValue(const Hash32& value) : value_(value) {}           // NOLINT: implicit
  AbiValue(Bytes value) : value_(std::move(value)) {}        // NOLINT: implicit
  AbiValue(std::string value) : value_(std::move(value)) {}  // NOLINT: implicit
  AbiValue(List value) : value_(std::move(value)) {}         // NOLINT: implicit
  static AbiValue Bool(bool value) { return AbiValue(Variant(value)); }
  static AbiValue Number(std::uint64_t value) { return AbiValue(U256(value)); }

  // The value as T, one of Variant's; asking for another is a bug and aborts. After a successful
  // AbiDecode the alternatives are those of the types asked for.
  template <class T>
  const T& Get() const {
    const T* value = std::get_if<T>(&value_);
    if (value == nullptr) std::abort();
    return *value;
  }
  const Variant& variant() const { return value_; }
  friend bool operator==(const AbiValue&, const AbiValue&) = default;

 private:
  explicit AbiValue(Variant value) : value_(std::move(value)) {}
  Variant value_;
};

// Nodes of a decoded value: far above what any call of ours returns, far below what exhausts
// memory.
inline constexpr std::size_t kMaxAbiNodes = 100'000;

// INVALID_ABI when the values do not fit the types.
Result<Bytes> AbiEncode(const std::vector<AbiType>& types, const AbiValue::List& values);
Result<AbiValue::List> AbiDecode(const std::vector<AbiType>& types, ByteView data);

// The first four bytes of the signature's hash.
std::array<std::uint8_t, 4> Selector(std::string_view signature);
// Selector and arguments: EncodeCall("transfer(address,uint256)", {to, value}).
Result<Bytes> EncodeCall(std::string_view signature, const AbiValue::List& arguments);
// The arguments of a call, after checking its selector.
Result<AbiValue::List> DecodeCall(std::string_view signature, ByteView data);
// Return values: DecodeReturn("uint256,bool", data).
Result<AbiValue::List> DecodeReturn(std::string_view types, ByteView data);
// The text of a revert: Error(string), Panic(uint256) or the bare selector; empty for no data.
std::string DescribeRevert(ByteView data);

}  // namespace paymesh::evm
