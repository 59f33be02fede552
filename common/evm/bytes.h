// Bytes, their hex form, and byte strings of a fixed length that are types of their own.
// Immutable values; any thread.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/error/error.h"
#include "common/money/u256.h"

namespace paymesh::evm {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

// "0x" and two lower-case digits a byte.
std::string HexEncode(ByteView bytes);
// "0x" and an even number of hex digits of either case. INVALID_HEX otherwise.
Result<Bytes> HexDecode(std::string_view text);
// The same without "0x", as keystore files have it.
std::string HexEncodeBare(ByteView bytes);
Result<Bytes> HexDecodeBare(std::string_view text);

inline ByteView AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
void Append(Bytes& out, ByteView more);

// Decodes exactly out.size() bytes of 0x-hex. INVALID_HEX otherwise.
Status HexDecodeInto(std::string_view text, std::span<std::uint8_t> out);

// 32 bytes: a hash, a salt, a bytes32.
class Hash32 {
 public:
  static constexpr std::size_t kSize = 32;

  constexpr Hash32() = default;
  constexpr explicit Hash32(const std::array<std::uint8_t, kSize>& bytes) : bytes_(bytes) {}
  static Hash32 FromU256(const U256& value) { return Hash32(value.ToBigEndian()); }
  // 0x and 64 hex digits. INVALID_HEX otherwise.
  static Result<Hash32> Parse(std::string_view text);
  // INVALID_LENGTH unless 32 bytes.
  static Result<Hash32> FromBytes(ByteView bytes);

  const std::array<std::uint8_t, kSize>& bytes() const { return bytes_; }
  ByteView view() const { return bytes_; }
  std::string ToHex() const { return HexEncode(bytes_); }
  U256 ToU256() const { return U256::FromBigEndian(bytes_); }
  bool IsZero() const { return *this == Hash32(); }
  friend auto operator<=>(const Hash32&, const Hash32&) = default;

 private:
  std::array<std::uint8_t, kSize> bytes_{};
};

}  // namespace paymesh::evm

template <>
struct std::hash<paymesh::evm::Hash32> {
  // Its first bytes: a hash is already evenly spread.
  std::size_t operator()(const paymesh::evm::Hash32& value) const noexcept {
    std::size_t result = 0;
    std::memcpy(&result, value.bytes().data(), sizeof(result));
    return result;
  }
};
