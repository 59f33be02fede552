#include "services/settlement/ledger_metrics.h"

#include "services/settlement/store/invariants.h"

namespace paymesh::settlement {
namespace {

constexpr char kPostings[] = "ledger_postings_total";
constexpr char kPostingsHelp[] = "Journals posted, by rule.";

}  // namespace

LedgerMetrics::LedgerMetrics(runtime::Metrics& metrics, runtime::Logger& log)
    : log_(log),
      other_postings_(metrics.Counter(kPostings, kPostingsHelp, {{"rule", "other"}})),
      unbalanced_(metrics.Counter("ledger_unbalanced_postings_total",
                                  "Journals refused because they did not balance.")),
      contradictions_(metrics.Counter("settlement_contradictions_total",
                                      "Terms or addresses of checkout that were not believed.")) {
  for (const char* rule : {"P0", "P1", "P2", "P3", "P4", "P5", "P6a", "P7a", "P7b", "P8", "P8b",
                           "P8c", "P10", "P13", "P13b"}) {
    postings_[rule] = &metrics.Counter(kPostings, kPostingsHelp, {{"rule", rule}});
    const std::string reversal = std::string("P13.") + rule;
    postings_[reversal] = &metrics.Counter(kPostings, kPostingsHelp, {{"rule", reversal}});
  }
  for (const std::string& id : InvariantIds()) {
    invariants_[id] =
        &metrics.Gauge("invariant_violations", "Rows that break an invariant.", {{"id", id}});
  }
}

void LedgerMetrics::Posted(const Journal& journal) {
  if (!journal.newly_posted) return;
  const auto found = postings_.find(journal.rule);
  (found == postings_.end() ? other_postings_ : *found->second).Increment();
}

void LedgerMetrics::Contradiction(std::string_view what) {
  contradictions_.Increment();
  log_.Warn("terms that contradict the evidence", {{"what", what}});
}

void LedgerMetrics::Failed(const Error& error) {
  if (error.message.find("does not balance") != std::string::npos) unbalanced_.Increment();
  log_.Error("entries could not be applied", {{"err", error.ToString()}});
}

void LedgerMetrics::Invariant(const std::string& id, std::int64_t violations) {
  const auto found = invariants_.find(id);
  if (found != invariants_.end()) found->second->Set(static_cast<double>(violations));
  if (violations != 0) {
    log_.Error("an invariant is broken", {{"id", id}, {"violations", violations}});
  }
}

}  // namespace paymesh::settlement
