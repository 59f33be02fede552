// A journal served as a stream of batches: first what is stored, then what comes. One strand a
// call.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "common/error/error.h"
#include "common/journal/hub.h"
#include "common/rpc/server.h"
#include "common/runtime/task.h"

namespace paymesh::watcher {

inline constexpr int kMaxStreamBatch = 256;  // entries a message
// Receipts may be long: a message that has grown so far is sent, well below the 4 MB it may have.
inline constexpr std::size_t kFullMessageBytes = 1024 * 1024;
inline constexpr std::chrono::seconds kStreamWait{30};
// A stream ends OK after this long, and its reader opens it again: so load spreads over replicas.
inline constexpr std::chrono::minutes kStreamLife{5};

// Event gets position and create_time from its journal row, the rest from its payload.
template <class Event>
Result<Event> ToEvent(const journal::Entry& entry) {
  Event event;
  if (!event.ParseFromString(entry.payload))
    return Error::Internal("a journal entry does not parse");
  event.set_position(entry.position);
  event.set_traceparent(entry.trace);
  const std::int64_t micros = entry.create_time.time_since_epoch().count();
  event.mutable_create_time()->set_seconds(micros / 1'000'000);
  event.mutable_create_time()->set_nanos(static_cast<std::int32_t>(micros % 1'000'000 * 1'000));
  return event;
}

template <class Event, class Response>
Task<Status> StreamJournal(journal::Hub& hub, std::string name, std::int64_t after,
                           rpc::Writer<Response>& writer) {
  if (after < 0) co_return Error::InvalidField("after_position", "must not be negative");
  const auto end = std::chrono::steady_clock::now() + kStreamLife;
  while (std::chrono::steady_clock::now() < end) {
    const journal::Filter everything;
    Result<journal::Page> page =
        co_await hub.ReadOrWait(name, after, kMaxStreamBatch, everything, kStreamWait);
    if (!page.ok()) co_return page.error();
    if (page->scanned > after) after = page->scanned;
    if (page->entries.empty()) continue;
    Response response;
    std::size_t bytes = 0;
    for (const journal::EntryPtr& entry : page->entries) {
      ASSIGN_OR_CO_RETURN(*response.add_events(), ToEvent<Event>(*entry));
      bytes += entry->payload.size();
      if (bytes < kFullMessageBytes && entry != page->entries.back()) continue;
      if (!co_await writer.Write(std::exchange(response, Response()))) co_return Status();
      bytes = 0;
    }
  }
  co_return Status();
}

}  // namespace paymesh::watcher
