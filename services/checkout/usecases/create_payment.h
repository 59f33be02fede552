// CreatePayment's use case, coalesced: one Decide, one registration of addresses and one commit for
// all requests that came in together, each with its own outcome. Any thread.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/pg/coalescer.h"
#include "common/pg/idempotency.h"
#include "services/checkout/config.h"
#include "services/checkout/domain/deposit.h"
#include "services/checkout/ports.h"
#include "services/checkout/store/database_clock.h"
#include "services/checkout/usecases/metrics.h"
#include "services/checkout/usecases/option_cache.h"

namespace paymesh::pg {
class Database;
}
namespace paymesh::runtime {
class IdSource;
class Logger;
}  // namespace paymesh::runtime
namespace paymesh::checkout::v1 {
class CreatePaymentResponse;
}

namespace paymesh::checkout {

// A validated request.
struct NewPayment {
  pg::IdempotencyKey key;
  std::shared_ptr<const Merchant> merchant;
  Amount price;
  std::string reference = {};
  std::string description = {};
  std::map<std::string, std::string> metadata = {};
  std::chrono::seconds time_to_live{};
  trace::SpanContext trace = {};  // of the call
};

class PaymentCreator {
 public:
  struct Parts {
    runtime::Executor executor;
    pg::Database& database;
    Router& router;
    AddressRegistry& registry;
    const DatabaseClock& clock;
    runtime::IdSource& ids;
    const runtime::ChainsConfig& chains;
    DepositFactory factory;
    CheckoutMetrics& metrics;
    runtime::Logger& log;
    std::size_t max_batch = 256;
    int batches_in_flight = 2;
  };
  using Response = std::shared_ptr<const v1::CreatePaymentResponse>;

  explicit PaymentCreator(Parts parts);

  // FAILED_PRECONDITION NO_OPTION; UNAVAILABLE CHAINS_UNAVAILABLE or ROUTING_UNAVAILABLE with a
  // time to retry after; what the idempotency of pg/idempotency.h and the database answer.
  Task<Result<Response>> Create(NewPayment request);
  // Those waiting get UNAVAILABLE SHUTTING_DOWN.
  void Close() { coalescer_.Close(); }

 private:
  // A request on its way through a batch.
  struct Member {
    NewPayment request;
    DecisionFacts facts;
    Result<Decision> decision = Decision{};
  };
  using Answers = std::vector<Result<Response>>;

  Task<Answers> RunBatch(std::vector<NewPayment> requests);
  Task<void> DecideAll(std::vector<Member>& members, Time now);
  void TakeDecisions(std::vector<Member>& members, std::vector<Result<Decision>> decisions);
  void FallBack(Member& member, const Error& why, Time now);
  Task<bool> Register(const std::vector<Member>& members);
  Payment Build(const Member& member, bool registered, Time now);
  struct Entry;
  Task<Answers> Commit(std::vector<Entry> entries);

  Parts parts_;
  OptionCache cache_;
  pg::InFlight in_flight_;
  pg::Coalescer<NewPayment, Response> coalescer_;
};

}  // namespace paymesh::checkout
