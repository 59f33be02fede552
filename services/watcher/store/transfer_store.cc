#include "services/watcher/store/transfer_store.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>

#include "common/outbox/append.h"
#include "common/pg/sql/sql_error.h"
#include "services/watcher/convert.h"
#include "services/watcher/store/address_store.h"
#include "services/watcher/store/chain_store.h"

namespace paymesh::watcher {
namespace {

#define PAYMESH_TRANSFER_COLUMNS                                                              \
  "transfer_id, sequence, chain, transaction_hash, ordinal, variant, log_index, token, "      \
  "from_address, to_address, amount, block_number, block_hash, block_time, state, revision, " \
  "reorg_count"

constexpr char kSelectAbove[] =
    "SELECT " PAYMESH_TRANSFER_COLUMNS
    " FROM transfer WHERE chain = $1 AND block_number > $2 "
    "AND state IN ('INCLUDED', 'SAFE') ORDER BY block_number, log_index";
constexpr char kSelectUpTo[] = "SELECT " PAYMESH_TRANSFER_COLUMNS
                               " FROM transfer WHERE chain = $1 AND block_number <= $2 "
                               "AND state IN ('INCLUDED', 'SAFE') ORDER BY block_number, log_index";
constexpr char kSelectTransactions[] = "SELECT " PAYMESH_TRANSFER_COLUMNS
                                       " FROM transfer WHERE chain = $1 "
                                       "AND transaction_hash = ANY($2::bytea[]) "
                                       "ORDER BY block_number, log_index, variant";
constexpr char kSelectLive[] = "SELECT " PAYMESH_TRANSFER_COLUMNS
                               " FROM transfer WHERE chain = $1 AND block_number BETWEEN $2 AND $3 "
                               "AND state IN ('INCLUDED', 'SAFE') ORDER BY block_number, log_index";
constexpr char kSelectList[] = "SELECT " PAYMESH_TRANSFER_COLUMNS
                               " FROM transfer WHERE ($1::text IS NULL OR chain = $1) "
                               "AND ($2::bytea IS NULL OR to_address = $2) "
                               "AND ($3::bytea IS NULL OR transaction_hash = $3) "
                               "AND ($4::bigint = 0 OR sequence < $4) "
                               "ORDER BY sequence DESC LIMIT $5";
#undef PAYMESH_TRANSFER_COLUMNS

constexpr char kUpsert[] = R"(
  INSERT INTO transfer (transfer_id, chain, transaction_hash, ordinal, variant, log_index, token,
                        from_address, to_address, amount, block_number, block_hash, block_time,
                        state, revision, reorg_count)
  SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::int[], $5::int[], $6::int[],
                       $7::bytea[], $8::bytea[], $9::bytea[], $10::numeric[], $11::bigint[],
                       $12::bytea[], $13::timestamptz[], $14::text[], $15::bigint[], $16::int[])
  ON CONFLICT (transfer_id) DO UPDATE
     SET log_index = EXCLUDED.log_index, block_number = EXCLUDED.block_number,
         block_hash = EXCLUDED.block_hash, block_time = EXCLUDED.block_time,
         state = EXCLUDED.state, revision = EXCLUDED.revision, reorg_count = EXCLUDED.reorg_count
   WHERE transfer.revision < EXCLUDED.revision)";

Transfer ReadTransfer(const pg::Row& row) {
  Transfer transfer;
  Match& evidence = transfer.evidence;
  transfer.id = row.Get<std::string>("transfer_id");
  transfer.chain = row.Get<std::string>("chain");
  transfer.variant = static_cast<std::uint32_t>(row.Get<std::int64_t>("variant"));
  evidence.transaction_hash = HashOf(row.Get<pg::Bytea>("transaction_hash"));
  evidence.ordinal = static_cast<std::uint32_t>(row.Get<std::int64_t>("ordinal"));
  evidence.log_index = static_cast<std::uint32_t>(row.Get<std::int64_t>("log_index"));
  evidence.token = AddressOf(row.Get<pg::Bytea>("token"));
  evidence.from = AddressOf(row.Get<pg::Bytea>("from_address"));
  evidence.to = AddressOf(row.Get<pg::Bytea>("to_address"));
  evidence.amount = row.Get<U256>("amount");
  evidence.block = {row.Get<std::uint64_t>("block_number"),
                    HashOf(row.Get<pg::Bytea>("block_hash"))};
  evidence.block_time_seconds = SecondsOf(row.Get<pg::Time>("block_time"));
  const auto state = ParseTransferState(row.Get<std::string>("state"));
  if (!state) throw pg::SqlError(std::string(pg::kDecodeFailure), "unknown transfer state");
  transfer.state = *state;
  transfer.revision = row.Get<std::int64_t>("revision");
  transfer.reorg_count = static_cast<std::uint32_t>(row.Get<std::int64_t>("reorg_count"));
  return transfer;
}

void AddUnique(std::vector<Transfer>& out, std::set<std::string>& seen, const pg::Rows& rows) {
  for (const pg::Row row : rows) {
    Transfer transfer = ReadTransfer(row);
    if (seen.insert(transfer.id).second) out.push_back(std::move(transfer));
  }
}

