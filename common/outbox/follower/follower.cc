#include "common/outbox/follower/follower.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>

#include "common/outbox/follower/follower_buffer.h"
#include "common/outbox/spans.h"
#include "common/pg/database.h"
#include "common/runtime/backoff.h"
#include "common/trace/tracer.h"

namespace paymesh::outbox {
namespace {

constexpr char kCreate[] =
    "INSERT INTO journal_cursor (follower) VALUES ($1) ON CONFLICT DO NOTHING";
constexpr char kRead[] = "SELECT position FROM journal_cursor WHERE follower = $1";
constexpr char kMove[] =
    "UPDATE journal_cursor SET position = $3, update_time = clock_timestamp()"
    " WHERE follower = $1 AND position = $2";

// How one batch ended.
enum class Applied { kYes, kCursorMoved, kFailed };

// The buffer is closed and the stream cancelled however the applying coroutine ends, so that the
// reading one ends too.
struct Reading {
  std::shared_ptr<Source> source;
  std::shared_ptr<FollowerBuffer> buffer;
  ~Reading() {
    if (source) source->Cancel();
    if (buffer) buffer->Close(Status());
  }
};

Task<Status> ReadAll(std::shared_ptr<Source> source, std::shared_ptr<FollowerBuffer> buffer) {
  for (;;) {
    Result<std::optional<Entry>> entry = co_await source->Read();
    if (!entry.ok()) co_return entry.error();
    if (!entry->has_value()) co_return Status();
    const bool taken = co_await FollowerBuffer::Put(buffer, **std::move(entry));
    if (!taken) co_return Status();
  }
}

Task<void> ReadInto(std::shared_ptr<Source> source, std::shared_ptr<FollowerBuffer> buffer) {
  Status end = Error::Internal("reading the outbox stream failed");
  try {
    end = co_await ReadAll(source, buffer);
  } catch (const std::exception&) {
    // The loop above opens the stream again.
  }
  buffer->Close(std::move(end));
}

}  // namespace

struct Follower::State {
  State(pg::Database& db, FollowerOptions opts, OpenSource open_fn, ApplyEntries apply_fn)
      : database(db),
        options(std::move(opts)),
        open(std::move(open_fn)),
        apply(std::move(apply_fn)),
        random(std::random_device{}()) {}

  using Self = std::shared_ptr<State>;
  static Task<void> Run(Self self);
  static Task<Status> FollowOnce(Self self, std::int64_t cursor);
  static Task<Status> ApplyAll(Self self, std::shared_ptr<FollowerBuffer> buffer,
                               std::int64_t cursor);
  static Task<Status> ApplyStubbornly(Self self, std::vector<Entry> batch, std::int64_t cursor);
  static Task<Result<Applied>> ApplyOnce(Self self, std::shared_ptr<std::vector<Entry>> batch,
                                         std::int64_t cursor);
  static Task<Result<std::int64_t>> ReadCursor(Self self);
  static Task<void> Pause(Self self, std::chrono::milliseconds limit);

  Status CheckOrder(const std::vector<Entry>& batch, std::int64_t cursor) const;
  void NoteApplied(const std::vector<Entry>& batch);
  void Log(const std::string& message) const {
    if (options.log) options.log("follower " + options.name + ": " + message);
  }
  template <class Fn>
  void Note(Fn change) {
    std::lock_guard lock(mutex);
    change(stats);
  }

