#include "services/checkout/usecases/create_payment.h"

#include <algorithm>
#include <utility>

#include "common/pg/database.h"
#include "common/runtime/ids.h"
#include "common/runtime/log.h"
#include "paymesh/checkout/v1/event_service.pb.h"
#include "paymesh/checkout/v1/payment_service.pb.h"
#include "services/checkout/convert.h"
#include "services/checkout/reasons.h"
#include "services/checkout/store/payment_store.h"

namespace paymesh::checkout {

// One member of the commit: what shall be stored, and under which key.
struct PaymentCreator::Entry {
  std::shared_ptr<const Payment> payment;
  pg::IdempotencyKey key;
  std::string trace;
};

namespace {

constexpr std::chrono::milliseconds kRetryAfterRouting{2'000};

// A chain that is degraded may be well again in a moment: then the same request is worth repeating.
Error NoOption(const Decision& decision) {
  const bool passing =
      std::any_of(decision.rejected.begin(), decision.rejected.end(),
                  [](const Rejected& rejected) { return rejected.code == "CHAIN_DEGRADED"; });
  Error error = passing
                    ? Error::Unavailable(std::string(reasons::kChainsUnavailable),
                                         "no chain that the merchant accepts is reachable now",
                                         kRetryAfterRouting)
                    : Error::FailedPrecondition(std::string(reasons::kNoOption),
                                                "nothing that the merchant accepts can be offered");
  for (const Rejected& rejected : decision.rejected) {
    error.metadata[rejected.unit] = rejected.code;
  }
  return error;
}

struct Stored {
  std::shared_ptr<const pb::CreatePaymentResponse> response;
  bool replayed = false;
};

Result<Stored> Replay(const pg::Bytea& bytes) {
  auto response = std::make_shared<pb::CreatePaymentResponse>();
  if (!response->ParseFromString(bytes.data)) {
    return Error::Internal("a stored answer does not parse");
  }
  return Stored{std::move(response), true};
}

template <class Entry>
Result<std::vector<Result<Stored>>> StoreAll(pg::Transaction& tx,
                                             const std::vector<Entry>& entries) {
  std::vector<pg::IdempotencyKey> keys;
  std::vector<CreatedPayment> created;
  std::vector<Stored> fresh;
  std::vector<pg::Bytea> responses;
  for (const Entry& entry : entries) {
    keys.push_back(entry.key);
    // The answer is the journal's snapshot, which is made once.
    pb::Event event = PaymentEvent(*entry.payment, kPaymentCreated);
    created.push_back({entry.payment, event.SerializeAsString(), entry.trace});
    auto response = std::make_shared<pb::CreatePaymentResponse>();
    response->mutable_payment()->Swap(event.mutable_payment());
    responses.emplace_back(response->SerializeAsString());
    fresh.push_back({std::move(response), false});
  }
  const auto claims = pg::ClaimAndAnswerAll(tx, keys, responses);
  std::vector<Result<Stored>> answers;
  std::vector<CreatedPayment> ours;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!claims[i].ok()) {
      answers.push_back(claims[i].error());
    } else if (claims[i]->has_value()) {
      answers.push_back(Replay(**claims[i]));
    } else {
      ours.push_back(std::move(created[i]));
      answers.push_back(std::move(fresh[i]));
    }
  }
  InsertPayments(tx, ours);
  return answers;
}

template <class Entry>
Task<Result<std::vector<Result<Stored>>>> CommitOnce(pg::Database& database,
                                                     std::vector<Entry> entries) {
  auto store = [entries = std::move(entries)](pg::Transaction& tx) {
    return StoreAll(tx, entries);
  };
  const pg::TransactOptions options{.name = "create_payments", .idempotent = true};
  return database.Transact(options, std::move(store));
}

}  // namespace

PaymentCreator::PaymentCreator(Parts parts)
    : parts_(std::move(parts)),
      cache_(parts_.chains),
      coalescer_(parts_.executor,
                 [this](std::vector<NewPayment> requests) { return RunBatch(std::move(requests)); },
                 {.max_batch = parts_.max_batch, .max_in_flight = parts_.batches_in_flight}) {}

Task<Result<PaymentCreator::Response>> PaymentCreator::Create(NewPayment request) {
  ASSIGN_OR_CO_RETURN(const pg::InFlight::Guard guard, in_flight_.Enter(request.key));
  co_return co_await coalescer_.Submit(std::move(request));
}

Task<PaymentCreator::Answers> PaymentCreator::RunBatch(std::vector<NewPayment> requests) {
  parts_.metrics.BatchSize(requests.size());
  const Result<Time> now = parts_.clock.Now();
  if (!now.ok()) co_return Answers(requests.size(), Result<Response>(now.error()));
  std::vector<Member> members;
  for (NewPayment& request : requests) {
    DecisionFacts facts{.payment_id = parts_.ids.Next("pay"),
                        .merchant_id = request.merchant->merchant_id,
                        .price = request.price,
                        .accepted_units = request.merchant->accepted_units,
                        .policy = request.merchant->policy,
                        .expire_time = *now + request.time_to_live,
                        .trace = request.trace};
    members.push_back({.request = std::move(request), .facts = std::move(facts)});
  }
  co_await DecideAll(members, *now);
  const bool registered = co_await Register(members);

  std::vector<Entry> entries;
  for (const Member& member : members) {
    if (!member.decision.ok()) continue;
    entries.push_back({std::make_shared<const Payment>(Build(member, registered, *now)),
                       member.request.key, member.request.trace.ToTraceparent()});
  }
  Answers stored = co_await Commit(std::move(entries));
  Answers answers;
  std::size_t next = 0;
  for (const Member& member : members) {
    if (member.decision.ok()) {
      answers.push_back(std::move(stored[next++]));
    } else {
      answers.push_back(member.decision.error());
    }
  }
  co_return answers;
}

