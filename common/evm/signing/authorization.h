// The signed authorisations that let us move a payer's tokens: ERC-3009 transfers and EIP-2612
// permits, as digests under EIP-712. Nothing calls this yet: it is kept, tested against the vectors
// of other implementations, for payments that are pulled from a payer instead of awaited.
// Immutable values and pure functions; any thread.
#pragma once

#include <cstdint>

#include "common/error/error.h"
#include "common/evm/address.h"
#include "common/evm/signing/eip712.h"
#include "common/evm/signing/signature.h"
#include "common/money/u256.h"

namespace paymesh::evm {

// ERC-3009's transferWithAuthorization. Valid while valid_after < block time < valid_before.
struct TransferAuthorization {
  Address from;
  Address to;
  U256 value;
  U256 valid_after;   // Unix seconds, exclusive
  U256 valid_before;  // Unix seconds, exclusive
  Hash32 nonce;       // any unused 32 bytes
};
Hash32 StructHash(const TransferAuthorization& authorization);
Hash32 Digest(const Eip712Domain& domain, const TransferAuthorization& authorization);

// INVALID_SIGNATURE unless `signature` (65 bytes, v 27 or 28, low s) is `from`'s over exactly this
// in exactly this domain; AUTHORIZATION_NOT_YET_VALID, AUTHORIZATION_EXPIRED by the token's rule.
Result<Signature> VerifyAuthorization(const Eip712Domain& domain,
                                      const TransferAuthorization& authorization,
                                      ByteView signature, std::uint64_t now_seconds);

// EIP-2612's permit.
struct Permit {
  Address owner;
  Address spender;
  U256 value;
  U256 nonce;
  U256 deadline;  // Unix seconds, inclusive
};
Hash32 StructHash(const Permit& permit);
Hash32 Digest(const Eip712Domain& domain, const Permit& permit);

}  // namespace paymesh::evm
