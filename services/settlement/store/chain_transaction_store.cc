#include "services/settlement/store/chain_transaction_store.h"

#include <algorithm>
#include <array>

namespace paymesh::settlement {
namespace {

constexpr std::string_view kFindWallet =
    "SELECT * FROM sender_wallet WHERE chain = $1 AND address = $2";
constexpr std::string_view kInsertWallet = R"(
  INSERT INTO sender_wallet (chain, address, initial_nonce, next_nonce, create_time)
  VALUES ($1, $2, $3, $3, $4) ON CONFLICT DO NOTHING)";
constexpr std::string_view kTakeNonce = R"(
  UPDATE sender_wallet SET next_nonce = next_nonce + 1 WHERE chain = $1 AND address = $2
  RETURNING next_nonce - 1 AS nonce)";
constexpr std::string_view kRaiseNonce = R"(
  UPDATE sender_wallet SET next_nonce = greatest(next_nonce, $3::bigint + 1)
  WHERE chain = $1 AND address = $2)";
constexpr std::string_view kGasSpent = R"(
  SELECT coalesce(sum(gas_cost), 0) AS spent FROM chain_transaction
  WHERE chain = $1 AND wallet = $2 AND state = 'FINALIZED' AND block_number <= $3)";
constexpr std::string_view kUnsettled = R"(
  SELECT EXISTS (SELECT FROM chain_transaction
                 WHERE chain = $1 AND wallet = $2 AND state = 'INCLUDED' AND block_number <= $3) AS
                   found)";
constexpr std::string_view kFunding = R"(
  UPDATE sender_wallet SET booked_funding = booked_funding + $3, funding_block = $4
  WHERE chain = $1 AND address = $2)";
constexpr std::string_view kUnmined = R"(
  SELECT * FROM chain_transaction
  WHERE chain = $1 AND wallet = $2 AND state IN ('DRAFT', 'SIGNED', 'BROADCAST')
  ORDER BY nonce LIMIT $3)";
constexpr std::string_view kBacklog = R"(
  SELECT count(*) FILTER (WHERE state <> 'INCLUDED') AS unmined, min(nonce) AS first_open
  FROM chain_transaction
  WHERE chain = $1 AND wallet = $2 AND state IN ('DRAFT', 'SIGNED', 'BROADCAST', 'INCLUDED'))";
constexpr std::string_view kNonces = R"(
  SELECT nonce FROM chain_transaction WHERE chain = $1 AND wallet = $2 AND nonce >= $3 ORDER BY
    nonce)";
constexpr std::string_view kLockSlot =
    "SELECT * FROM chain_transaction WHERE chain_transaction_id = $1 FOR UPDATE";
constexpr std::string_view kLockByHash = R"(
  SELECT * FROM chain_transaction WHERE chain_transaction_id =
    (SELECT chain_transaction_id FROM chain_transaction_attempt WHERE transaction_hash = $1)
  FOR UPDATE)";
constexpr std::string_view kOfPayout = R"(
  SELECT * FROM chain_transaction WHERE chain_transaction_id IN
    (SELECT chain_transaction_id FROM chain_transaction_item WHERE payout_id = $1)
  ORDER BY sequence)";
constexpr std::string_view kItems = R"(
  SELECT * FROM chain_transaction_item WHERE chain_transaction_id = ANY ($1::text[])
  ORDER BY chain_transaction_id, position)";
constexpr std::string_view kAttempts = R"(
  SELECT * FROM chain_transaction_attempt WHERE chain_transaction_id = ANY ($1::text[])
  ORDER BY chain_transaction_id, sequence)";
constexpr std::string_view kInsertSlot = R"(
  INSERT INTO chain_transaction (chain_transaction_id, chain, wallet, nonce, purpose, state,
    to_address,
                                 call_data, gas_limit, unit, epoch, create_time, update_time,
                                   revision)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, 1))";
