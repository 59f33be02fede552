// What goes into a chain transaction and what comes out of it: calls of the vault and the deposit
// factory, how much gas they are given, whether signed bytes say what was approved, and what each
// item of a batch came to according to the receipt's logs.
// Pure functions and plain values; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/error/error.h"
#include "common/evm/address.h"
#include "common/evm/bytes.h"
#include "common/evm/transaction.h"
#include "common/money/u256.h"
#include "services/settlement/domain/chain_transaction.h"

namespace paymesh::settlement {

// Gas given to transactions. The watcher offers no estimate, and an estimate would be of little
// use: the contracts refuse a batch unless enough gas for a whole item is left before each one.
struct GasLimits {
  std::uint64_t base = 100'000;            // 21,000, call data and the loop
  std::uint64_t pay_per_item = 310'000;    // Vault.ITEM_GAS and the event: the worst an item can do
  std::uint64_t pay_floor = 360'000;       // Vault.ITEM_GAS_FLOOR after the last item
  std::uint64_t sweep_per_item = 160'000;  // deployment, a transfer, the event: listed tokens
  std::uint64_t sweep_floor = 430'000;     // DepositFactory.ITEM_GAS_FLOOR
  std::uint64_t noop = 21'000;
};
// Above this nodes refuse a transaction (EIP-7825: 2^24).
inline constexpr std::uint64_t kMaxTransactionGas = 16'777'216;
inline constexpr std::size_t kMaxPayBatch = 40;
inline constexpr std::size_t kMaxSweepBatch = 50;

struct PayItem {
  std::string payout_id;
  evm::Address token;
  evm::Address to;
  U256 amount;
};

// What an intent comes to on the chain: everything of a transaction that is not its price.
struct Call {
  evm::Address to;
  evm::Bytes data;
  std::uint64_t gas_limit = 0;
  friend bool operator==(const Call&, const Call&) = default;
};

// keccak256 of the id's ASCII text: what the vault knows a payout by.
evm::Hash32 OnChainPayoutId(std::string_view payout_id);
// keccak256 of the payment id's ASCII text: the salt of its deposit address.
evm::Hash32 DepositSalt(std::string_view payment_id);

// INVALID_ARGUMENT BATCH_SIZE for none or too many items.
Result<Call> PayBatchCall(const evm::Address& vault, const std::vector<PayItem>& items,
                          const GasLimits& limits);
Result<Call> SweepCall(const evm::Address& factory, const std::vector<evm::Hash32>& salts,
                       const evm::Address& token, const GasLimits& limits);
// Nothing, to oneself: fills a hole in the nonces.
Call NoopCall(const evm::Address& wallet, const GasLimits& limits);
// One item alone as Vault.pay, for a dry run: its revert says what is wrong with the item.
Result<evm::Bytes> PayCallData(const PayItem& item);
// Vault.paid(payout id).
Result<evm::Bytes> PaidCallData(std::string_view payout_id);
Result<bool> ParseBool(evm::ByteView data);
// Vault.limitOf and Vault.spentToday: what may leave in a token in a day, and what has.
Result<evm::Bytes> LimitCallData(const evm::Address& token);
Result<evm::Bytes> SpentCallData(const evm::Address& token);
Result<U256> ParseUint(evm::ByteView data);

evm::Transaction MakeTransaction(std::uint64_t chain_id, std::uint64_t nonce, const Call& call,
                                 const Fees& fees);

// Decodes `raw` and holds every field against what was approved: chain, nonce, contract, value,
// data, gas, fees, sender. FAILED_PRECONDITION SIGNED_FIELDS_DIFFER names the first that differs.
Result<evm::SignedTransaction> VerifySigned(evm::ByteView raw, const evm::Transaction& approved,
                                            const evm::Address& wallet);

// A receipt's log as the watcher gives it.
struct ReceiptLog {
  evm::Address address;
  std::vector<evm::Hash32> topics;
  evm::Bytes data;
};

enum class ItemOutcome {
  kPaid,         // the token moved
  kFailed,       // refused; nothing moved
  kAlreadyPaid,  // refused because an earlier transaction paid it
  kMissing,  // the logs do not speak of it: the whole transaction reverted or is not what we think
};
struct ItemResult {
  ItemOutcome outcome = ItemOutcome::kMissing;
  std::string reason = {};  // of a failure, for people
};
// By item, in the order of `items`. A Paid event counts only with the item's own token, recipient
// and amount, and only together with the token's own Transfer out of the vault, which is the truth.
std::vector<ItemResult> PayResults(const evm::Address& vault, const std::vector<PayItem>& items,
                                   const std::vector<ReceiptLog>& logs);
std::vector<ItemResult> SweepResults(const evm::Address& factory,
                                     const std::vector<evm::Hash32>& salts,
                                     const evm::Address& token,
                                     const std::vector<ReceiptLog>& logs);

// A contract's revert data in words: "LimitExceeded", "NothingToFlush", "Error: Blocked", ...
std::string RevertReason(evm::ByteView data);

}  // namespace paymesh::settlement
