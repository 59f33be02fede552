// What a store's function gets to work with: one open transaction on one connection. Straight-line
// and blocking, on a thread of the database's pool; a failing statement throws SqlError, which
// Database::Transact turns into an Error after ROLLBACK.
// One thread, for the duration of the function that it is given to.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <typeindex>
#include <unordered_map>
#include <vector>

#include "common/pg/session.h"
#include "common/pg/sql/param.h"
#include "common/pg/sql/rows.h"
#include "common/pg/sql/sql_error.h"

namespace paymesh::pg {

class Connection;

class Transaction {
 public:
  explicit Transaction(Session& session) : session_(session) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // One statement with parameters $1.. . Prepared once a connection, by its text: pass constants,
  // never a text with values in it.
  template <class... Args>
  Rows Execute(std::string_view sql, const Args&... args) {
    if constexpr (sizeof...(args) == 0) {
      return ExecuteParams(sql, {});
    } else {
      const std::array<Param, sizeof...(args)> params{Param(args)...};
      return ExecuteParams(sql, params);
    }
  }
  Rows ExecuteParams(std::string_view sql, std::span<const Param> params);

  // Several statements at once, without parameters or rows: migrations and tests.
  void Script(const std::string& sql);

  // `hook` runs after the function has returned ok and before COMMIT, in the order of registration;
  // it may throw SqlError, and may register more. Outboxes append here, so that their head is
  // locked for as short a time as possible.
  void BeforeCommit(std::function<void(Transaction&)> hook);

  // `hook` runs once COMMIT is known to have succeeded; it must neither block nor throw. Where the
  // answer to COMMIT was lost it does not run, so it is for what is told of a change, as spans and
  // metrics are, and never a part of it.
  void AfterCommit(std::function<void()> hook);

  // Where spans of what this transaction does go; null: nowhere.
  trace::Tracer* tracer() const;

  // A value of type T that lives as long as the transaction, made on first use.
  template <class T>
  T& Local() {
    std::shared_ptr<void>& slot = locals_[std::type_index(typeid(T))];
    if (!slot) slot = std::make_shared<T>();
    return *static_cast<T*>(slot.get());
  }

 private:
  friend class Connection;
  void RunHooks();
  void RunCommitted() noexcept;

  Session& session_;
  std::vector<std::function<void(Transaction&)>> hooks_;
  std::vector<std::function<void()>> committed_;
  std::unordered_map<std::type_index, std::shared_ptr<void>> locals_;
};

}  // namespace paymesh::pg
