// Registers addresses to watch. Registrations that arrive together share one statement and one
// commit. Any thread.
#pragma once

#include <vector>

#include "common/error/error.h"
#include "common/pg/coalescer.h"
#include "common/pg/database.h"
#include "common/runtime/task.h"
#include "services/watcher/store/address_store.h"

namespace paymesh::watcher {

class AddressRegistrar {
 public:
  // `database` must outlive the registrar.
  AddressRegistrar(pg::Database& database, runtime::Executor executor);

  // Harmless for addresses that are watched already.
  Task<Status> Watch(std::vector<AddressToWatch> addresses);

  // No more batches; for the drain.
  void Close() { registrations_.Close(); }

 private:
  struct Registered {};
  using Addresses = std::vector<AddressToWatch>;

  Task<std::vector<Result<Registered>>> Register(std::vector<Addresses> batch);

  pg::Database& database_;
  pg::Coalescer<Addresses, Registered> registrations_;
};

}  // namespace paymesh::watcher
