// Where deposits go: the factory that every chain has at the same address, and the address that it
// gives to a payment. Immutable; any thread.
#pragma once

#include <string>

#include "common/config/chains.h"
#include "common/error/error.h"
#include "common/evm/address.h"

namespace paymesh::checkout {

struct DepositFactory {
  evm::Address address;
  evm::Hash32 init_code_hash;

  // INVALID_ARGUMENT INVALID_CONFIG unless every chain names the same factory and init code.
  static Result<DepositFactory> FromChains(const runtime::ChainsConfig& chains);
  // CREATE2(factory, keccak256(payment_id), init_code_hash), lower case: equal on all chains.
  std::string AddressFor(const std::string& payment_id) const;
};

}  // namespace paymesh::checkout
