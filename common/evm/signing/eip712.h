// Typed structured data (EIP-712): digests of what wallets sign.
// Immutable values and pure functions; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error/error.h"
#include "common/evm/abi.h"
#include "common/evm/bytes.h"

namespace paymesh::evm {

// Only the fields present are part of the domain's type.
struct Eip712Domain {
  std::optional<std::string> name;
  std::optional<std::string> version;
  std::optional<std::uint64_t> chain_id;
  std::optional<Address> verifying_contract;
  std::optional<Hash32> salt;
};

struct Eip712Field {
  std::string name;
  std::string type;  // an ABI type, the name of a struct, or an array of either
};
// The members of each struct, by its name.
using Eip712Types = std::map<std::string, std::vector<Eip712Field>>;

Hash32 DomainSeparator(const Eip712Domain& domain);
// "Mail(Person from,Person to)Person(string name)": the struct, then what it refers to by name.
// INVALID_TYPED_DATA for an unknown struct or one nested deeper than 8.
Result<std::string> EncodeStructType(const Eip712Types& types, std::string_view name);
// A struct's value is the list of its members in the order of the fields.
Result<Hash32> StructHash(const Eip712Types& types, std::string_view name,
                          const AbiValue::List& members);
// keccak256(0x1901, domain separator, struct hash): what is signed.
Hash32 TypedDataDigest(const Hash32& domain_separator, const Hash32& struct_hash);

}  // namespace paymesh::evm
