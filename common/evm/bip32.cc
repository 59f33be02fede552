#include "common/evm/bip32.h"

#include <cryptopp/ripemd.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <secp256k1.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "common/evm/signing/signature.h"

namespace paymesh::evm {
namespace {

constexpr std::size_t kPayload = 78;  // version, depth, fingerprint, child number, code, key
constexpr std::size_t kChecksum = 4;
constexpr std::size_t kTextSize = 111;  // of every key with this version
constexpr std::array<std::uint8_t, 4> kPublicVersion{0x04, 0x88, 0xb2, 0x1e};  // "xpub"
constexpr std::uint32_t kFirstHardened = 0x80000000u;
constexpr unsigned kMaxLevels = 16;

Error BadKey(const char* why) { return Error::InvalidArgument("INVALID_EXTENDED_KEY", why); }
Error BadPath() {
  return Error::InvalidArgument("INVALID_PATH", "a path is up to 16 plain indices, like 0/17");
}

using Decoded = std::array<std::uint8_t, kPayload + kChecksum>;

// Base58, for a number of exactly that many bytes.
std::optional<Decoded> DecodeBase58(std::string_view text) {
  constexpr std::string_view kAlphabet =
      "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  Decoded number{};
  for (const char c : text) {
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    std::size_t carry = digit;
    for (auto byte = number.rbegin(); byte != number.rend(); ++byte) {
      carry += std::size_t{58} * *byte;
      *byte = static_cast<std::uint8_t>(carry & 0xff);
      carry >>= 8;
    }
    if (carry != 0) return std::nullopt;
  }
  return number;
}

std::array<std::uint8_t, 32> Sha256(ByteView data) {
  std::array<std::uint8_t, 32> digest{};
  SHA256(data.data(), data.size(), digest.data());
  return digest;
}

std::uint32_t BigEndian32(ByteView bytes) {
  return (std::uint32_t{bytes[0]} << 24) | (std::uint32_t{bytes[1]} << 16) |
         (std::uint32_t{bytes[2]} << 8) | bytes[3];
}

// The first four bytes of RIPEMD160(SHA256(key)).
std::uint32_t Fingerprint(ByteView key) {
  const auto inner = Sha256(key);
  std::array<std::uint8_t, 20> digest{};
  CryptoPP::RIPEMD160 ripemd;
  ripemd.Update(inner.data(), inner.size());
  ripemd.Final(digest.data());
  return BigEndian32(digest);
}

bool ParsePoint(ByteView compressed, secp256k1_pubkey& point) {
  return secp256k1_ec_pubkey_parse(secp256k1_context_static, &point, compressed.data(),
                                   compressed.size()) == 1;
}

}  // namespace

Result<ExtendedPublicKey> ExtendedPublicKey::Parse(std::string_view text) {
  if (text.size() != kTextSize) return BadKey("has the wrong length");
  const std::optional<Decoded> decoded = DecodeBase58(text);
  if (!decoded) return BadKey("is not in base 58");
  const ByteView payload = ByteView(*decoded).first(kPayload);
  const auto checksum = Sha256(Sha256(payload));
  if (!std::equal(checksum.begin(), checksum.begin() + kChecksum, decoded->begin() + kPayload)) {
    return BadKey("has a wrong checksum: a letter may be mistyped");
  }
  if (!std::equal(kPublicVersion.begin(), kPublicVersion.end(), payload.begin())) {
    return BadKey("is not an extended public key (xpub)");
  }
  ExtendedPublicKey key;
  key.depth_ = payload[4];
  key.parent_fingerprint_ = BigEndian32(payload.subspan(5));
  key.child_number_ = BigEndian32(payload.subspan(9));
  key.chain_code_ = *Hash32::FromBytes(payload.subspan(13, 32));
  std::copy(payload.begin() + 45, payload.end(), key.key_.begin());
  if (key.depth_ == 0 && (key.parent_fingerprint_ != 0 || key.child_number_ != 0)) {
    return BadKey("is a master key with a parent");
  }
  secp256k1_pubkey point;
  if (!ParsePoint(key.key_, point)) return BadKey("is not a point of the curve");
  return key;
}

Result<ExtendedPublicKey> ExtendedPublicKey::Child(std::uint32_t index) const {
  if (index >= kFirstHardened) return BadKey("a public key has no hardened children");
  if (depth_ == 0xff) return BadKey("is at the greatest depth");
  Bytes data(key_.begin(), key_.end());
  for (int shift = 24; shift >= 0; shift -= 8) {
    data.push_back(static_cast<std::uint8_t>(index >> shift));
  }
  std::array<std::uint8_t, 64> mac{};
  unsigned mac_size = 0;
  secp256k1_pubkey point;
  if (HMAC(EVP_sha512(), chain_code_.view().data(), Hash32::kSize, data.data(), data.size(),
           mac.data(), &mac_size) == nullptr ||
      !ParsePoint(key_, point) ||
      secp256k1_ec_pubkey_tweak_add(secp256k1_context_static, &point, mac.data()) != 1) {
    return BadKey("has no child of this index");  // chance below 2^-127
  }
  ExtendedPublicKey child;
  child.depth_ = static_cast<std::uint8_t>(depth_ + 1);
  child.parent_fingerprint_ = Fingerprint(key_);
  child.child_number_ = index;
  child.chain_code_ = *Hash32::FromBytes(std::span(mac).last(32));
  std::size_t size = child.key_.size();
  secp256k1_ec_pubkey_serialize(secp256k1_context_static, child.key_.data(), &size, &point,
                                SECP256K1_EC_COMPRESSED);
  return child;
}

Result<ExtendedPublicKey> ExtendedPublicKey::Derive(std::string_view path) const {
  ExtendedPublicKey key = *this;
  for (unsigned level = 0;; ++level) {
    const std::string_view part = path.substr(0, path.find('/'));
    std::uint32_t index = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
    if (level == kMaxLevels || error != std::errc() || end != part.data() + part.size()) {
      return BadPath();
    }
    ASSIGN_OR_RETURN(key, key.Child(index));
    if (part.size() == path.size()) return key;
    path.remove_prefix(part.size() + 1);
  }
}

Address ExtendedPublicKey::address() const {
  // Parse and Child let only points of the curve in.
  secp256k1_pubkey point;
  if (!ParsePoint(key_, point)) std::abort();
  std::array<std::uint8_t, 65> encoded{};
  std::size_t size = encoded.size();
  secp256k1_ec_pubkey_serialize(secp256k1_context_static, encoded.data(), &size, &point,
                                SECP256K1_EC_UNCOMPRESSED);
  return AddressOfPublicKey(std::span(encoded).subspan<1>());
}

}  // namespace paymesh::evm
