#include "common/evm/create2.h"

#include "common/evm/keccak.h"

namespace paymesh::evm {
namespace {

// Deploys the 45 bytes that follow: a proxy that delegates every call to the address between them.
constexpr std::array<std::uint8_t, 20> kBeforeImplementation{
    0x3d, 0x60, 0x2d, 0x80, 0x60, 0x0a, 0x3d, 0x39, 0x81, 0xf3,
    0x36, 0x3d, 0x3d, 0x37, 0x3d, 0x3d, 0x3d, 0x36, 0x3d, 0x73};
constexpr std::array<std::uint8_t, 15> kBehindImplementation{
    0x5a, 0xf4, 0x3d, 0x82, 0x80, 0x3e, 0x90, 0x3d, 0x91, 0x60, 0x2b, 0x57, 0xfd, 0x5b, 0xf3};

}  // namespace

Address Create2Address(const Address& deployer, const Hash32& salt, const Hash32& init_code_hash) {
  Bytes preimage{0xff};
  Append(preimage, deployer.view());
  Append(preimage, salt.view());
  Append(preimage, init_code_hash.view());
  return *Address::FromBytes(Keccak256(preimage).view().last(Address::kSize));
}

Bytes CloneInitCode(const Address& implementation) {
  Bytes code;
  Append(code, kBeforeImplementation);
  Append(code, implementation.view());
  Append(code, kBehindImplementation);
  return code;
}

Hash32 CloneInitCodeHash(const Address& implementation) {
  return Keccak256(CloneInitCode(implementation));
}

}  // namespace paymesh::evm
