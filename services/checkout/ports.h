// What the use cases need of the world, in the domain's words. Peers are behind these; tests make
// their own. Any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/error/error.h"
#include "common/runtime/task.h"
#include "common/trace/context.h"
#include "services/checkout/domain/payment.h"

namespace paymesh::checkout {

// What routing decides on.
struct DecisionFacts {
  std::string payment_id;
  std::string merchant_id;
  Amount price;
  std::vector<Unit> accepted_units;
  Finality policy = Finality::kSafe;
  Time expire_time{};
  trace::SpanContext trace = {};  // of the call that asks
};

struct Rejected {
  std::string unit;
  std::string code;
};

struct Decision {
  std::string decision_id;
  std::vector<Option> options = {};  // without option ids
  Time quote_expire_time{};          // the earliest of the options'
  std::vector<Rejected> rejected = {};
};

class Router {
 public:
  virtual ~Router() = default;
  // One outcome for each of the facts, in order, or why there is none at all. However many facts
  // there are, no message outgrows the peer's limit.
  virtual Task<Result<std::vector<Result<Decision>>>> Decide(std::vector<DecisionFacts> facts) = 0;
};

struct DepositAddress {
  std::string address;
  trace::SpanContext trace = {};  // of the call that made the payment; invalid: unknown
};

class AddressRegistry {
 public:
  virtual ~AddressRegistry() = default;
  // Ok once all of them are watched, durably.
  virtual Task<Status> Watch(std::vector<DepositAddress> addresses) = 0;
};

}  // namespace paymesh::checkout
