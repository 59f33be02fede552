#include "common/evm/keccak.h"

#include <cryptopp/keccak.h>

namespace paymesh::evm {

Hash32 Keccak256(ByteView data) {
  std::array<std::uint8_t, Hash32::kSize> digest{};
  CryptoPP::Keccak_256 keccak;
  keccak.Update(data.data(), data.size());
  keccak.Final(digest.data());
  return Hash32(digest);
}

}  // namespace paymesh::evm
