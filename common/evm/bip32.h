// Extended public keys (BIP-32): addresses derived without any private key.
// Immutable values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "common/error/error.h"
#include "common/evm/address.h"
#include "common/evm/bytes.h"

namespace paymesh::evm {

class ExtendedPublicKey {
 public:
  // "xpub…" with its checksum. INVALID_EXTENDED_KEY otherwise, and for a private key.
  static Result<ExtendedPublicKey> Parse(std::string_view text);

  // INVALID_EXTENDED_KEY for a hardened index (2^31 and up): a public key has no such children.
  Result<ExtendedPublicKey> Child(std::uint32_t index) const;
  // "0/17": one Child after the other, at most 16 levels. INVALID_PATH otherwise.
  Result<ExtendedPublicKey> Derive(std::string_view path) const;

  Address address() const;
  const std::array<std::uint8_t, 33>& compressed_key() const { return key_; }
  const Hash32& chain_code() const { return chain_code_; }
  std::uint8_t depth() const { return depth_; }
  std::uint32_t parent_fingerprint() const { return parent_fingerprint_; }
  std::uint32_t child_number() const { return child_number_; }

 private:
  ExtendedPublicKey() = default;
  std::uint8_t depth_ = 0;
  std::uint32_t parent_fingerprint_ = 0;
  std::uint32_t child_number_ = 0;
  Hash32 chain_code_;
  std::array<std::uint8_t, 33> key_{};
};

}  // namespace paymesh::evm
