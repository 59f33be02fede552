// What the chain did to our transactions, applied: slots, payouts, postings, events. Fed by the
// follower of watcher.transactions, so each fate is applied once and in the journal's order.
// One thread, inside the transaction that it is given.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/error/error.h"
#include "common/pg/transaction.h"
#include "common/runtime/clock.h"
#include "services/settlement/domain/chain_transaction_call.h"

namespace paymesh::settlement {

enum class FateState { kPending, kIncluded, kSafe, kFinalized, kOrphaned };

// The watcher's word on one transaction.
struct Fate {
  std::string chain;
  std::string transaction_hash;
  std::string from;
  std::uint64_t nonce = 0;
  FateState state = FateState::kPending;
  std::uint64_t block_number = 0;
  std::string block_hash;
  std::optional<Time> block_time = std::nullopt;
  bool success = false;
  U256 gas_cost;  // wei: gas used at the effective price, and the fee for data
  std::vector<ReceiptLog> logs = {};
};

// What a person must hear of.
enum class FateAlarm {
  kUnknownTransaction,  // signed by our wallet, and no attempt of ours
  kAlreadyPaid,         // the vault says that it paid this payout before
  kOutcomeMissing,      // a successful transaction whose logs do not speak of an item
  kReverted,            // a final transaction of ours that reverted
  kContradiction,  // a final transaction that is said not to be, or a given up one that is mined
};
std::string_view FateAlarmName(FateAlarm alarm);

struct FateContext {
  std::string chain;
  evm::Address vault;
  evm::Address factory;
  // Called inside the transaction, maybe more than once for one fate.
  std::function<void(FateAlarm alarm, const std::string& subject)> alarm = {};
};

Status ApplyFate(pg::Transaction& tx, const FateContext& context, const Fate& fate);

}  // namespace paymesh::settlement
