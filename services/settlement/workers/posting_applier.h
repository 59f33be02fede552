// Applies entries of the peers' journals to the evidence, the terms and the ledger, in the
// transaction that moves the follower's cursor: all in one step or not at all.
// Immutable; any thread. The observer is called on database threads, also for transactions that are
// tried again.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/error/error.h"
#include "common/outbox/entry.h"
#include "common/pg/transaction.h"
#include "services/settlement/domain/posting_planner.h"
#include "services/settlement/store/evidence_store.h"
#include "services/settlement/workers/posting_convert.h"

namespace paymesh::settlement {

class PostingObserver {
 public:
  virtual ~PostingObserver() = default;
  virtual void Posted(const Journal&) {}
  // Terms that contradict the evidence, addresses that are not believed: somebody should look.
  virtual void Contradiction(std::string_view /*what*/) {}
};

struct PostingOptions {
  std::map<std::string, std::string> vaults;  // chain -> address, lower case
  KnownFactories factories;
};

class PostingApplier {
 public:
  // `observer` outlives the applier.
  PostingApplier(PostingOptions options, PostingObserver& observer)
      : options_(std::move(options)), observer_(observer) {}

  // Payloads are watcher.v1.TransferEvent.
  Status ApplyTransfers(pg::Transaction& tx, const std::vector<outbox::Entry>& entries) const;
  // Payloads are checkout.v1.Event.
  Status ApplyPayments(pg::Transaction& tx, const std::vector<outbox::Entry>& entries) const;

 private:
  struct Facts;
  struct Work;
  Status ApplyFacts(pg::Transaction& tx, Facts facts) const;
  void TakeHalts(pg::Transaction& tx, const Facts& facts, std::set<std::string>& addresses) const;
  // Plans and posts for everything that touches these addresses and transfers.
  Status Replan(pg::Transaction& tx, const std::set<std::string>& addresses,
                const std::vector<Evidence>& changed) const;
  Result<Work> Load(pg::Transaction& tx, const std::set<std::string>& addresses,
                    const std::vector<Evidence>& changed) const;
  Status PostPlans(pg::Transaction& tx, Work& work) const;

  const PostingOptions options_;
  PostingObserver& observer_;
};

}  // namespace paymesh::settlement
