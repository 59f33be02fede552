#include "common/outbox/hub/hub.h"

#include <algorithm>

#include "common/outbox/append.h"
#include "common/outbox/hub/hub_state.h"

namespace paymesh::outbox {
namespace {

constexpr int kMaxPage = 10'000;

Error BadRead(std::int64_t after, int limit) {
  if (after < 0) return Error::InvalidField("after_position", "must not be negative");
  return Error::Internal("an outbox read of " + std::to_string(limit) + " entries");
}

}  // namespace

Hub::Hub(pg::Database& database, HubOptions options)
    : state_(std::make_shared<HubState>(database, std::move(options))) {
  state_->Start();
}
Hub::~Hub() { Close(); }
void Hub::Close() { state_->Close(); }
HubStats Hub::stats() const { return state_->stats(); }

Task<Result<Page>> Hub::Read(std::string outbox, std::int64_t after, int limit, Filter filter) {
  const std::shared_ptr<HubState> state = state_;
  if (after < 0 || limit < 1 || limit > kMaxPage) co_return BadRead(after, limit);
  std::optional<Page> cached = state->Cached(outbox, after, limit, filter);
  if (cached) co_return *std::move(cached);
  const pg::TransactOptions options{
      .name = "journal read", .idempotent = true, .access = pg::Access::kReadOnly};
  auto read = [outbox, after, limit, filter](pg::Transaction& tx) {
    return ReadPage(tx, outbox, after, limit, filter);
  };
  co_return co_await state->database().Transact(options, read);
}

Task<Result<Page>> Hub::ReadOrWait(std::string outbox, std::int64_t after, int limit, Filter filter,
                                   std::chrono::milliseconds wait) {
  const std::shared_ptr<HubState> state = state_;
  const auto deadline = std::chrono::steady_clock::now() + wait;
  for (;;) {
    Result<Page> page = co_await Read(outbox, after, limit, filter);
    if (!page.ok() || !page->entries.empty()) co_return page;
    after = page->scanned;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) co_return page;
    const std::shared_ptr<HubState::Shot> shot = state->Watch(outbox, after, filter, left);
    const Woken woken = co_await HubState::Shot::Wait(shot);
    after = std::max(after, woken.scanned);
    if (woken.why == Waking::kNews) continue;
    if (woken.why == Waking::kTimeout) {
      page->scanned = after;
      co_return page;
    }
    if (woken.why == Waking::kClosed) {
      co_return Error::Unavailable("SHUTTING_DOWN", "the service is stopping");
    }
    co_return Error::Unavailable("OVERLOADED", "too many readers are waiting",
                                 std::chrono::milliseconds(500));
  }
}

Task<bool> Hub::WaitBeyond(std::string outbox, std::int64_t position,
                           std::chrono::milliseconds wait) {
  const std::shared_ptr<HubState> state = state_;
  const std::shared_ptr<HubState::Shot> shot = state->Watch(outbox, position, Filter::All(), wait);
  const Woken woken = co_await HubState::Shot::Wait(shot);
  co_return woken.why == Waking::kNews;
}

}  // namespace paymesh::outbox
