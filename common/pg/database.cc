#include "common/pg/database.h"

#include <future>
#include <string>

#include "common/pg/pool.h"
#include "common/runtime/one_shot.h"

namespace paymesh::pg {

Database::Database(DatabaseOptions options) : pool_(std::make_shared<Pool>(std::move(options))) {
  if (pool_->metrics() == nullptr) return;
  pool_->options().metrics->OnCollect([weak = std::weak_ptr<Pool>(pool_)] {
    if (const auto pool = weak.lock()) pool->metrics()->Show(pool->stats());
  });
}
Database::~Database() { Close(); }
void Database::Close() { pool_->Close(); }
DatabaseStats Database::stats() const { return pool_->stats(); }
const DatabaseOptions& Database::options() const { return pool_->options(); }

Task<Status> Database::Run(TransactOptions options, Work work) {
  auto shot = runtime::OneShot<Status>::Make();
  pool_->Submit(options, std::move(work), [shot](Status status) { shot->Set(std::move(status)); });
  co_return co_await runtime::OneShot<Status>::Wait(shot);
}

Status Database::RunBlocking(TransactOptions options, Work work) {
  auto promise = std::make_shared<std::promise<Status>>();
  std::future<Status> future = promise->get_future();
  pool_->Submit(options, std::move(work),
                [promise](Status status) { promise->set_value(std::move(status)); });
  return future.get();
}

Status CheckServer(Transaction& tx) {
  const Rows rows = tx.Execute(
      "SELECT current_setting('fsync') AS fsync,"
      " current_setting('full_page_writes') AS full_page_writes,"
      " current_setting('synchronous_commit') AS synchronous_commit,"
      " current_setting('server_version_num')::int AS version,"
      " current_setting('server_encoding') AS encoding,"
      " pg_is_in_recovery() AS standby");
  const Row row = rows.front();
  std::string wrong;
  for (const char* name : {"fsync", "full_page_writes", "synchronous_commit"}) {
    if (row.Get<std::string>(name) != "on") wrong += std::string(" ") + name + " is not on;";
  }
  if (row.Get<int>("version") < 130000) wrong += " PostgreSQL is older than 13;";
  if (row.Get<std::string>("encoding") != "UTF8") wrong += " the encoding is not UTF8;";
  if (row.Get<bool>("standby")) wrong += " the server is a standby;";
  if (wrong.empty()) return {};
  return Error::FailedPrecondition("UNSAFE_SERVER", "the database server is not safe:" + wrong);
}

}  // namespace paymesh::pg
