#include "services/settlement/store/evidence_store.h"

#include <algorithm>

namespace paymesh::settlement {
namespace {

// Transfers as the columns of one statement.
struct Columns {
  std::vector<std::string> ids, states, chains, transactions, units, from, to, hashes;
  std::vector<std::int64_t> revisions, numbers;
  std::vector<std::int64_t> ordinals;
  std::vector<U256> amounts;
  std::vector<Time> times;

  explicit Columns(const std::vector<Evidence>& transfers) {
    for (const Evidence& one : transfers) {
      ids.push_back(one.transfer_id);
      revisions.push_back(one.revision);
      states.emplace_back(EvidenceStateName(one.state));
      chains.push_back(one.block.chain);
      transactions.push_back(one.transaction_hash);
      ordinals.push_back(one.ordinal);
      units.push_back(one.unit);
      amounts.push_back(one.amount);
      from.push_back(one.from_address);
      to.push_back(one.to_address);
      numbers.push_back(static_cast<std::int64_t>(one.block.number));
      hashes.push_back(one.block.hash);
      times.push_back(one.block.time);
    }
  }
};

Evidence ToEvidence(const pg::Row& row) {
  Evidence one;
  one.transfer_id = row.Get<std::string>("transfer_id");
  one.revision = row.Get<std::int64_t>("revision");
  one.state = ParseEvidenceState(row.Get<std::string>("state")).value_or(EvidenceState::kOrphaned);
  one.ordinal = static_cast<std::uint32_t>(row.Get<int>("ordinal"));
  one.transaction_hash = row.Get<std::string>("transaction_hash");
  one.unit = row.Get<std::string>("unit");
  one.amount = row.Get<U256>("amount");
  one.from_address = row.Get<std::string>("from_address");
  one.to_address = row.Get<std::string>("to_address");
  one.block = {row.Get<std::string>("chain"), row.Get<std::uint64_t>("block_number"),
               row.Get<std::string>("block_hash"), row.Get<Time>("block_time")};
  return one;
}

std::vector<Evidence> ToEvidence(const pg::Rows& rows) {
  std::vector<Evidence> transfers;
  for (const pg::Row& row : rows) transfers.push_back(ToEvidence(row));
  return transfers;
}

}  // namespace

std::vector<Evidence> UpsertEvidence(pg::Transaction& tx, const std::vector<Evidence>& transfers) {
  if (transfers.empty()) return {};
  // Orphaned ones first, so that the place they leave is free for what replaces them: a statement's
  // rows are written in its order.
  std::vector<Evidence> ordered = transfers;
  std::ranges::stable_partition(
      ordered, [](const Evidence& one) { return one.state == EvidenceState::kOrphaned; });
  const Columns c(ordered);
  return ToEvidence(tx.Execute(
      "INSERT INTO transfer_evidence (transfer_id, revision, state, chain, transaction_hash,"
      " ordinal, unit, amount, from_address, to_address, block_number, block_hash, block_time)"
      " SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[],"
      " $6::int[], $7::text[], $8::numeric[], $9::text[], $10::text[], $11::bigint[], $12::text[],"
      " $13::timestamptz[])"
      " ON CONFLICT (transfer_id) DO UPDATE SET revision = excluded.revision,"
      " state = excluded.state, unit = excluded.unit, amount = excluded.amount,"
      " from_address = excluded.from_address, to_address = excluded.to_address,"
      " block_number = excluded.block_number, block_hash = excluded.block_hash,"
      " block_time = excluded.block_time, update_time = clock_timestamp()"
      " WHERE excluded.revision > transfer_evidence.revision RETURNING *",
      c.ids, c.revisions, c.states, c.chains, c.transactions, c.ordinals, c.units, c.amounts,
      c.from, c.to, c.numbers, c.hashes, c.times));
}

std::vector<Evidence> EvidenceOf(pg::Transaction& tx, const std::vector<std::string>& addresses,
                                 const std::vector<std::string>& transfer_ids) {
  return ToEvidence(
      tx.Execute("SELECT * FROM transfer_evidence WHERE to_address = ANY($1::text[])"
                 " OR from_address = ANY($1::text[]) OR transfer_id = ANY($2::text[])"
                 " ORDER BY arrival",
                 addresses, transfer_ids));
}

std::vector<std::string> ChangedOwners(pg::Transaction& tx,
                                       const std::vector<DepositRow>& deposits) {
  std::vector<std::string> changed;
  if (deposits.empty()) return changed;
  std::vector<std::string> ids, merchants;
  for (const DepositRow& one : deposits) {
    ids.push_back(one.payment_id);
    merchants.push_back(one.merchant_id);
  }
  const pg::Rows rows = tx.Execute(
      "SELECT d.payment_id FROM deposit d JOIN unnest($1::text[], $2::text[]) n (id, merchant)"
      " ON n.id = d.payment_id WHERE n.merchant <> d.merchant_id",
      ids, merchants);
  for (const pg::Row& row : rows) changed.push_back(row.Get<std::string>("payment_id"));
  return changed;
}

std::set<std::string> UpsertDeposits(pg::Transaction& tx, const std::vector<DepositRow>& deposits) {
  std::set<std::string> addresses;
  if (deposits.empty()) return addresses;
  std::vector<std::string> ids, merchants, factories, states, refused, traces;
  std::vector<std::optional<std::string>> places;
  std::vector<std::int64_t> revisions;
  std::vector<pg::Bytea> terms;
  for (const DepositRow& one : deposits) {
    ids.push_back(one.payment_id);
    merchants.push_back(one.merchant_id);
    places.push_back(one.address);
    factories.push_back(one.factory);
    revisions.push_back(one.revision);
    states.push_back(one.state);
    terms.emplace_back(one.terms);
    refused.push_back(one.refused);
    traces.push_back(one.trace);
  }
  const pg::Rows rows = tx.Execute(
      "INSERT INTO deposit (payment_id, merchant_id, address, factory, revision, state, terms,"
      " refused, trace) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],"
      " $5::bigint[], $6::text[], $7::bytea[], $8::text[], $9::text[])"
      " ON CONFLICT (payment_id) DO UPDATE SET"
      " address = coalesce(deposit.address, excluded.address), revision = excluded.revision,"
      " factory = excluded.factory, state = excluded.state, terms = excluded.terms,"
      " refused = excluded.refused, update_time = clock_timestamp()"
      " WHERE excluded.revision > deposit.revision AND excluded.merchant_id = deposit.merchant_id"
      " RETURNING address",
      ids, merchants, places, factories, revisions, states, terms, refused, traces);
  for (const pg::Row& row : rows) {
    if (!row.IsNull("address")) addresses.insert(row.Get<std::string>("address"));
  }
  return addresses;
}

std::vector<DepositRow> DepositsAt(pg::Transaction& tx, const std::vector<std::string>& addresses) {
  std::vector<DepositRow> deposits;
  if (addresses.empty()) return deposits;
  for (const pg::Row& row :
       tx.Execute("SELECT * FROM deposit WHERE address = ANY($1::text[]) ORDER BY payment_id",
                  addresses)) {
    deposits.push_back({row.Get<std::string>("payment_id"), row.Get<std::string>("merchant_id"),
                        row.Get<std::optional<std::string>>("address"),
                        row.Get<std::string>("factory"), row.Get<std::int64_t>("revision"),
                        row.Get<std::string>("state"), row.Get<pg::Bytea>("terms").data,
                        row.Get<std::string>("refused"), row.Get<std::string>("trace")});
  }
  return deposits;
}

std::set<std::string> DeferredAddresses(pg::Transaction& tx) {
  std::set<std::string> addresses;
  for (const pg::Row& row :
       tx.Execute("SELECT address FROM deposit WHERE deferred AND address IS NOT NULL")) {
    addresses.insert(row.Get<std::string>("address"));
  }
  return addresses;
}

void SetDeferred(pg::Transaction& tx, const std::map<std::string, bool>& by_payment) {
  if (by_payment.empty()) return;
  std::vector<std::string> ids;
  std::vector<bool> values;
  for (const auto& [id, value] : by_payment) {
    ids.push_back(id);
    values.push_back(value);
  }
  tx.Execute(
      "UPDATE deposit d SET deferred = n.value FROM unnest($1::text[], $2::bool[]) n (id, value)"
      " WHERE d.payment_id = n.id AND d.deferred <> n.value",
      ids, values);
}

void RefreshHoldings(pg::Transaction& tx, const std::vector<std::string>& payment_ids) {
  if (payment_ids.empty()) return;
  tx.Execute(
      "INSERT INTO deposit_holding (payment_id, chain, unit, address, received, finalized, moved)"
      " SELECT d.payment_id, e.chain, e.unit, d.address,"
      " coalesce(sum(e.amount) FILTER (WHERE e.to_address = d.address AND e.state <> 'ORPHANED'), "
      "0),"
      " coalesce(sum(e.amount) FILTER (WHERE e.to_address = d.address AND e.state = 'FINALIZED'), "
      "0),"
      " coalesce(sum(e.amount) FILTER (WHERE e.from_address = d.address AND e.state <> 'ORPHANED'),"
      " 0) FROM deposit d JOIN transfer_evidence e"
      " ON e.to_address = d.address OR e.from_address = d.address"
      " WHERE d.payment_id = ANY($1::text[]) GROUP BY d.payment_id, e.chain, e.unit, d.address"
      " ON CONFLICT (payment_id, unit) DO UPDATE SET received = excluded.received,"
      " finalized = excluded.finalized, moved = excluded.moved",
      payment_ids);
}

void PutProgress(pg::Transaction& tx, const ChainProgress& progress) {
  tx.Execute(
      "INSERT INTO chain_progress (chain, block_number, block_hash, finalized_number,"
      " finalized_hash, finalized_time) VALUES ($1, $2, $3, $4, $5, $6)"
      " ON CONFLICT (chain) DO UPDATE SET block_number = excluded.block_number,"
      " block_hash = excluded.block_hash, finalized_number = excluded.finalized_number,"
      " finalized_hash = excluded.finalized_hash, finalized_time = excluded.finalized_time,"
      " update_time = clock_timestamp()",
      progress.chain, progress.block_number, progress.block_hash, progress.finalized_number,
      progress.finalized_hash, progress.finalized_time);
}

void PutHalt(pg::Transaction& tx, std::string_view chain, bool halted, std::string_view reason) {
  tx.Execute(
      "INSERT INTO chain_progress (chain, halted, halt_reason) VALUES ($1, $2, $3)"
      " ON CONFLICT (chain) DO UPDATE SET halted = excluded.halted,"
      " halt_reason = excluded.halt_reason, update_time = clock_timestamp()",
      chain, halted, reason);
}

std::vector<ChainProgress> Progress(pg::Transaction& tx) {
  std::vector<ChainProgress> chains;
  for (const pg::Row& row : tx.Execute("SELECT * FROM chain_progress ORDER BY chain")) {
    chains.push_back({row.Get<std::string>("chain"), row.Get<std::uint64_t>("block_number"),
                      row.Get<std::string>("block_hash"),
                      row.Get<std::uint64_t>("finalized_number"),
                      row.Get<std::string>("finalized_hash"),
                      row.Get<std::optional<Time>>("finalized_time"), row.Get<bool>("halted")});
  }
  return chains;
}

}  // namespace paymesh::settlement
