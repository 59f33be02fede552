// Decisions in PostgreSQL, and what became of their options. Each function runs inside a
// transaction of the caller's, on a database thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/error/error.h"
#include "common/pg/transaction.h"

namespace paymesh::routing {

struct StoredDecision {
  std::string decision_id;
  std::string payment_id;
  std::string merchant_id;
  std::string facts_hash;
  std::string decision_hash;
  int option_count = 0;
  int rejected_count = 0;
  std::string bytes;  // the contract's Decision, serialised
  pg::Time create_time{};
};

// Inserts all in one statement; for a payment that has been decided before, the stored one stands.
// Returns what is stored for each, in order: compare facts_hash.
std::vector<StoredDecision> InsertDecisions(pg::Transaction& tx,
                                            const std::vector<StoredDecision>& decisions);

std::optional<StoredDecision> FindDecision(pg::Transaction& tx, const std::string& decision_id);
std::optional<StoredDecision> FindDecisionOfPayment(pg::Transaction& tx,
                                                    const std::string& payment_id);

// What a payment taught about a token.
struct Lesson {
  enum class Kind { kBound, kSucceeded };
  std::string payment_id;
  Kind kind = Kind::kBound;
  std::string unit;
  std::int64_t confirm_seconds = 0;  // of a success, from its creation
};
// All in one statement. A lesson of its kind that the payment has taught before, in this call or in
// an earlier one, changes nothing.
void Learn(pg::Transaction& tx, const std::vector<Lesson>& lessons);

struct Outcome {
  std::string unit;
  std::int64_t bound = 0;
  std::int64_t succeeded = 0;
  std::int64_t confirm_seconds = 0;
};
std::vector<Outcome> ListOutcomes(pg::Transaction& tx);

}  // namespace paymesh::routing
