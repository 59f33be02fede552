// How far each chain was read, which are waived, and which payments wait for that.
// One thread (the transaction's).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/pg/transaction.h"
#include "services/checkout/domain/machine.h"

namespace paymesh::checkout {

struct ChainProgress {
  std::string chain;
  Block block;
  std::uint64_t safe_number = 0;
  std::uint64_t finalized_number = 0;
};
// A reorganisation takes a chain back, so the newest word stands, not the highest.
void SaveProgress(pg::Transaction& tx, const ChainProgress& progress);
void SaveHalt(pg::Transaction& tx, std::string_view chain, bool halted, std::string_view reason);

Barrier LoadBarrier(pg::Transaction& tx);
FinalizedHeights LoadFinalizedHeights(pg::Transaction& tx);

// Open payments whose deadline and grace every chain (or its waiver) has passed.
std::vector<std::string> FindExpirable(pg::Transaction& tx, std::chrono::seconds grace, int limit);
// Open payments not yet marked whose deadline and grace passed `after` ago by the database's clock.
std::vector<std::string> FindDeferrable(pg::Transaction& tx, std::chrono::seconds after, int limit);
// Payments in review after a reorganisation, with an orphaned transfer below the finalised height.
std::vector<std::string> FindLost(pg::Transaction& tx, std::uint64_t margin, int limit);
// Payments whose address the watcher does not know yet, oldest first.
struct Unregistered {
  std::string payment_id;
  std::string deposit_address;
  std::string trace;  // traceparent of the call that made the payment
};
std::vector<Unregistered> FindUnregistered(pg::Transaction& tx, int limit);

// Operators only, on the record: expiry passes over the chain until the waiver is taken back.
void WaiveChain(pg::Transaction& tx, std::string_view chain, std::string_view actor,
                std::string_view reason);
void UnwaiveChain(pg::Transaction& tx, std::string_view chain, std::string_view actor,
                  std::string_view reason);

}  // namespace paymesh::checkout
