#include "services/checkout/workers/timers.h"

#include <cstdint>
#include <utility>

#include "common/pg/database.h"
#include "common/pg/idempotency.h"
#include "common/runtime/log.h"
#include "services/checkout/store/payment_store.h"

namespace paymesh::checkout {
namespace {

constexpr std::chrono::milliseconds kClockInterval{1'000};
constexpr std::chrono::milliseconds kReverseInterval{1'000};
constexpr std::chrono::milliseconds kJanitorInterval{600'000};
constexpr int kJanitorBatch = 1'000;  // answers deleted by one statement

}  // namespace

std::vector<runtime::Worker> Timers::Workers() {
  const Config& config = parts_.config;
  return {
      {"database_clock", [this] { return MeasureClock(); }},
      Maintain("expiry", "expire", config.expiry_interval, &PaymentMaintenance::ExpireOnce),
      Maintain("deferral", "defer", kReverseInterval, &PaymentMaintenance::DeferOnce),
      Maintain("reversal", "reverse", kReverseInterval, &PaymentMaintenance::ReverseOnce),
      Maintain("registration", "register", config.registration_interval,
               &PaymentMaintenance::RegisterOnce),
      {"janitor", [this] { return ForgetOldAnswers(); }},
  };
}

runtime::Worker Timers::Maintain(const char* worker, const char* work,
                                 std::chrono::milliseconds interval, Once once) {
  return {worker, [this, work, interval, once] { return Repeat(work, interval, once); }};
}

Task<void> Timers::Repeat(const char* work, std::chrono::milliseconds interval, Once once) {
  for (;;) {
    const Result<std::size_t> done = co_await (parts_.maintenance.*once)();
    if (!done.ok()) LogFailure(work, done.error());
    const bool more = done.ok() && *done >= static_cast<std::size_t>(PaymentMaintenance::kBatch);
    if (!more) co_await runtime::SleepFor(interval);
  }
}

Task<void> Timers::MeasureClock() {
  for (;;) {
    const Status measured = co_await parts_.clock.Measure(parts_.database);
    if (!measured.ok()) LogFailure("database_clock", measured.error());
    co_await runtime::SleepFor(kClockInterval);
  }
}

// Answers to request ids are kept for as long as anybody may reasonably ask again.
Task<void> Timers::ForgetOldAnswers() {
  for (;;) {
    auto forget =
        [keep = parts_.config.request_retention](pg::Transaction& tx) -> Result<std::int64_t> {
      return pg::DeleteOldResponses(tx, TransactionTime(tx) - keep, kJanitorBatch);
    };
    const pg::TransactOptions options{.name = "forget_answers", .idempotent = true};
    auto run = parts_.database.Transact(options, forget);
    const Result<std::int64_t> forgotten = co_await std::move(run);
    if (!forgotten.ok()) LogFailure("janitor", forgotten.error());
    const bool more = forgotten.ok() && *forgotten >= kJanitorBatch;
    if (!more) co_await runtime::SleepFor(kJanitorInterval);
  }
}

void Timers::LogFailure(const char* worker, const Error& error) {
  parts_.log.Warn("a worker could not do its work",
                  {{"worker", worker}, {"err", error.ToString()}});
}

}  // namespace paymesh::checkout
