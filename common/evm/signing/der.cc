#include "common/evm/signing/der.h"

#include <secp256k1.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "common/evm/signing/signature.h"

namespace paymesh::evm {
namespace {

constexpr std::uint8_t kInteger = 0x02;
constexpr std::uint8_t kSequence = 0x30;
constexpr std::size_t kLongForm = 0x80;

Error BadDer(const char* why) { return Error::InvalidArgument("INVALID_DER", why); }

// Takes a value of this tag off the front. Everything here is shorter than 128 bytes, so a length
// is one byte, and the long form would not be minimal.
Result<ByteView> Take(ByteView& from, std::uint8_t tag) {
  if (from.size() < 2 || from[0] != tag) return BadDer("another value was expected");
  const std::size_t size = from[1];
  if (size >= kLongForm || size > from.size() - 2) return BadDer("a length is wrong");
  const ByteView value = from.subspan(2, size);
  from = from.subspan(2 + size);
  return value;
}

Result<U256> TakePositive(ByteView& from) {
  ASSIGN_OR_RETURN(ByteView value, Take(from, kInteger));
  if (value.empty()) return BadDer("an integer has no bytes");
  if (value[0] >= 0x80) return BadDer("an integer is negative");
  if (value.size() > 1 && value[0] == 0) {
    if (value[1] < 0x80) return BadDer("an integer is padded");
    value = value.subspan(1);
  }
  if (value.size() > U256::kBytes) return BadDer("an integer has over 256 bits");
  return U256::FromBytes(value);
}

// Sequence of (sequence of the object ids ecPublicKey 1.2.840.10045.2.1 and secp256k1 1.3.132.0.10)
// and a bit string of 65 bytes, the first of which says: uncompressed.
constexpr std::array<std::uint8_t, 24> kKeyPrefix = {
    0x30, 0x56, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
    0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a, 0x03, 0x42, 0x00, 0x04};

}  // namespace

Result<EcdsaScalars> ParseDerSignature(ByteView der) {
  ASSIGN_OR_RETURN(ByteView sequence, Take(der, kSequence));
  if (!der.empty()) return BadDer("something follows the signature");
  EcdsaScalars scalars;
  ASSIGN_OR_RETURN(scalars.r, TakePositive(sequence));
  ASSIGN_OR_RETURN(scalars.s, TakePositive(sequence));
  if (!sequence.empty()) return BadDer("something follows s");
  return scalars;
}

Result<Address> AddressOfSubjectPublicKey(ByteView der) {
  if (der.size() != kKeyPrefix.size() + 64 ||
      !std::equal(kKeyPrefix.begin(), kKeyPrefix.end(), der.begin())) {
    return BadDer("not an uncompressed public key on secp256k1");
  }
  const ByteView point = der.last(65);
  secp256k1_pubkey key;
  if (secp256k1_ec_pubkey_parse(secp256k1_context_static, &key, point.data(), point.size()) != 1) {
    return Error::InvalidArgument("INVALID_KEY", "the public key is not on the curve");
  }
  return AddressOfPublicKey(point.last<64>());
}

}  // namespace paymesh::evm
