// The loops that time drives: payments expire and are registered late, the database's clock is
// measured, old answers are forgotten. What fails is logged and tried again at the next turn.
// Each loop: one strand, until it is cancelled.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "common/error/error.h"
#include "common/host/host.h"
#include "common/runtime/task.h"
#include "services/checkout/config.h"
#include "services/checkout/store/database_clock.h"
#include "services/checkout/usecases/expire_payments.h"

namespace paymesh::checkout {

class Timers {
 public:
  struct Parts {
    pg::Database& database;
    DatabaseClock& clock;
    PaymentMaintenance& maintenance;
    const Config& config;
    runtime::Logger& log;
  };
  explicit Timers(Parts parts) : parts_(parts) {}

  // The loops, each to be run once.
  std::vector<runtime::Worker> Workers();

 private:
  using Once = Task<Result<std::size_t>> (PaymentMaintenance::*)();

  runtime::Worker Maintain(const char* worker, const char* work, std::chrono::milliseconds interval,
                           Once once);
  Task<void> Repeat(const char* work, std::chrono::milliseconds interval, Once once);
  Task<void> MeasureClock();
  Task<void> ForgetOldAnswers();
  void LogFailure(const char* worker, const Error& error);

  Parts parts_;
};

}  // namespace paymesh::checkout
