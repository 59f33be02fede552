// Transfers as evidence, deposits with their terms, and how far each chain has been read.
// One thread (the transaction's); the caller holds the ledger's lock.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/pg/transaction.h"
#include "services/settlement/domain/evidence.h"

namespace paymesh::settlement {

// Keeps the newer revision of each. Gives the ones that it changed. A transfer's id stands for its
// place and content: another content at the same place is another transfer.
std::vector<Evidence> UpsertEvidence(pg::Transaction& tx, const std::vector<Evidence>& transfers);
// To or from one of the addresses, or with one of the ids, in order of arrival.
std::vector<Evidence> EvidenceOf(pg::Transaction& tx, const std::vector<std::string>& addresses,
                                 const std::vector<std::string>& transfer_ids);

struct DepositRow {
  std::string payment_id;
  std::string merchant_id;
  std::optional<std::string> address;  // none: not registered yet, or refused
  std::string factory;
  std::int64_t revision = 0;
  std::string state;
  std::string terms;  // a serialised checkout.v1.Payment
  std::string refused;
  std::string trace = {};  // traceparent of the call that made the payment; kept from the first
};
// Keeps the newer revision of each. A payment's merchant and a believed address never change. Gives
// the addresses of the deposits that it changed.
// ChangedOwners: those that are said to be another merchant's than before, which are ignored.
std::vector<std::string> ChangedOwners(pg::Transaction& tx,
                                       const std::vector<DepositRow>& deposits);
std::set<std::string> UpsertDeposits(pg::Transaction& tx, const std::vector<DepositRow>& deposits);
std::vector<DepositRow> DepositsAt(pg::Transaction& tx, const std::vector<std::string>& addresses);
std::set<std::string> DeferredAddresses(pg::Transaction& tx);
void SetDeferred(pg::Transaction& tx, const std::map<std::string, bool>& by_payment);
// Sums up anew what is on the deposits' addresses.
void RefreshHoldings(pg::Transaction& tx, const std::vector<std::string>& payment_ids);

struct ChainProgress {
  std::string chain;
  std::uint64_t block_number = 0;
  std::string block_hash;
  std::uint64_t finalized_number = 0;
  std::string finalized_hash;
  std::optional<Time> finalized_time = std::nullopt;
  bool halted = false;
};
void PutProgress(pg::Transaction& tx, const ChainProgress& progress);  // not `halted`
void PutHalt(pg::Transaction& tx, std::string_view chain, bool halted, std::string_view reason);
std::vector<ChainProgress> Progress(pg::Transaction& tx);

}  // namespace paymesh::settlement
