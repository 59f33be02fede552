// ECDSA on secp256k1 as Ethereum uses it: recoverable, low-s (EIP-2), nonces by RFC 6979.
// Immutable values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "common/error/error.h"
#include "common/evm/address.h"
#include "common/evm/bytes.h"

namespace paymesh::evm {

struct Signature {
  Hash32 r;
  Hash32 s;
  std::uint8_t y_parity = 0;  // 0 or 1

  std::uint8_t v() const { return static_cast<std::uint8_t>(27 + y_parity); }
  // r, s, v: what contracts take as bytes.
  std::array<std::uint8_t, 65> ToBytes() const;
  // Exactly 65 bytes, v 27 or 28, low s, r and s in range. INVALID_SIGNATURE otherwise.
  static Result<Signature> FromBytes(ByteView bytes);
  // The same, and v 0 or 1 as some wallets give it, brought to the standard form.
  static Result<Signature> Normalise(ByteView bytes);
  friend bool operator==(const Signature&, const Signature&) = default;
};

// INVALID_SIGNATURE for r or s zero or out of range, for s above n/2 (malleable), and when no key
// could have made it.
Result<Address> RecoverSigner(const Hash32& digest, const Signature& signature);

// The signature of a service that tells r and s alone, and s of either half (a key in AWS KMS): s
// is brought to the lower half, and the parity is the one with which `signer` is recovered.
// INVALID_SIGNATURE for r or s zero or out of range, SIGNER_MISMATCH when another key made it.
Result<Signature> RecoverableSignature(const Hash32& digest, const U256& r, const U256& s,
                                       const Address& signer);

// A secret key. Not copyable; its bytes are wiped when it goes.
class PrivateKey {
 public:
  // INVALID_KEY unless 32 bytes from 1 to n-1.
  static Result<PrivateKey> FromBytes(ByteView bytes);

  PrivateKey(PrivateKey&& other) noexcept;
  PrivateKey& operator=(PrivateKey&& other) noexcept;
  PrivateKey(const PrivateKey&) = delete;
  PrivateKey& operator=(const PrivateKey&) = delete;
  ~PrivateKey();

  const Address& address() const { return address_; }
  Signature Sign(const Hash32& digest) const;
  // For the keystore alone.
  ByteView secret() const { return secret_; }

 private:
  PrivateKey() = default;
  std::array<std::uint8_t, 32> secret_{};
  Address address_;
};

// The address of an uncompressed public key's 64 bytes (without the leading 0x04).
Address AddressOfPublicKey(std::span<const std::uint8_t, 64> public_key);

// What personal_sign signs (EIP-191, version 0x45).
Hash32 PersonalMessageHash(std::string_view message);

}  // namespace paymesh::evm
