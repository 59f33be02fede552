#include "services/watcher/usecases/chain_step.h"

#include <memory>
#include <utility>

#include "services/watcher/store/transaction_store.h"
#include "services/watcher/store/transfer_store.h"

namespace paymesh::watcher {
namespace {

constexpr int kMaxLoadedAddresses = 50'000;  // in one read
constexpr int kMaxTracked = 10'000;

}  // namespace

Task<Result<StepFacts>> ReadStepFacts(pg::Database& database, std::string chain,
                                      std::int64_t position, std::uint64_t from, std::uint64_t to) {
  StepFacts facts;
  for (;;) {
    auto read = [chain, position, from, to](pg::Transaction& tx) -> Result<StepFacts> {
      StepFacts out;
      out.addresses = LoadAddresses(tx, position, kMaxLoadedAddresses);
      out.tracked = UnfinalTracked(tx, chain, kMaxTracked);
      if (from <= to) out.live = LoadLive(tx, chain, from, to);
      return out;
    };
    const pg::TransactOptions options{.name = "step_facts", .access = pg::Access::kReadOnly};
    Result<StepFacts> part = co_await database.Transact(options, read);
    if (!part.ok()) co_return part.error();
    const bool more = part->addresses.size() == static_cast<std::size_t>(kMaxLoadedAddresses);
    if (more) position = part->addresses.back().position;
    facts.tracked = std::move(part->tracked);
    facts.live = std::move(part->live);
    facts.addresses.insert(facts.addresses.end(), part->addresses.begin(), part->addresses.end());
    if (!more) co_return facts;
  }
}

Task<Result<StepResult>> CommitStep(pg::Database& database, ChainStep step) {
  auto shared = std::make_shared<const ChainStep>(std::move(step));
  auto store = [shared](pg::Transaction& tx) { return StoreStep(tx, *shared); };
  const pg::TransactOptions options{.name = "chain_step"};
  co_return co_await database.Transact(options, store);
}

}  // namespace paymesh::watcher
