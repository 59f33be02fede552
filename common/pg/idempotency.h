// Idempotent requests: (caller, method, request_id) -> the first answer, kept in the transaction
// that acted. Claim at the start of the transaction, StoreResponse at its end:
//
//   ASSIGN_OR_RETURN(auto replay, pg::Claim(tx, key));
//   if (replay) return Parse(*replay);
//   ... act ...
//   pg::StoreResponse(tx, key, pg::Bytea(response.SerializeAsString()));
//
// A concurrent duplicate in another replica waits in Claim for the first and then replays it; in
// the same process InFlight answers it ABORTED at once. A transaction that claimed and did not
// store is refused at COMMIT (a bug), an error from fn forgets the claim with the rest. Functions
// on Transaction: one thread. InFlight: any thread.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "common/pg/transaction.h"

namespace paymesh::pg {

struct IdempotencyKey {
  std::string caller;        // the principal, with the merchant where an API key binds one
  std::string method;        // full gRPC method
  std::string request_id;    // the caller's
  std::string request_hash;  // of the request without request_id; bytes, any length up to 64

  std::tuple<const std::string&, const std::string&, const std::string&> Identity() const {
    return {caller, method, request_id};
  }
};

// The one rule for the ids that callers choose: 1 to 128 printable ASCII characters, spaces too.
// INVALID_ARGUMENT INVALID_FIELD `request_id`.
Status CheckRequestId(std::string_view request_id);

// nullopt: ours to act on. A value: the stored answer. ALREADY_EXISTS IDEMPOTENCY_KEY_REUSED: the
// same key came with another body.
Result<std::optional<Bytea>> Claim(Transaction& tx, const IdempotencyKey& key);
void StoreResponse(Transaction& tx, const IdempotencyKey& key, const Bytea& response);

// The same for a coalesced batch, in two statements and in sorted key order (no deadlocks between
// batches). One outcome a member; a key that stands twice in the batch is ABORTED
// REQUEST_IN_PROGRESS for the later one.
std::vector<Result<std::optional<Bytea>>> ClaimAll(Transaction& tx,
                                                   const std::vector<IdempotencyKey>& keys);
// Only for members that ClaimAll answered with nullopt. responses[i] belongs to keys[i].
void StoreAllResponses(Transaction& tx, const std::vector<IdempotencyKey>& keys,
                       const std::vector<Bytea>& responses);
// For members whose answers are known before they are claimed: both at once, one row written
// instead of two. Outcomes as ClaimAll's; those answered with nullopt are stored.
std::vector<Result<std::optional<Bytea>>> ClaimAndAnswerAll(Transaction& tx,
                                                            const std::vector<IdempotencyKey>& keys,
                                                            const std::vector<Bytea>& responses);
// Gives back claims of members that turned out to fail by themselves, so that they may be retried.
void ForgetClaims(Transaction& tx, const std::vector<IdempotencyKey>& keys);

// Deletes up to `limit` records made before `before`; how many it deleted.
std::int64_t DeleteOldResponses(Transaction& tx, Time before, int limit);

// The requests that run in this process now.
class InFlight {
 public:
  class Guard {
   public:
    Guard(Guard&&) = default;
    Guard& operator=(Guard&&) = default;

   private:
    friend class InFlight;
    explicit Guard(std::shared_ptr<void> token) : token_(std::move(token)) {}
    std::shared_ptr<void> token_;
  };
  InFlight();
  // ABORTED REQUEST_IN_PROGRESS when the key runs here already. Free again with the guard's end.
  Result<Guard> Enter(const IdempotencyKey& key);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace paymesh::pg