constexpr std::string_view kInsertItem = R"(
  INSERT INTO chain_transaction_item (chain_transaction_id, position, payout_id, payment_id)
  VALUES ($1, $2, nullif($3, ''), nullif($4, '')))";
constexpr std::string_view kMove = R"(
  UPDATE chain_transaction SET state = $2, epoch = greatest(epoch, $3::bigint), update_time = $4,
                               revision = revision + 1
  WHERE chain_transaction_id = $1)";
constexpr std::string_view kInclude = R"(
  UPDATE chain_transaction SET state = 'INCLUDED', included_hash = $2, block_number = $3,
    block_hash = $4,
         block_time = $5, success = $6, gas_cost = $7, used_since = NULL, status_reason = '',
         update_time = $8, revision = revision + 1
  WHERE chain_transaction_id = $1)";
constexpr std::string_view kOrphan = R"(
  UPDATE chain_transaction SET state = 'BROADCAST', included_hash = NULL, block_number = NULL,
         block_hash = NULL, block_time = NULL, success = NULL, gas_cost = NULL, update_time = $2,
         revision = revision + 1
  WHERE chain_transaction_id = $1)";
constexpr std::string_view kClearOutcomes = R"(
  UPDATE chain_transaction_item SET outcome = '', reason = '' WHERE chain_transaction_id = $1)";
// What a reorganisation took out is sent again at the next turn, not after the usual patience.
constexpr std::string_view kForgetBroadcast = R"(
  UPDATE chain_transaction_attempt SET last_broadcast_time = NULL, last_reply = 'UNKNOWN'
  WHERE chain_transaction_id = $1)";
constexpr std::string_view kInsertAttempt = R"(
  INSERT INTO chain_transaction_attempt (transaction_hash, chain_transaction_id, sequence, raw,
    max_fee,
                                         max_priority_fee, epoch, sign_time)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8))";
constexpr std::string_view kReply = R"(
  UPDATE chain_transaction_attempt
  SET broadcast_count = broadcast_count + 1, last_reply = $2, last_broadcast_time = $3,
      first_broadcast_time = coalesce(first_broadcast_time, $3)
  WHERE transaction_hash = $1)";
constexpr std::string_view kNoop = R"(
  UPDATE chain_transaction SET purpose = 'NOOP', to_address = $2, call_data = $3, gas_limit = $4,
    unit = '',
         epoch = $5, status_reason = $6, update_time = $7, revision = revision + 1
  WHERE chain_transaction_id = $1)";
constexpr std::string_view kKill =
    "UPDATE chain_transaction_item SET alive = false WHERE chain_transaction_id = $1";
constexpr std::string_view kUsedSince =
    "UPDATE chain_transaction SET used_since = $2 WHERE chain_transaction_id = $1";
constexpr std::string_view kReason =
    "UPDATE chain_transaction SET status_reason = $2 WHERE chain_transaction_id = $1";
constexpr std::string_view kOutcome = R"(
  UPDATE chain_transaction_item i SET outcome = r.outcome, reason = left(r.reason, 500)
  FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS r (outcome, reason, place)
  WHERE i.chain_transaction_id = $1 AND i.position = r.place - 1)";

template <class T>
T Parsed(std::optional<T> value, std::string_view what) {
  if (!value) throw pg::SqlError(std::string(pg::kDecodeFailure), std::string(what));
  return *value;
}
template <class T>
T Checked(Result<T> result, std::string_view what) {
  if (!result.ok()) throw pg::SqlError(std::string(pg::kDecodeFailure), std::string(what));
  return std::move(result).value();
}

