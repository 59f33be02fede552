// EIP-1559 transactions (type 2): the bytes to sign, the signed bytes, and strict reading of both.
// Immutable values and pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/error/error.h"
#include "common/evm/address.h"
#include "common/evm/bytes.h"
#include "common/evm/signing/signature.h"
#include "common/money/u256.h"

namespace paymesh::evm {

struct AccessListEntry {
  Address address;
  std::vector<Hash32> storage_keys;
  friend bool operator==(const AccessListEntry&, const AccessListEntry&) = default;
};

struct Transaction {
  std::uint64_t chain_id = 0;
  std::uint64_t nonce = 0;
  U256 max_priority_fee_per_gas;  // wei
  U256 max_fee_per_gas;           // wei
  std::uint64_t gas_limit = 0;
  std::optional<Address> to;  // empty: creates a contract
  U256 value;                 // wei
  Bytes data;
  std::vector<AccessListEntry> access_list;
  friend bool operator==(const Transaction&, const Transaction&) = default;
};

// The most that nodes take into their pools.
inline constexpr std::size_t kMaxTransactionBytes = 128 * 1024;

// 0x02 and the RLP of the fields: what is hashed to be signed.
Bytes SerializeUnsigned(const Transaction& transaction);
Hash32 SigningHash(const Transaction& transaction);

struct SignedTransaction {
  Transaction transaction;
  Signature signature;
  Bytes raw;    // what eth_sendRawTransaction takes
  Hash32 hash;  // of raw
  Address from;
};

SignedTransaction SignTransaction(const Transaction& transaction, const PrivateKey& key);

// With a signature that was made elsewhere over SigningHash; `from` is whoever made it.
// INVALID_SIGNATURE as RecoverSigner.
Result<SignedTransaction> AttachSignature(const Transaction& transaction,
                                          const Signature& signature);

// INVALID_TRANSACTION for another type, non-canonical RLP, a malleable or impossible signature, or
// more than kMaxTransactionBytes.
Result<SignedTransaction> DecodeSigned(ByteView raw);

}  // namespace paymesh::evm
