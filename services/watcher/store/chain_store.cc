#include "services/watcher/store/chain_store.h"

#include "common/outbox/append.h"
#include "common/pg/sql/sql_error.h"
#include "services/watcher/convert.h"

namespace paymesh::watcher {
namespace {

constexpr char kSelectChains[] = R"(
  SELECT c.*, (SELECT count(*) FROM reorg r WHERE r.chain = c.chain
                 AND r.create_time > now() - interval '24 hours') AS reorgs,
         h.parent_hash AS head_parent, h.block_time AS head_time,
         s.hash AS safe_hash, s.parent_hash AS safe_parent, s.block_time AS safe_time,
         f.hash AS finalized_hash, f.parent_hash AS finalized_parent, f.block_time AS finalized_time
    FROM chain c
    LEFT JOIN block h ON h.chain = c.chain AND h.number = c.head_number
    LEFT JOIN block s ON s.chain = c.chain AND s.number = c.safe_number
    LEFT JOIN block f ON f.chain = c.chain AND f.number = c.finalized_number
   WHERE $1::text IS NULL OR c.chain = $1
   ORDER BY c.chain)";
constexpr char kSelectHeaders[] = R"(
  SELECT number, hash, parent_hash, block_time FROM block
   WHERE chain = $1 AND number >= $2 ORDER BY number)";
constexpr char kSelectHeader[] = R"(
  SELECT number, hash, parent_hash, block_time FROM block WHERE chain = $1 AND number = $2)";
constexpr char kInsertAnchor[] = R"(
  INSERT INTO chain (chain, genesis_hash, head_number, head_hash, safe_number, finalized_number,
                     anchor_number, state)
  VALUES ($1, $2, $3::bigint, $4, $3::bigint, $3::bigint, $3::bigint, 'SYNCING')
  ON CONFLICT (chain) DO NOTHING)";
constexpr char kInsertAnchorBlock[] = R"(
  INSERT INTO block (chain, number, hash, parent_hash, block_time) VALUES ($1, $2, $3, $4, $5))";
constexpr char kUpdateStatus[] = R"(
  UPDATE chain SET state = $2, status_reason = $3, node_head_number = greatest($4::bigint, 0),
         contact_time = CASE WHEN $5::boolean THEN now() ELSE contact_time END
   WHERE chain = $1 AND state <> 'HALTED')";
constexpr char kHalt[] = R"(
  UPDATE chain SET state = 'HALTED', status_reason = $2 WHERE chain = $1 AND state <> 'HALTED')";
constexpr char kResume[] = R"(
  UPDATE chain SET state = 'SYNCING', status_reason = '' WHERE chain = $1 AND state = 'HALTED')";

Header ReadHeader(const pg::Row& row) {
  Header header;
  header.number = row.Get<std::uint64_t>("number");
  header.hash = HashOf(row.Get<pg::Bytea>("hash"));
  header.parent = HashOf(row.Get<pg::Bytea>("parent_hash"));
  header.timestamp_seconds = SecondsOf(row.Get<pg::Time>("block_time"));
  return header;
}

std::optional<Header> ReadMark(const pg::Row& row, std::uint64_t number, const std::string& mark,
                               std::string_view hash_column) {
  if (row.IsNull(mark + "_time")) return std::nullopt;
  Header header;
  header.number = number;
  header.hash = HashOf(row.Get<pg::Bytea>(hash_column));
  header.parent = HashOf(row.Get<pg::Bytea>(mark + "_parent"));
  header.timestamp_seconds = SecondsOf(row.Get<pg::Time>(mark + "_time"));
  return header;
}

ChainState ParseState(const std::string& name) {
  for (const ChainState state : {ChainState::kSyncing, ChainState::kFollowing,
                                 ChainState::kUnreachable, ChainState::kHalted}) {
    if (StateName(state) == name) return state;
  }
  throw pg::SqlError(std::string(pg::kDecodeFailure), "unknown chain state " + name);
}

StoredChain ReadChain(const pg::Row& row) {
  StoredChain chain;
  chain.chain = row.Get<std::string>("chain");
  chain.genesis_hash = HashOf(row.Get<pg::Bytea>("genesis_hash"));
  chain.head = {row.Get<std::uint64_t>("head_number"), HashOf(row.Get<pg::Bytea>("head_hash"))};
  chain.levels = {row.Get<std::uint64_t>("safe_number"),
                  row.Get<std::uint64_t>("finalized_number")};
  chain.tags_seen = {row.Get<bool>("safe_tag_seen"), row.Get<bool>("finalized_tag_seen")};
  chain.base_fee_per_gas = row.Get<U256>("base_fee_per_gas");
  chain.state = ParseState(row.Get<std::string>("state"));
  chain.status_reason = row.Get<std::string>("status_reason");
  chain.node_head_number = row.Get<std::uint64_t>("node_head_number");
  chain.contact_time = row.Get<std::optional<pg::Time>>("contact_time");
  chain.reorgs_last_day = static_cast<std::uint32_t>(row.Get<std::int64_t>("reorgs"));
  chain.head_header = ReadMark(row, chain.head.number, "head", "head_hash");
  chain.safe_header = ReadMark(row, chain.levels.safe, "safe", "safe_hash");
  chain.finalized_header = ReadMark(row, chain.levels.finalized, "finalized", "finalized_hash");
  return chain;
}