SlotRow ToSlot(const pg::Row& row) {
  SlotRow out;
  out.slot.id = row.Get<std::string>("chain_transaction_id");
  out.slot.nonce = row.Get<std::uint64_t>("nonce");
  out.slot.state = Parsed(ParseSlotState(row.Get<std::string>("state")), "slot state");
  out.slot.purpose = Parsed(ParsePurpose(row.Get<std::string>("purpose")), "slot purpose");
  out.slot.revision = row.Get<std::int64_t>("revision");
  out.wallet = {row.Get<std::string>("chain"), row.Get<std::string>("wallet")};
  out.call.to = Checked(evm::Address::Parse(row.Get<std::string>("to_address")), "to_address");
  out.call.data = row.Get<pg::Bytea>("call_data").ToVector();
  out.call.gas_limit = row.Get<std::uint64_t>("gas_limit");
  out.unit = row.Get<std::string>("unit");
  out.included_hash = row.Get<std::optional<std::string>>("included_hash");
  out.block_hash = row.Get<std::optional<std::string>>("block_hash");
  out.block_number = row.Get<std::optional<std::uint64_t>>("block_number");
  out.success = row.Get<std::optional<bool>>("success");
  out.used_since = row.Get<std::optional<Time>>("used_since");
  out.epoch = row.Get<std::int64_t>("epoch");
  out.status_reason = row.Get<std::string>("status_reason");
  out.create_time = row.Get<Time>("create_time");
  return out;
}

Attempt ToAttempt(const pg::Row& row) {
  Attempt out;
  out.hash = Checked(evm::Hash32::Parse(row.Get<std::string>("transaction_hash")), "attempt hash");
  out.raw = row.Get<pg::Bytea>("raw").ToVector();
  out.fees = {row.Get<U256>("max_fee"), row.Get<U256>("max_priority_fee")};
  out.sign_time = row.Get<Time>("sign_time");
  out.broadcast_count = row.Get<int>("broadcast_count");
  out.first_broadcast_time = row.Get<std::optional<Time>>("first_broadcast_time");
  out.last_broadcast_time = row.Get<std::optional<Time>>("last_broadcast_time");
  out.last_reply = Parsed(ParseReply(row.Get<std::string>("last_reply")), "reply");
  return out;
}

// The slots of a result with their items and attempts: two statements whatever their number.
std::vector<SlotRow> Complete(pg::Transaction& tx, const pg::Rows& rows) {
  std::vector<SlotRow> slots;
  std::vector<std::string> ids;
  for (const pg::Row row : rows) {
    slots.push_back(ToSlot(row));
    ids.push_back(slots.back().slot.id);
  }
  if (slots.empty()) return slots;
  auto find = [&](const std::string& id) -> SlotRow& {
    return *std::ranges::find_if(slots, [&](const SlotRow& slot) { return slot.slot.id == id; });
  };
  for (const pg::Row row : tx.Execute(kItems, ids)) {
    SlotItem item;
    item.payout_id = row.Get<std::optional<std::string>>("payout_id").value_or("");
    item.payment_id = row.Get<std::optional<std::string>>("payment_id").value_or("");
    item.outcome = row.Get<std::string>("outcome");
    item.alive = row.Get<bool>("alive");
    find(row.Get<std::string>("chain_transaction_id")).items.push_back(std::move(item));
  }
  for (const pg::Row row : tx.Execute(kAttempts, ids)) {
    find(row.Get<std::string>("chain_transaction_id")).slot.attempts.push_back(ToAttempt(row));
  }
  return slots;
}

std::optional<SlotRow> One(pg::Transaction& tx, const pg::Rows& rows) {
  std::vector<SlotRow> slots = Complete(tx, rows);
  if (slots.empty()) return std::nullopt;
  return std::move(slots.front());
}

}  // namespace

Time DatabaseNow(pg::Transaction& tx) {
  return tx.Execute("SELECT clock_timestamp() AS now").front().Get<Time>("now");
}

std::optional<WalletRow> FindWallet(pg::Transaction& tx, const WalletKey& key) {
  const pg::Rows rows = tx.Execute(kFindWallet, key.chain, key.address);
  if (rows.empty()) return std::nullopt;
  const pg::Row row = rows.front();
  return WalletRow{row.Get<std::uint64_t>("initial_nonce"), row.Get<std::uint64_t>("next_nonce"),
                   row.Get<U256>("booked_funding"),
                   row.Get<std::optional<std::uint64_t>>("funding_block")};
}