void Upsert(pg::Transaction& tx, const std::vector<const Transfer*>& rows) {
  std::vector<std::string> ids, chains, states;
  std::vector<pg::Bytea> hashes, tokens, froms, tos, blocks;
  std::vector<std::int64_t> ordinals, variants, indexes, numbers, revisions, reorgs;
  std::vector<U256> amounts;
  std::vector<pg::Time> times;
  for (const Transfer* transfer : rows) {
    const Match& evidence = transfer->evidence;
    ids.push_back(transfer->id);
    chains.push_back(transfer->chain);
    hashes.push_back(BytesOf(evidence.transaction_hash));
    ordinals.push_back(evidence.ordinal);
    variants.push_back(transfer->variant);
    indexes.push_back(evidence.log_index);
    tokens.push_back(BytesOf(evidence.token));
    froms.push_back(BytesOf(evidence.from));
    tos.push_back(BytesOf(evidence.to));
    amounts.push_back(evidence.amount);
    numbers.push_back(static_cast<std::int64_t>(evidence.block.number));
    blocks.push_back(BytesOf(evidence.block.hash));
    times.push_back(TimeOf(evidence.block_time_seconds));
    states.emplace_back(StateName(transfer->state));
    revisions.push_back(transfer->revision);
    reorgs.push_back(transfer->reorg_count);
  }
  tx.Execute(kUpsert, ids, chains, hashes, ordinals, variants, indexes, tokens, froms, tos, amounts,
             numbers, blocks, times, states, revisions, reorgs);
}

std::string KindOf(TransferState state) {
  switch (state) {
    case TransferState::kIncluded:
      return "transfer.included";
    case TransferState::kSafe:
      return "transfer.safe";
    case TransferState::kFinalized:
      return "transfer.finalized";
    case TransferState::kOrphaned:
      break;
  }
  return "transfer.orphaned";
}

using Traces = std::unordered_map<evm::Address, std::string>;

Traces TracesOfParties(pg::Transaction& tx, const std::vector<const Transfer*>& transfers) {
  std::vector<evm::Address> parties;
  for (const Transfer* transfer : transfers) {
    parties.push_back(transfer->evidence.to);
    parties.push_back(transfer->evidence.from);
  }
  return parties.empty() ? Traces() : TracesOf(tx, parties);
}

// Of the payment that it pays, or of the one whose deposit it moves on.
std::string TraceOf(const Transfer& transfer, const Traces& traces) {
  auto found = traces.find(transfer.evidence.to);
  if (found == traces.end()) found = traces.find(transfer.evidence.from);
  return found == traces.end() ? std::string() : found->second;
}

}  // namespace

std::vector<Transfer> LoadForStep(pg::Transaction& tx, const std::string& chain,
                                  std::optional<std::uint64_t> fork, std::uint64_t safe,
                                  const std::vector<evm::Hash32>& transactions) {
  std::vector<Transfer> out;
  std::set<std::string> seen;
  if (fork) AddUnique(out, seen, tx.Execute(kSelectAbove, chain, *fork));
  AddUnique(out, seen, tx.Execute(kSelectUpTo, chain, safe));
  if (!transactions.empty()) {
    std::vector<pg::Bytea> hashes;
    for (const evm::Hash32& hash : transactions) hashes.push_back(BytesOf(hash));
    AddUnique(out, seen, tx.Execute(kSelectTransactions, chain, hashes));
  }
  return out;
}

std::vector<Transfer> LoadLive(pg::Transaction& tx, const std::string& chain, std::uint64_t from,
                               std::uint64_t to) {
  std::vector<Transfer> out;
  for (const pg::Row row : tx.Execute(kSelectLive, chain, from, to))
    out.push_back(ReadTransfer(row));
  return out;
}

void StoreSnapshots(pg::Transaction& tx, const std::vector<Transfer>& snapshots) {
  std::map<std::string_view, const Transfer*> last;
  for (const Transfer& snapshot : snapshots) last[snapshot.id] = &snapshot;
  std::vector<const Transfer*> rows;
  for (const auto& [id, transfer] : last) rows.push_back(transfer);
  // Orphaned ones first, so that the place they leave is free for what replaces them; then in the
  // order of the chain, so that the list's sequence is too.
  std::stable_sort(rows.begin(), rows.end(), [](const Transfer* a, const Transfer* b) {
    return std::tuple(a->live(), a->evidence.block.number, a->evidence.log_index) <
           std::tuple(b->live(), b->evidence.block.number, b->evidence.log_index);
  });
  constexpr std::size_t kRowsAStatement = 2'000;
  for (std::size_t from = 0; from < rows.size(); from += kRowsAStatement) {
    const std::size_t to = std::min(rows.size(), from + kRowsAStatement);
    Upsert(tx, {rows.begin() + static_cast<std::ptrdiff_t>(from),
                rows.begin() + static_cast<std::ptrdiff_t>(to)});
  }
  const auto traces = TracesOfParties(tx, rows);
  for (const Transfer& snapshot : snapshots) {
    outbox::Entry entry;
    entry.subject = snapshot.id;
    entry.kind = KindOf(snapshot.state);
    entry.trace = TraceOf(snapshot, traces);
    entry.payload = TransferPayload(snapshot);
    outbox::Append(tx, "transfers", std::move(entry));
  }
}

std::vector<ListedTransfer> ListTransfers(pg::Transaction& tx, const TransferFilter& filter,
                                          std::int64_t before, int limit) {
  std::optional<pg::Bytea> to, hash;
  if (filter.to) to = BytesOf(*filter.to);
  if (filter.transaction_hash) hash = BytesOf(*filter.transaction_hash);
  std::vector<ListedTransfer> out;
  for (const pg::Row row : tx.Execute(kSelectList, filter.chain, to, hash, before, limit)) {
    out.push_back({row.Get<std::int64_t>("sequence"), ReadTransfer(row)});
  }
  return out;
}

}  // namespace paymesh::watcher