  pg::Database& database;
  const FollowerOptions options;
  const runtime::Backoff backoff{options.min_backoff, options.max_backoff};
  const OpenSource open;
  const ApplyEntries apply;
  std::minstd_rand random;  // of the one running coroutine
  std::size_t batch_limit = 0;
  mutable std::mutex mutex;
  FollowerStats stats;
};

Follower::Follower(pg::Database& database, FollowerOptions options, OpenSource open,
                   ApplyEntries apply)
    : state_(std::make_shared<State>(database, std::move(options), std::move(open),
                                     std::move(apply))) {}
Follower::~Follower() = default;
Task<void> Follower::Run() { return State::Run(state_); }

FollowerStats Follower::stats() const {
  std::lock_guard lock(state_->mutex);
  return state_->stats;
}

std::int64_t Cursor(pg::Transaction& tx, std::string_view follower) {
  const pg::Rows rows = tx.Execute(kRead, follower);
  return rows.empty() ? 0 : rows.front().Get<std::int64_t>("position");
}

Task<void> Follower::State::Run(Self self) {
  self->batch_limit = self->options.max_batch;
  int failures = 0;
  for (;;) {
    const Result<std::int64_t> cursor = co_await ReadCursor(self);
    Status ended;
    if (cursor.ok()) {
      const std::int64_t before = *cursor;
      self->Note([&](FollowerStats& stats) { stats.position = before; });
      ended = co_await FollowOnce(self, before);
      self->Note([](FollowerStats& stats) { stats.connected = false; });
      bool moved = false;
      self->Note([&](FollowerStats& stats) { moved = stats.position != before; });
      if (moved) failures = 0;
    } else {
      ended = cursor.error();
    }
    if (ended.ok()) {
      // The peer ends streams by their age; nothing is wrong.
      co_await Pause(self, self->options.min_backoff);
      continue;
    }
    if (ended.error().reason == "CURSOR_MOVED") {
      self->Note([](FollowerStats& stats) { ++stats.contended; });
      co_await Pause(self, self->options.contended_backoff);
      continue;
    }
    ++failures;
    self->Log(ended.error().ToString());
    co_await Pause(self, self->backoff.Limit(failures));
  }
}

Task<Result<std::int64_t>> Follower::State::ReadCursor(Self self) {
  auto read = [name = self->options.name](pg::Transaction& tx) -> Result<std::int64_t> {
    const pg::Rows rows = tx.Execute(kRead, name);
    if (!rows.empty()) return rows.front().Get<std::int64_t>("position");
    tx.Execute(kCreate, name);
    return Cursor(tx, name);
  };
  const pg::TransactOptions options{.name = "journal cursor", .idempotent = true};
  co_return co_await self->database.Transact(options, read);
}

// One stream, from its opening to its end.
Task<Status> Follower::State::FollowOnce(Self self, std::int64_t cursor) {
  Result<std::unique_ptr<Source>> opened = co_await self->open(cursor);
  if (!opened.ok()) co_return opened.error();
  self->Note([](FollowerStats& stats) {
    ++stats.opened;
    stats.connected = true;
  });
  Reading reading{*std::move(opened), std::make_shared<FollowerBuffer>(self->options.max_buffered)};
  const auto executor = co_await boost::asio::this_coro::executor;
  boost::asio::co_spawn(executor, ReadInto(reading.source, reading.buffer), boost::asio::detached);
  co_return co_await ApplyAll(self, reading.buffer, cursor);
}

Task<Status> Follower::State::ApplyAll(Self self, std::shared_ptr<FollowerBuffer> buffer,
                                       std::int64_t cursor) {
  for (;;) {
    std::vector<Entry> batch = co_await FollowerBuffer::Take(buffer, self->options.max_batch);
    if (batch.empty()) co_return buffer->end();
    const std::size_t buffered = buffer->size();
    self->Note([&](FollowerStats& stats) { stats.buffered = buffered; });
    Status ordered = self->CheckOrder(batch, cursor);
    if (!ordered.ok()) co_return ordered;
    const std::int64_t last = batch.back().position;
    Status applied = co_await ApplyStubbornly(self, std::move(batch), cursor);
    if (!applied.ok()) co_return applied;
    cursor = last;
  }
}

// All of `batch`, in one transaction or, after a failure, in ever smaller ones, so that one bad
// entry holds up only what comes after it. Ends only when all is applied or the cursor is not ours.
Task<Status> Follower::State::ApplyStubbornly(Self self, std::vector<Entry> batch,
                                              std::int64_t cursor) {
  std::size_t at = 0;
  int failures = 0;
  while (at < batch.size()) {
    const std::size_t size = std::min(batch.size() - at, self->batch_limit);
    const auto first = batch.begin() + static_cast<std::ptrdiff_t>(at);
    auto part =
        std::make_shared<std::vector<Entry>>(first, first + static_cast<std::ptrdiff_t>(size));
    const Result<Applied> outcome = co_await ApplyOnce(self, part, cursor);
    if (outcome.ok() && *outcome == Applied::kCursorMoved) {
      co_return Error::Aborted("CURSOR_MOVED", "another replica has moved the cursor");
    }
    if (outcome.ok()) {
      failures = 0;
      at += size;
      cursor = part->back().position;
      self->batch_limit = std::min(self->options.max_batch, self->batch_limit * 2);
      self->NoteApplied(*part);
      continue;
    }
    ++failures;
    self->batch_limit = std::max<std::size_t>(1, size / 2);
    self->Note([&](FollowerStats& stats) { stats.failed_attempts = failures; });
    self->Log("applying " + std::to_string(size) + " entries after position " +
              std::to_string(cursor) + " failed: " + outcome.error().ToString());
    co_await Pause(self, self->backoff.Limit(failures));
  }
  co_return Status();
}

// The cursor first: a second replica waits on its row, and then finds it moved before it has done
// any work.
Task<Result<Applied>> Follower::State::ApplyOnce(Self self,
                                                 std::shared_ptr<std::vector<Entry>> batch,
                                                 std::int64_t cursor) {
  auto work = [self, batch, cursor](pg::Transaction& tx) -> Result<Applied> {
    const std::int64_t last = batch->back().position;
    const pg::Rows moved = tx.Execute(kMove, self->options.name, cursor, last);
    if (moved.affected() == 0) {
      // Where an earlier try of ours was committed without our hearing of it, all is well.
      return Cursor(tx, self->options.name) == last ? Applied::kYes : Applied::kCursorMoved;
    }
    RETURN_IF_ERROR(self->apply(tx, *batch));
    return Applied::kYes;
  };
  const pg::TransactOptions options{.name = "journal apply", .idempotent = true};
  trace::Tracer* const tracer = self->database.options().tracer;
  const Time begun = tracer == nullptr ? Time() : tracer->clock().Now();
  const Result<Applied> outcome = co_await self->database.Transact(options, work);
  if (tracer != nullptr && outcome.ok() && *outcome == Applied::kYes) {
    TraceApplied(*tracer, self->options.name, *batch, begun);
  }
  co_return outcome;
}

Status Follower::State::CheckOrder(const std::vector<Entry>& batch, std::int64_t cursor) const {
  for (const Entry& entry : batch) {
    const bool right = options.dense ? entry.position == cursor + 1 : entry.position > cursor;
    if (!right) {
      return Error::Internal("position " + std::to_string(entry.position) + " came after " +
                             std::to_string(cursor));
    }
    cursor = entry.position;
  }
  return {};
}

// Between half of `limit` and all of it.
Task<void> Follower::State::Pause(Self self, std::chrono::milliseconds limit) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  timer.expires_after(runtime::Jittered(limit, self->random));
  co_await timer.async_wait(boost::asio::use_awaitable);
}

void Follower::State::NoteApplied(const std::vector<Entry>& batch) {
  Note([&](FollowerStats& now) {
    now.position = batch.back().position;
    now.last_entry_time = batch.back().create_time;
    now.applied += batch.size();
    ++now.batches;
    now.failed_attempts = 0;
  });
}

}  // namespace paymesh::outbox
