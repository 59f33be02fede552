#include "common/evm/signing/signature.h"

#include <openssl/crypto.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "common/evm/keccak.h"

namespace paymesh::evm {
namespace {

// n / 2, rounded down: the largest s that EIP-2 allows.
constexpr U256 kHalfOrder{std::array<std::uint64_t, 4>{
    0xdfe92f46681b20a0ULL, 0x5d576e7357a4501dULL, 0xffffffffffffffffULL, 0x7fffffffffffffffULL}};
// The order n of the group.
constexpr U256 kOrder{std::array<std::uint64_t, 4>{0xbfd25e8cd0364141ULL, 0xbaaedce6af48a03bULL,
                                                   0xfffffffffffffffeULL, 0xffffffffffffffffULL}};

struct DestroyContext {
  void operator()(secp256k1_context* context) const { secp256k1_context_destroy(context); }
};
using Context = std::unique_ptr<secp256k1_context, DestroyContext>;

// A signing context is cheap beside a signature, so none is kept or shared.
Context MakeSigningContext() { return Context(secp256k1_context_create(SECP256K1_CONTEXT_SIGN)); }

Error BadSignature(const char* why) { return Error::InvalidArgument("INVALID_SIGNATURE", why); }

Status CheckScalars(const Signature& signature) {
  const U256 r = signature.r.ToU256();
  const U256 s = signature.s.ToU256();
  if (r.IsZero() || s.IsZero()) return BadSignature("r or s is zero");
  if (r >= kOrder) return BadSignature("r is out of range");
  if (s > kHalfOrder) return BadSignature("s is above half of the order: malleable");
  if (signature.y_parity > 1) return BadSignature("the parity is neither 0 nor 1");
  return {};
}

Result<Signature> FromParts(ByteView bytes, std::uint8_t y_parity) {
  Signature signature;
  ASSIGN_OR_RETURN(signature.r, Hash32::FromBytes(bytes.first(32)));
  ASSIGN_OR_RETURN(signature.s, Hash32::FromBytes(bytes.subspan(32, 32)));
  signature.y_parity = y_parity;
  RETURN_IF_ERROR(CheckScalars(signature));
  return signature;
}

Address AddressOf(const secp256k1_pubkey& key) {
  std::array<std::uint8_t, 65> encoded{};
  std::size_t size = encoded.size();
  secp256k1_ec_pubkey_serialize(secp256k1_context_static, encoded.data(), &size, &key,
                                SECP256K1_EC_UNCOMPRESSED);
  return AddressOfPublicKey(std::span(encoded).subspan<1>());
}

}  // namespace

std::array<std::uint8_t, 65> Signature::ToBytes() const {
  std::array<std::uint8_t, 65> bytes{};
  std::copy(r.bytes().begin(), r.bytes().end(), bytes.begin());
  std::copy(s.bytes().begin(), s.bytes().end(), bytes.begin() + 32);
  bytes[64] = v();
  return bytes;
}

Result<Signature> Signature::FromBytes(ByteView bytes) {
  if (bytes.size() != 65) return BadSignature("needs 65 bytes: r, s, v");
  if (bytes[64] != 27 && bytes[64] != 28) return BadSignature("v is neither 27 nor 28");
  return FromParts(bytes, static_cast<std::uint8_t>(bytes[64] - 27));
}

Result<Signature> Signature::Normalise(ByteView bytes) {
  if (bytes.size() == 65 && bytes[64] <= 1) return FromParts(bytes, bytes[64]);
  return FromBytes(bytes);
}

Result<Address> RecoverSigner(const Hash32& digest, const Signature& signature) {
  RETURN_IF_ERROR(CheckScalars(signature));
  const auto compact = signature.ToBytes();
  secp256k1_ecdsa_recoverable_signature parsed;
  secp256k1_pubkey key;
  if (secp256k1_ecdsa_recoverable_signature_parse_compact(
          secp256k1_context_static, &parsed, compact.data(), signature.y_parity) != 1 ||
      secp256k1_ecdsa_recover(secp256k1_context_static, &key, &parsed, digest.bytes().data()) !=
          1) {
    return BadSignature("no key could have made it");
  }
  return AddressOf(key);
}

Result<Signature> RecoverableSignature(const Hash32& digest, const U256& r, const U256& s,
                                       const Address& signer) {
  if (s >= kOrder) return BadSignature("s is out of range");
  Signature signature;
  signature.r = Hash32::FromU256(r);
  signature.s = Hash32::FromU256(s > kHalfOrder ? SaturatingSub(kOrder, s) : s);
  RETURN_IF_ERROR(CheckScalars(signature));
  for (const bool odd : {false, true}) {
    signature.y_parity = odd ? 1 : 0;
    const Result<Address> recovered = RecoverSigner(digest, signature);
    if (recovered.ok() && *recovered == signer) return signature;
  }
  return Error::InvalidArgument("SIGNER_MISMATCH",
                                "the signature was not made by " + signer.ToChecksum());
}

Result<PrivateKey> PrivateKey::FromBytes(ByteView bytes) {
  if (bytes.size() != 32) return Error::InvalidArgument("INVALID_KEY", "a key has 32 bytes");
  PrivateKey key;
  std::copy(bytes.begin(), bytes.end(), key.secret_.begin());
  const Context context = MakeSigningContext();
  secp256k1_pubkey public_key;
  if (secp256k1_ec_pubkey_create(context.get(), &public_key, key.secret_.data()) != 1) {
    return Error::InvalidArgument("INVALID_KEY", "the key is zero or out of range");
  }
  key.address_ = AddressOf(public_key);
  return key;
}

PrivateKey::PrivateKey(PrivateKey&& other) noexcept { *this = std::move(other); }

PrivateKey& PrivateKey::operator=(PrivateKey&& other) noexcept {
  if (this == &other) return *this;
  secret_ = other.secret_;
  address_ = other.address_;
  OPENSSL_cleanse(other.secret_.data(), other.secret_.size());
  return *this;
}

PrivateKey::~PrivateKey() { OPENSSL_cleanse(secret_.data(), secret_.size()); }

Signature PrivateKey::Sign(const Hash32& digest) const {
  const Context context = MakeSigningContext();
  secp256k1_ecdsa_recoverable_signature raw;
  // The default nonce is RFC 6979's and the library answers with low s. It fails only for a key
  // that FromBytes refuses, as a moved-from one is: a bug.
  if (secp256k1_ecdsa_sign_recoverable(context.get(), &raw, digest.bytes().data(), secret_.data(),
                                       nullptr, nullptr) != 1) {
    std::abort();
  }
  std::array<std::uint8_t, 64> compact{};
  int parity = 0;
  secp256k1_ecdsa_recoverable_signature_serialize_compact(secp256k1_context_static, compact.data(),
                                                          &parity, &raw);
  Signature signature;
  signature.r = *Hash32::FromBytes(std::span(compact).first(32));
  signature.s = *Hash32::FromBytes(std::span(compact).last(32));
  signature.y_parity = static_cast<std::uint8_t>(parity & 1);
  return signature;
}

Address AddressOfPublicKey(std::span<const std::uint8_t, 64> public_key) {
  const Hash32 hash = Keccak256(public_key);
  return *Address::FromBytes(hash.view().last(Address::kSize));
}

Hash32 PersonalMessageHash(std::string_view message) {
  std::string prefixed =
      "\x19"
      "Ethereum Signed Message:\n";
  prefixed.append(std::to_string(message.size())).append(message);
  return Keccak256(prefixed);
}

}  // namespace paymesh::evm
