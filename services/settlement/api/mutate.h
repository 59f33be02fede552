// A mutating call: its request id claimed, its effect and its answer stored in one transaction.
// Heavy header: for api/*.cc. Any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "common/error/error.h"
#include "common/evm/keccak.h"
#include "common/pg/database.h"
#include "common/pg/idempotency.h"
#include "common/rpc/call.h"

namespace paymesh::settlement {

// The key of a request: who, what, and the hash of all but its id. INVALID_FIELD for a bad id.
template <class Request>
Result<pg::IdempotencyKey> KeyOf(const rpc::Call& call, Request request) {
  const std::string id = request.request_id();
  RETURN_IF_ERROR(pg::CheckRequestId(id));
  request.clear_request_id();
  const evm::Hash32 hash = evm::Keccak256(request.SerializeAsString());
  return pg::IdempotencyKey{call.principal().name, call.method(), id,
                            std::string(hash.bytes().begin(), hash.bytes().end())};
}

template <class Response>
Result<Response> RunOnce(pg::Transaction& tx, const pg::IdempotencyKey& key,
                         const std::function<Result<Response>(pg::Transaction&)>& act) {
  ASSIGN_OR_RETURN(const std::optional<pg::Bytea> stored, pg::Claim(tx, key));
  Response response;
  if (stored) {
    if (!response.ParseFromString(stored->data)) {
      return Error::Internal("a stored answer does not parse");
    }
    return response;
  }
  ASSIGN_OR_RETURN(response, act(tx));
  pg::StoreResponse(tx, key, pg::Bytea(response.SerializeAsString()));
  return response;
}

template <class Response>
Task<Status> Mutate(pg::Database& database, pg::InFlight& in_flight, pg::IdempotencyKey key,
                    std::function<Result<Response>(pg::Transaction&)> act, Response* response) {
  ASSIGN_OR_CO_RETURN(const pg::InFlight::Guard guard, in_flight.Enter(key));
  const pg::TransactOptions options{.name = "mutate", .idempotent = true};
  auto work = [key, act = std::move(act)](pg::Transaction& tx) {
    return RunOnce<Response>(tx, key, act);
  };
  auto run = database.Transact(options, std::move(work));
  Result<Response> answer = co_await std::move(run);
  if (!answer.ok()) co_return answer.error();
  *response = *std::move(answer);
  co_return Status();
}

}  // namespace paymesh::settlement