Task<void> PaymentCreator::DecideAll(std::vector<Member>& members, Time now) {
  std::vector<DecisionFacts> facts;
  for (const Member& member : members) facts.push_back(member.facts);
  Result<std::vector<Result<Decision>>> all = co_await parts_.router.Decide(facts);
  if (all.ok() && all->size() == members.size()) {
    TakeDecisions(members, *std::move(all));
    co_return;
  }
  const Error why = all.ok() ? Error::Internal("routing did not answer each member") : all.error();
  const bool one_to_blame = why.code == ErrorCode::kInvalidArgument && members.size() > 1;
  for (Member& member : members) {
    if (!one_to_blame) {
      FallBack(member, why, now);
      continue;
    }
    std::vector<DecisionFacts> own{member.facts};
    Result<std::vector<Result<Decision>>> alone = co_await parts_.router.Decide(std::move(own));
    if (!alone.ok()) {
      FallBack(member, alone.error(), now);
    } else if (!alone->empty()) {
      member.decision = std::move(alone->front());
    }
  }
}

void PaymentCreator::TakeDecisions(std::vector<Member>& members,
                                   std::vector<Result<Decision>> decisions) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    Member& member = members[i];
    member.decision = std::move(decisions[i]);
    if (!member.decision.ok()) continue;
    if (member.decision->options.empty()) {
      member.decision = NoOption(*member.decision);
    } else {
      cache_.Remember(member.facts, *member.decision);
    }
  }
}

// Routing is away: what it last said for this merchant still holds where nothing need be converted.
void PaymentCreator::FallBack(Member& member, const Error& why, Time now) {
  if (why.code == ErrorCode::kInvalidArgument || why.code == ErrorCode::kFailedPrecondition) {
    Error error = Error::FailedPrecondition(std::string(reasons::kNoOption),
                                            "routing cannot decide: " + why.message);
    error.metadata["cause"] = why.reason;
    member.decision = std::move(error);
    return;
  }
  std::optional<Decision> last = cache_.Recall(member.facts, now);
  if (last) {
    parts_.metrics.RoutingFallback();
    member.decision = *std::move(last);
    return;
  }
  parts_.log.Warn("routing did not decide", {{"err", why.ToString()}});
  member.decision = Error::Unavailable(std::string(reasons::kRoutingUnavailable),
                                       "no options can be decided on now",
                                       why.retry_after.value_or(kRetryAfterRouting));
}

// Whether all addresses of the batch are watched now. If not, the payments go on as CREATED.
Task<bool> PaymentCreator::Register(const std::vector<Member>& members) {
  std::vector<DepositAddress> addresses;
  for (const Member& member : members) {
    if (member.decision.ok()) {
      addresses.push_back(
          {parts_.factory.AddressFor(member.facts.payment_id), member.request.trace});
    }
  }
  if (addresses.empty()) co_return true;
  const Status watched = co_await parts_.registry.Watch(std::move(addresses));
  if (!watched.ok()) {
    parts_.log.Warn("addresses are not registered yet", {{"err", watched.error().ToString()}});
  }
  co_return watched.ok();
}

Payment PaymentCreator::Build(const Member& member, bool registered, Time now) {
  const NewPayment& request = member.request;
  const Merchant& merchant = *request.merchant;
  Terms terms{.payment_id = member.facts.payment_id,
              .merchant_id = merchant.merchant_id,
              .reference = request.reference,
              .description = request.description,
              .metadata = request.metadata,
              .price = request.price};
  terms.options = member.decision->options;
  for (Option& option : terms.options) option.option_id = parts_.ids.Next("opt");
  terms.deposit_address = parts_.factory.AddressFor(terms.payment_id);
  terms.factory_address = parts_.factory.address.ToHex();
  terms.factory_init_code_hash = parts_.factory.init_code_hash.ToHex();
  terms.policy = merchant.policy;
  terms.fee_plan = merchant.fee_plan;
  terms.tolerance_basis_points = merchant.tolerance_basis_points;
  terms.decision_id = member.decision->decision_id;
  terms.create_time = now;
  return checkout::Create(std::move(terms), member.facts.expire_time, registered);
}

Task<PaymentCreator::Answers> PaymentCreator::Commit(std::vector<Entry> entries) {
  if (entries.empty()) co_return Answers();
  std::function<Task<Result<std::vector<Result<Stored>>>>(std::vector<Entry>)> run =
      [&database = parts_.database](std::vector<Entry> batch) {
        return CommitOnce(database, std::move(batch));
      };
  std::vector<Result<Stored>> stored =
      co_await pg::RunBatchWithFallback<Entry, Stored>(entries, std::move(run));
  Answers answers;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    if (!stored[i].ok()) {
      if (stored[i].error().code == ErrorCode::kAlreadyExists) {
        parts_.metrics.Idempotency("conflict");
      }
      answers.push_back(stored[i].error());
      continue;
    }
    parts_.metrics.Idempotency(stored[i]->replayed ? "replayed" : "new");
    if (!stored[i]->replayed) parts_.metrics.Created(*entries[i].payment);
    answers.push_back(stored[i]->response);
  }
  co_return answers;
}

}  // namespace paymesh::checkout
