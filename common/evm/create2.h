// Addresses of contracts that need not exist yet: CREATE2 (EIP-1014) and the minimal proxies
// (EIP-1167) that OpenZeppelin's Clones deploys with it.
// Pure functions; any thread.
#pragma once

#include "common/evm/address.h"
#include "common/evm/bytes.h"

namespace paymesh::evm {

// The last 20 bytes of keccak256(0xff, deployer, salt, init_code_hash).
Address Create2Address(const Address& deployer, const Hash32& salt, const Hash32& init_code_hash);

// The 55 bytes that deploy a minimal proxy of `implementation`.
Bytes CloneInitCode(const Address& implementation);
Hash32 CloneInitCodeHash(const Address& implementation);

}  // namespace paymesh::evm
