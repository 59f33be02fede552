// A mutating call that is not coalesced: its request id claimed, its effect and its answer stored
// in one transaction. Heavy header: for api/*.cc. Any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/error/error.h"
#include "common/pg/database.h"
#include "common/pg/idempotency.h"
#include "services/checkout/usecases/metrics.h"

namespace paymesh::checkout {

// What `act` answers is stored and is what a replay answers, so no secret belongs in it: the caller
// adds one to the first answer by itself.
template <class Response>
struct Mutation {
  const char* name;
  pg::IdempotencyKey key;
  std::function<Result<Response>(pg::Transaction&)> act;
};

template <class Response>
struct Mutated {
  Response response;
  bool replayed = false;
};

template <class Response>
Result<Mutated<Response>> RunMutation(pg::Transaction& tx, const Mutation<Response>& mutation) {
  ASSIGN_OR_RETURN(const std::optional<pg::Bytea> stored, pg::Claim(tx, mutation.key));
  if (stored) {
    Mutated<Response> replayed{.response = {}, .replayed = true};
    if (!replayed.response.ParseFromString(stored->data)) {
      return Error::Internal("a stored answer does not parse");
    }
    return replayed;
  }
  ASSIGN_OR_RETURN(Response response, mutation.act(tx));
  pg::StoreResponse(tx, mutation.key, pg::Bytea(response.SerializeAsString()));
  return Mutated<Response>{.response = std::move(response), .replayed = false};
}

template <class Response>
Task<Result<Mutated<Response>>> Mutate(pg::Database& database, pg::InFlight& in_flight,
                                       CheckoutMetrics& metrics, Mutation<Response> mutation) {
  ASSIGN_OR_CO_RETURN(const pg::InFlight::Guard guard, in_flight.Enter(mutation.key));
  const pg::TransactOptions options{.name = mutation.name, .idempotent = true};
  auto act = [mutation = std::move(mutation)](pg::Transaction& tx) {
    return RunMutation(tx, mutation);
  };
  auto run = database.Transact(options, std::move(act));
  Result<Mutated<Response>> result = co_await std::move(run);
  if (result.ok()) {
    metrics.Idempotency(result->replayed ? "replayed" : "new");
  } else if (result.error().reason == "IDEMPOTENCY_KEY_REUSED") {
    metrics.Idempotency("conflict");
  }
  co_return result;
}

}  // namespace paymesh::checkout