void InsertWallet(pg::Transaction& tx, const WalletKey& key, std::uint64_t nonce, Time now) {
  tx.Execute(kInsertWallet, key.chain, key.address, nonce, now);
}

U256 GasSpent(pg::Transaction& tx, const WalletKey& key, std::uint64_t block_number) {
  return tx.Execute(kGasSpent, key.chain, key.address, block_number).front().Get<U256>("spent");
}

bool HasUnsettledBlock(pg::Transaction& tx, const WalletKey& key, std::uint64_t block_number) {
  return tx.Execute(kUnsettled, key.chain, key.address, block_number).front().Get<bool>("found");
}

void RecordFunding(pg::Transaction& tx, const WalletKey& key, const U256& added,
                   std::uint64_t block_number) {
  tx.Execute(kFunding, key.chain, key.address, added, block_number);
}

std::vector<SlotRow> UnminedSlots(pg::Transaction& tx, const WalletKey& key, int limit) {
  return Complete(tx, tx.Execute(kUnmined, key.chain, key.address, limit));
}

Backlog FindBacklog(pg::Transaction& tx, const WalletKey& key) {
  const pg::Rows rows = tx.Execute(kBacklog, key.chain, key.address);
  return {static_cast<std::size_t>(rows.front().Get<std::int64_t>("unmined")),
          rows.front().Get<std::optional<std::uint64_t>>("first_open")};
}

std::vector<std::uint64_t> SlotNonces(pg::Transaction& tx, const WalletKey& key,
                                      std::uint64_t from) {
  std::vector<std::uint64_t> nonces;
  for (const pg::Row row : tx.Execute(kNonces, key.chain, key.address, from)) {
    nonces.push_back(row.Get<std::uint64_t>("nonce"));
  }
  return nonces;
}

std::optional<SlotRow> LockSlot(pg::Transaction& tx, std::string_view chain_transaction_id) {
  return One(tx, tx.Execute(kLockSlot, chain_transaction_id));
}

std::optional<SlotRow> LockSlotOfHash(pg::Transaction& tx, std::string_view transaction_hash) {
  return One(tx, tx.Execute(kLockByHash, transaction_hash));
}

std::vector<SlotRow> SlotsOfPayout(pg::Transaction& tx, std::string_view payout_id) {
  return Complete(tx, tx.Execute(kOfPayout, payout_id));
}

std::uint64_t InsertDraft(pg::Transaction& tx, const WalletKey& key, const NewSlot& slot,
                          std::optional<std::uint64_t> nonce, Time now) {
  if (!nonce) {
    nonce = tx.Execute(kTakeNonce, key.chain, key.address).front().Get<std::uint64_t>("nonce");
  }
  tx.Execute(kInsertSlot, slot.id, key.chain, key.address, *nonce, PurposeName(slot.purpose),
             SlotStateName(SlotState::kDraft), slot.call.to.ToHex(), pg::Bytea(slot.call.data),
             slot.call.gas_limit, slot.unit, slot.epoch, now);
  int position = 0;
  for (const SlotItem& item : slot.items) {
    tx.Execute(kInsertItem, slot.id, position++, item.payout_id, item.payment_id);
  }
  return *nonce;
}

void InsertForeign(pg::Transaction& tx, const WalletKey& key, std::string_view id,
                   std::uint64_t nonce, std::int64_t epoch, Time now) {
  tx.Execute(kInsertSlot, id, key.chain, key.address, nonce, PurposeName(Purpose::kForeign),
             SlotStateName(SlotState::kReplaced), key.address, pg::Bytea(), 0, "", epoch, now);
  tx.Execute(kRaiseNonce, key.chain, key.address, nonce);
}

