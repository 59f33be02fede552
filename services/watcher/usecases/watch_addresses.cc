#include "services/watcher/usecases/watch_addresses.h"

#include <memory>
#include <utility>

namespace paymesh::watcher {

AddressRegistrar::AddressRegistrar(pg::Database& database, runtime::Executor executor)
    : database_(database), registrations_(executor, [this](std::vector<Addresses> batch) {
        return Register(std::move(batch));
      }) {}

Task<Status> AddressRegistrar::Watch(std::vector<AddressToWatch> addresses) {
  const Result<Registered> done = co_await registrations_.Submit(std::move(addresses));
  co_return done.ok() ? Status() : Status(done.error());
}

// One statement and one commit for all calls that came in together.
Task<std::vector<Result<AddressRegistrar::Registered>>> AddressRegistrar::Register(
    std::vector<Addresses> batch) {
  auto all = std::make_shared<Addresses>();
  for (const Addresses& addresses : batch)
    all->insert(all->end(), addresses.begin(), addresses.end());
  auto insert = [all](pg::Transaction& tx) -> Status {
    InsertAddresses(tx, *all);
    return {};
  };
  const pg::TransactOptions options{.name = "watch_addresses", .idempotent = true};
  const Status done = co_await database_.Transact(options, insert);
  std::vector<Result<Registered>> answers;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (done.ok()) {
      answers.emplace_back(Registered{});
    } else {
      answers.emplace_back(done.error());
    }
  }
  co_return answers;
}

}  // namespace paymesh::watcher
