#include "services/checkout/domain/deposit.h"

#include "common/evm/create2.h"
#include "common/evm/keccak.h"

namespace paymesh::checkout {
namespace {
Error Refuse(const std::string& why) { return Error::InvalidArgument("INVALID_CONFIG", why); }
}  // namespace

Result<DepositFactory> DepositFactory::FromChains(const runtime::ChainsConfig& chains) {
  if (chains.chains.empty()) return Refuse("chains_file: there is no chain");
  const runtime::ChainConfig& first = chains.chains.front();
  for (const runtime::ChainConfig& chain : chains.chains) {
    const std::string name = chain.chain.ToString();
    if (chain.factory.empty() || chain.factory_init_code_hash.empty()) {
      return Refuse("chains_file: " + name + " names no factory and init code hash");
    }
    if (chain.factory != first.factory ||
        chain.factory_init_code_hash != first.factory_init_code_hash) {
      return Refuse("chains_file: " + name + " has another factory or init code hash than " +
                    first.chain.ToString() + ", so a deposit address would not be equal on both");
    }
  }
  ASSIGN_OR_RETURN(const evm::Address address, evm::Address::Parse(first.factory));
  ASSIGN_OR_RETURN(const evm::Hash32 hash, evm::Hash32::Parse(first.factory_init_code_hash));
  return DepositFactory{address, hash};
}

std::string DepositFactory::AddressFor(const std::string& payment_id) const {
  return evm::Create2Address(address, evm::Keccak256(payment_id), init_code_hash).ToHex();
}

}  // namespace paymesh::checkout