bool Move(pg::Transaction& tx, SlotRow& row, SlotEvent event, std::int64_t epoch, Time now) {
  const auto next = NextState(row.slot.state, event);
  if (!next) return false;
  tx.Execute(kMove, row.slot.id, SlotStateName(*next), epoch, now);
  row.slot.state = *next;
  ++row.slot.revision;
  return true;
}

void InsertAttempt(pg::Transaction& tx, const SlotRow& row, const Attempt& attempt,
                   std::int64_t epoch) {
  tx.Execute(kInsertAttempt, attempt.hash.ToHex(), row.slot.id,
             static_cast<int>(row.slot.attempts.size()), pg::Bytea(attempt.raw),
             attempt.fees.max_fee, attempt.fees.max_priority_fee, epoch, attempt.sign_time);
}

void RecordReply(pg::Transaction& tx, std::string_view transaction_hash, Reply reply, Time now) {
  tx.Execute(kReply, transaction_hash, ReplyName(reply), now);
}

void TurnIntoNoop(pg::Transaction& tx, SlotRow& row, const Call& noop, std::int64_t epoch,
                  std::string_view reason, Time now) {
  tx.Execute(kNoop, row.slot.id, noop.to.ToHex(), pg::Bytea(noop.data), noop.gas_limit, epoch,
             reason, now);
  KillItems(tx, row);
  row.slot.purpose = Purpose::kNoop;
  row.call = noop;
  ++row.slot.revision;
}

void KillItems(pg::Transaction& tx, const SlotRow& row) { tx.Execute(kKill, row.slot.id); }

void SetUsedSince(pg::Transaction& tx, const SlotRow& row, std::optional<Time> since) {
  tx.Execute(kUsedSince, row.slot.id, since);
}

void SetStatusReason(pg::Transaction& tx, const SlotRow& row, std::string_view reason) {
  if (row.status_reason != reason) tx.Execute(kReason, row.slot.id, reason);
}

bool MoveIncluded(pg::Transaction& tx, SlotRow& row, const SlotEvidence& evidence, Time now) {
  if (!NextState(row.slot.state, SlotEvent::kInclude)) return false;
  tx.Execute(kInclude, row.slot.id, evidence.transaction_hash, evidence.block_number,
             evidence.block_hash, evidence.block_time, evidence.success, evidence.gas_cost, now);
  row.slot.state = SlotState::kIncluded;
  row.included_hash = evidence.transaction_hash;
  row.block_hash = evidence.block_hash;
  row.block_number = evidence.block_number;
  row.success = evidence.success;
  ++row.slot.revision;
  return true;
}

bool MoveOrphaned(pg::Transaction& tx, SlotRow& row, Time now) {
  if (!NextState(row.slot.state, SlotEvent::kOrphan)) return false;
  tx.Execute(kOrphan, row.slot.id, now);
  tx.Execute(kClearOutcomes, row.slot.id);
  tx.Execute(kForgetBroadcast, row.slot.id);
  row.slot.state = SlotState::kBroadcast;
  row.included_hash.reset();
  row.block_hash.reset();
  row.block_number.reset();
  row.success.reset();
  for (SlotItem& item : row.items) item.outcome.clear();
  ++row.slot.revision;
  return true;
}

void SetOutcomes(pg::Transaction& tx, const SlotRow& row, const std::vector<ItemResult>& results) {
  std::vector<std::string> outcomes, reasons;
  for (const ItemResult& result : results) {
    outcomes.emplace_back(OutcomeName(result.outcome));
    reasons.push_back(result.reason);
  }
  tx.Execute(kOutcome, row.slot.id, outcomes, reasons);
}

std::string_view OutcomeName(ItemOutcome outcome) {
  static constexpr std::array<std::string_view, 4> kNames = {"PAID", "FAILED", "ALREADY_PAID",
                                                             "MISSING"};
  return kNames[static_cast<std::size_t>(outcome)];
}

}  // namespace paymesh::settlement
