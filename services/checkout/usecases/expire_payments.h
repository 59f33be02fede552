// What time does to payments: expiry past the barrier, lost money given up, addresses registered
// late. Each Once is one look; any replica may run them, and what one does the others find done.
// Any thread; one Once of a kind at a time.
#pragma once

#include <cstddef>
#include <memory>

#include "common/error/error.h"
#include "common/runtime/task.h"
#include "services/checkout/config.h"
#include "services/checkout/ports.h"
#include "services/checkout/usecases/metrics.h"

namespace paymesh::pg {
class Database;
}

namespace paymesh::checkout {

class PaymentMaintenance {
 public:
  PaymentMaintenance(pg::Database& database, AddressRegistry& registry, CheckoutMetrics& metrics,
                     const Config& config)
      : database_(database), registry_(registry), metrics_(metrics), config_(config) {}

  // How many payments were changed; as many as a batch holds means that there may be more.
  Task<Result<std::size_t>> ExpireOnce();
  Task<Result<std::size_t>> DeferOnce();
  Task<Result<std::size_t>> ReverseOnce();
  Task<Result<std::size_t>> RegisterOnce();

  static constexpr int kBatch = 200;  // payments a transaction

 private:
  pg::Database& database_;
  AddressRegistry& registry_;
  CheckoutMetrics& metrics_;
  const Config& config_;
};

}  // namespace paymesh::checkout
