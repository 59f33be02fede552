#include "common/pg/transaction.h"

namespace paymesh::pg {

Rows Transaction::ExecuteParams(std::string_view sql, std::span<const Param> params) {
  return session_.ExecuteParams(sql, params);
}

void Transaction::Script(const std::string& sql) { session_.Script(sql); }

void Transaction::BeforeCommit(std::function<void(Transaction&)> hook) {
  hooks_.push_back(std::move(hook));
}

void Transaction::AfterCommit(std::function<void()> hook) { committed_.push_back(std::move(hook)); }

trace::Tracer* Transaction::tracer() const { return session_.tracer(); }

void Transaction::RunCommitted() noexcept {
  for (const auto& hook : committed_) hook();
}

void Transaction::RunHooks() {
  // By index: a hook may register another.
  for (std::size_t i = 0; i < hooks_.size(); ++i) {
    const auto hook = std::move(hooks_[i]);
    hook(*this);
  }
}

}  // namespace paymesh::pg
