#include "services/watcher/store/transaction_store.h"

#include <limits>

#include "common/outbox/append.h"
#include "common/pg/sql/sql_error.h"
#include "services/watcher/convert.h"
#include "services/watcher/store/chain_store.h"

namespace paymesh::watcher {
namespace {

constexpr char kInsert[] = R"(
  INSERT INTO tracked_transaction (chain, hash, raw, from_address, nonce, state, revision)
  VALUES ($1, $2, $3, $4, $5, 'PENDING', 1) ON CONFLICT (chain, hash) DO NOTHING)";
constexpr char kSelect[] = R"(
  SELECT * FROM tracked_transaction WHERE chain = $1 AND hash = $2)";
constexpr char kSelectOpen[] = R"(
  SELECT hash FROM tracked_transaction
   WHERE chain = $1 AND state IN ('PENDING', 'ORPHANED') AND NOT replaced AND hash > $2
   ORDER BY hash LIMIT $3)";
constexpr char kSelectUnfinal[] = R"(
  SELECT hash FROM tracked_transaction
   WHERE chain = $1 AND state <> 'FINALIZED' AND NOT replaced ORDER BY create_time DESC LIMIT $2)";
constexpr char kSelectForStep[] = R"(
  SELECT * FROM tracked_transaction
   WHERE chain = $1 AND state IN ('INCLUDED', 'SAFE') AND NOT replaced
     AND (block_number > $2 OR block_number <= $3)
   ORDER BY block_number)";
constexpr char kSelectHashes[] = R"(
  SELECT * FROM tracked_transaction
   WHERE chain = $1 AND hash = ANY($2::bytea[]) AND state IN ('PENDING', 'ORPHANED'))";
constexpr char kMarkReplaced[] = R"(
  UPDATE tracked_transaction t SET replaced = true
   WHERE t.chain = $1 AND t.state IN ('PENDING', 'ORPHANED') AND NOT t.replaced
     AND EXISTS (SELECT FROM tracked_transaction f
                  WHERE f.chain = t.chain AND f.from_address = t.from_address
                    AND f.nonce = t.nonce AND f.state = 'FINALIZED'))";
constexpr char kUpdate[] = R"(
  UPDATE tracked_transaction
     SET state = $3, block_number = $4, block_hash = $5, block_time = $6, receipt = $7,
         revision = $8
   WHERE chain = $1 AND hash = $2 AND revision < $8)";

TrackedTransaction ReadTracked(const pg::Row& row) {
  TrackedTransaction out;
  out.chain = row.Get<std::string>("chain");
  out.hash = HashOf(row.Get<pg::Bytea>("hash"));
  out.from = AddressOf(row.Get<pg::Bytea>("from_address"));
  out.nonce = row.Get<std::uint64_t>("nonce");
  const auto state = ParseTransactionState(row.Get<std::string>("state"));
  if (!state) throw pg::SqlError(std::string(pg::kDecodeFailure), "unknown transaction state");
  out.state = *state;
  out.create_time = row.Get<pg::Time>("create_time");
  out.revision = row.Get<std::int64_t>("revision");
  if (row.IsNull("block_hash")) return out;
  out.block =
      BlockId{row.Get<std::uint64_t>("block_number"), HashOf(row.Get<pg::Bytea>("block_hash"))};
  out.block_time_seconds = SecondsOf(row.Get<pg::Time>("block_time"));
  pb::Receipt receipt;
  if (!receipt.ParseFromString(row.Get<pg::Bytea>("receipt").data)) {
    throw pg::SqlError(std::string(pg::kDecodeFailure), "a stored receipt does not parse");
  }
  auto parsed = FromProto(receipt);
  if (!parsed.ok()) throw pg::SqlError(std::string(pg::kDecodeFailure), parsed.error().message);
  out.receipt = *std::move(parsed);
  return out;
}

std::vector<pg::Bytea> Bytes(const std::vector<evm::Hash32>& hashes) {
  std::vector<pg::Bytea> out;
  for (const evm::Hash32& hash : hashes) out.push_back(BytesOf(hash));
  return out;
}

