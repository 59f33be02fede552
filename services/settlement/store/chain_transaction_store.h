// Operator wallets, their nonce slots, the items in a slot and what was signed for it.
// Each function: one thread, inside the transaction that it is given. What only the holder of the
// wallet's lease may do takes the lease's epoch from its caller, who has checked it in the same
// transaction (pg::RequireLease).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/evm/address.h"
#include "common/pg/transaction.h"
#include "common/runtime/clock.h"
#include "services/settlement/domain/chain_transaction.h"
#include "services/settlement/domain/chain_transaction_call.h"

namespace paymesh::settlement {

struct WalletKey {
  std::string chain;    // CAIP-2
  std::string address;  // lower case
};

struct WalletRow {
  std::uint64_t initial_nonce = 0;
  std::uint64_t next_nonce = 0;
  U256 booked_funding;
  std::optional<std::uint64_t> funding_block;
};

// One thing that a slot carries: exactly one of the two ids.
struct SlotItem {
  std::string payout_id;
  std::string payment_id;  // whose deposit address is swept
  std::string outcome = {};
  bool alive = true;
};

struct SlotRow {
  Slot slot;
  WalletKey wallet;
  Call call;
  std::string unit;  // of a sweep
  std::vector<SlotItem> items = {};
  std::optional<std::string> included_hash = std::nullopt;
  std::optional<std::string> block_hash = std::nullopt;
  std::optional<std::uint64_t> block_number = std::nullopt;
  std::optional<bool> success = std::nullopt;
  std::optional<Time> used_since = std::nullopt;
  std::int64_t epoch = 0;
  std::string status_reason = {};
  Time create_time{};
};

Time DatabaseNow(pg::Transaction& tx);

std::optional<WalletRow> FindWallet(pg::Transaction& tx, const WalletKey& key);
// Does nothing when the wallet is there already.
void InsertWallet(pg::Transaction& tx, const WalletKey& key, std::uint64_t nonce, Time now);
// What has been spent on gas by final transactions up to and including a block.
U256 GasSpent(pg::Transaction& tx, const WalletKey& key, std::uint64_t block_number);
// Whether a transaction that is not final yet stands at or below a block.
bool HasUnsettledBlock(pg::Transaction& tx, const WalletKey& key, std::uint64_t block_number);
void RecordFunding(pg::Transaction& tx, const WalletKey& key, const U256& added,
                   std::uint64_t block_number);

// Slots that no block has, lowest nonce first, with items and attempts.
std::vector<SlotRow> UnminedSlots(pg::Transaction& tx, const WalletKey& key, int limit);
struct Backlog {
  std::size_t unmined = 0;
  std::optional<std::uint64_t> first_open;  // the lowest nonce that is not final
};
Backlog FindBacklog(pg::Transaction& tx, const WalletKey& key);
// Nonces of all slots from `from` on, sorted.
std::vector<std::uint64_t> SlotNonces(pg::Transaction& tx, const WalletKey& key,
                                      std::uint64_t from);
std::optional<SlotRow> LockSlot(pg::Transaction& tx, std::string_view chain_transaction_id);
// The slot that has this attempt, locked.
std::optional<SlotRow> LockSlotOfHash(pg::Transaction& tx, std::string_view transaction_hash);
// Slots that carry or carried a payout, oldest first.
std::vector<SlotRow> SlotsOfPayout(pg::Transaction& tx, std::string_view payout_id);

struct NewSlot {
  std::string id;
  Purpose purpose = Purpose::kNoop;
  Call call;
  std::string unit = {};
  std::vector<SlotItem> items = {};
  std::int64_t epoch = 0;
};
// A DRAFT with the wallet's next nonce (which it takes), or with `nonce`: a hole.
std::uint64_t InsertDraft(pg::Transaction& tx, const WalletKey& key, const NewSlot& slot,
                          std::optional<std::uint64_t> nonce, Time now);
// A nonce that somebody else's final transaction took, which was never ours. Moves the counter.
void InsertForeign(pg::Transaction& tx, const WalletKey& key, std::string_view id,
                   std::uint64_t nonce, std::int64_t epoch, Time now);

// Moves a slot along the table; `row` follows. False: impossible from its state.
bool Move(pg::Transaction& tx, SlotRow& row, SlotEvent event, std::int64_t epoch, Time now);
void InsertAttempt(pg::Transaction& tx, const SlotRow& row, const Attempt& attempt,
                   std::int64_t epoch);
void RecordReply(pg::Transaction& tx, std::string_view transaction_hash, Reply reply, Time now);
// Turns a draft for which nothing is stored into a no-op; its items are dead.
void TurnIntoNoop(pg::Transaction& tx, SlotRow& row, const Call& noop, std::int64_t epoch,
                  std::string_view reason, Time now);
void KillItems(pg::Transaction& tx, const SlotRow& row);
void SetUsedSince(pg::Transaction& tx, const SlotRow& row, std::optional<Time> since);
void SetStatusReason(pg::Transaction& tx, const SlotRow& row, std::string_view reason);

struct SlotEvidence {
  std::string transaction_hash;
  std::uint64_t block_number = 0;
  std::string block_hash;
  std::optional<Time> block_time = std::nullopt;
  bool success = false;
  U256 gas_cost;  // wei
};
bool MoveIncluded(pg::Transaction& tx, SlotRow& row, const SlotEvidence& evidence, Time now);
bool MoveOrphaned(pg::Transaction& tx, SlotRow& row, Time now);
// One result an item, in the items' order.
void SetOutcomes(pg::Transaction& tx, const SlotRow& row, const std::vector<ItemResult>& results);

std::string_view OutcomeName(ItemOutcome outcome);  // "PAID"

}  // namespace paymesh::settlement