void AppendHalt(pg::Transaction& tx, const std::string& chain, Halt halt,
                const std::string& reason) {
  outbox::Entry entry;
  entry.subject = chain;
  entry.kind = halt == Halt::kStopped ? "chain.halted" : "chain.resumed";
  entry.payload = ChainHaltPayload(chain, halt, reason);
  outbox::Append(tx, "transfers", std::move(entry));
}

}  // namespace

std::string_view StateName(ChainState state) {
  switch (state) {
    case ChainState::kSyncing:
      return "SYNCING";
    case ChainState::kFollowing:
      return "FOLLOWING";
    case ChainState::kUnreachable:
      return "UNREACHABLE";
    case ChainState::kHalted:
      return "HALTED";
  }
  return "";
}

std::string LeaseName(const std::string& chain) { return "chain:" + chain; }

evm::Hash32 HashOf(const pg::Bytea& bytes) {
  const auto hash = evm::Hash32::FromBytes(evm::AsBytes(bytes.data));
  if (!hash.ok()) throw pg::SqlError(std::string(pg::kDecodeFailure), "a hash of another length");
  return *hash;
}

evm::Address AddressOf(const pg::Bytea& bytes) {
  const auto address = evm::Address::FromBytes(evm::AsBytes(bytes.data));
  if (!address.ok()) {
    throw pg::SqlError(std::string(pg::kDecodeFailure), "an address of another length");
  }
  return *address;
}

std::optional<StoredChain> LoadChain(pg::Transaction& tx, const std::string& chain) {
  const pg::Rows rows = tx.Execute(kSelectChains, chain);
  if (rows.empty()) return std::nullopt;
  return ReadChain(rows.front());
}

std::vector<StoredChain> LoadChains(pg::Transaction& tx) {
  std::vector<StoredChain> chains;
  for (const pg::Row row : tx.Execute(kSelectChains, std::nullopt))
    chains.push_back(ReadChain(row));
  return chains;
}

std::optional<Header> LoadHeader(pg::Transaction& tx, const std::string& chain,
                                 std::uint64_t number) {
  const pg::Rows rows = tx.Execute(kSelectHeader, chain, number);
  if (rows.empty()) return std::nullopt;
  return ReadHeader(rows.front());
}

HeadState LoadHeadState(pg::Transaction& tx, const StoredChain& chain) {
  HeadState state;
  state.levels = chain.levels;
  state.tags_seen = chain.tags_seen;
  for (const pg::Row row : tx.Execute(kSelectHeaders, chain.chain, chain.levels.finalized)) {
    state.headers.push_back(ReadHeader(row));
  }
  if (state.headers.empty() || state.headers.back().id() != chain.head) {
    throw pg::SqlError(std::string(pg::kDecodeFailure),
                       "the stored headers do not end at the head");
  }
  return state;
}

void StoreAnchor(pg::Transaction& tx, const std::string& chain, const evm::Hash32& genesis_hash,
                 const Header& anchor) {
  const pg::Rows inserted =
      tx.Execute(kInsertAnchor, chain, BytesOf(genesis_hash), anchor.number, BytesOf(anchor.hash));
  if (inserted.affected() == 0) return;
  tx.Execute(kInsertAnchorBlock, chain, anchor.number, BytesOf(anchor.hash), BytesOf(anchor.parent),
             TimeOf(anchor.timestamp_seconds));
}

void StoreStatus(pg::Transaction& tx, const std::string& chain, const ChainStatus& status) {
  tx.Execute(kUpdateStatus, chain, StateName(status.state), status.reason, status.node_head_number,
             status.contact);
}

bool StoreHalt(pg::Transaction& tx, const std::string& chain, const std::string& reason) {
  if (tx.Execute(kHalt, chain, reason).affected() == 0) return false;
  AppendHalt(tx, chain, Halt::kStopped, reason);
  return true;
}

bool StoreResume(pg::Transaction& tx, const std::string& chain, const std::string& reason) {
  if (tx.Execute(kResume, chain).affected() == 0) return false;
  AppendHalt(tx, chain, Halt::kResumed, reason);
  return true;
}

}  // namespace paymesh::watcher