void AppendSnapshot(pg::Transaction& tx, const TrackedTransaction& snapshot,
                    const std::string& trace = "") {
  outbox::Entry entry;
  entry.subject = snapshot.hash.ToHex();
  entry.kind = "transaction";
  entry.payload = TransactionPayload(snapshot);
  entry.trace = trace;
  outbox::Append(tx, "transactions", std::move(entry));
}

}  // namespace

void InsertTracked(pg::Transaction& tx, const std::string& chain,
                   const evm::SignedTransaction& transaction, const std::string& trace) {
  const pg::Rows inserted = tx.Execute(kInsert, chain, BytesOf(transaction.hash),
                                       pg::Bytea(evm::ByteView(transaction.raw)),
                                       BytesOf(transaction.from), transaction.transaction.nonce);
  if (inserted.affected() == 0) return;
  if (const auto stored = LoadTracked(tx, chain, transaction.hash))
    AppendSnapshot(tx, *stored, trace);
}

std::optional<TrackedTransaction> LoadTracked(pg::Transaction& tx, const std::string& chain,
                                              const evm::Hash32& hash) {
  const pg::Rows rows = tx.Execute(kSelect, chain, BytesOf(hash));
  if (rows.empty()) return std::nullopt;
  return ReadTracked(rows.front());
}

std::vector<evm::Hash32> OpenTracked(pg::Transaction& tx, const std::string& chain,
                                     const evm::Hash32& after, int limit) {
  std::vector<evm::Hash32> out;
  for (const pg::Row row : tx.Execute(kSelectOpen, chain, BytesOf(after), limit)) {
    out.push_back(HashOf(row.Get<pg::Bytea>("hash")));
  }
  return out;
}

std::vector<evm::Hash32> UnfinalTracked(pg::Transaction& tx, const std::string& chain, int limit) {
  std::vector<evm::Hash32> out;
  for (const pg::Row row : tx.Execute(kSelectUnfinal, chain, limit)) {
    out.push_back(HashOf(row.Get<pg::Bytea>("hash")));
  }
  return out;
}

void MarkReplaced(pg::Transaction& tx, const std::string& chain) {
  tx.Execute(kMarkReplaced, chain);
}

std::vector<TrackedTransaction> LoadTrackedForStep(pg::Transaction& tx, const std::string& chain,
                                                   std::optional<std::uint64_t> fork,
                                                   std::uint64_t safe,
                                                   const std::vector<evm::Hash32>& hashes) {
  std::vector<TrackedTransaction> out;
  const std::int64_t above =
      fork ? static_cast<std::int64_t>(*fork) : std::numeric_limits<std::int64_t>::max();
  for (const pg::Row row : tx.Execute(kSelectForStep, chain, above, safe)) {
    out.push_back(ReadTracked(row));
  }
  if (hashes.empty()) return out;
  for (const pg::Row row : tx.Execute(kSelectHashes, chain, Bytes(hashes))) {
    out.push_back(ReadTracked(row));
  }
  // Mined ones that are found in a block again are among neither; they are in the fork's part.
  return out;
}

void StoreTrackedSnapshots(pg::Transaction& tx, const std::vector<TrackedTransaction>& snapshots) {
  for (const TrackedTransaction& snapshot : snapshots) {
    std::optional<std::int64_t> number;
    std::optional<pg::Bytea> hash, receipt;
    std::optional<pg::Time> time;
    if (snapshot.block) {
      number = static_cast<std::int64_t>(snapshot.block->number);
      hash = BytesOf(snapshot.block->hash);
      time = TimeOf(snapshot.block_time_seconds);
      receipt = pg::Bytea(ToProto(*snapshot.receipt).SerializeAsString());
    }
    tx.Execute(kUpdate, snapshot.chain, BytesOf(snapshot.hash), StateName(snapshot.state), number,
               hash, time, receipt, snapshot.revision);
    AppendSnapshot(tx, snapshot);
  }
}

}  // namespace paymesh::watcher
