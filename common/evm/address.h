// An account or a contract: 20 bytes, with the EIP-55 checksum where people read it.
// Immutable values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/error/error.h"
#include "common/evm/bytes.h"
#include "common/money/caip.h"

namespace paymesh::evm {

class Address {
 public:
  static constexpr std::size_t kSize = 20;

  constexpr Address() = default;  // the zero address
  constexpr explicit Address(const std::array<std::uint8_t, kSize>& bytes) : bytes_(bytes) {}
  // Lower case, upper case, or mixed case with the right EIP-55 checksum. INVALID_ADDRESS
  // otherwise.
  static Result<Address> Parse(std::string_view text);
  // INVALID_LENGTH unless 20 bytes.
  static Result<Address> FromBytes(ByteView bytes);
  // From a left-padded word; INVALID_ADDRESS when one of the upper 12 bytes is not zero.
  static Result<Address> FromWord(const Hash32& word);
  // The contract of an asset, the address of an account.
  static Address Of(const AssetId& asset);
  static Address Of(const AccountId& account);

  const std::array<std::uint8_t, kSize>& bytes() const { return bytes_; }
  ByteView view() const { return bytes_; }
  Hash32 ToWord() const;
  std::string ToHex() const { return HexEncode(bytes_); }  // lower case: wire and database
  std::string ToChecksum() const;                          // EIP-55: for people and URIs
  bool IsZero() const { return *this == Address(); }
  friend auto operator<=>(const Address&, const Address&) = default;

 private:
  std::array<std::uint8_t, kSize> bytes_{};
};

}  // namespace paymesh::evm

template <>
struct std::hash<paymesh::evm::Address> {
  std::size_t operator()(const paymesh::evm::Address& value) const noexcept {
    return std::hash<std::string_view>()(
        {reinterpret_cast<const char*>(value.bytes().data()), value.bytes().size()});
  }
};
