// An outbox as the typed stream of a contract: entries as events, and events as entries again.
// Templates over the messages, so that this folder knows neither gRPC nor any contract. An event
// has position, create_time and traceparent, which come from the entry's row, and whatever the
// payload holds; a stream's message has `repeated Event events`, a run of them in order.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/error/error.h"
#include "common/outbox/entry.h"
#include "common/outbox/follower/follower.h"
#include "common/outbox/serve.h"
#include "common/runtime/task.h"

namespace paymesh::outbox {

// The row completes what the payload holds. INTERNAL when the payload does not parse.
template <class Event>
Result<Event> ToEvent(const Entry& entry) {
  Event event;
  if (!event.ParseFromString(entry.payload)) {
    return Error::Internal("an outbox entry does not parse");
  }
  if constexpr (requires { event.event_id(); }) {
    event.set_event_id("evt_" + std::to_string(entry.position));
  }
  event.set_position(entry.position);
  event.set_traceparent(entry.trace);
  const std::int64_t microseconds = entry.create_time.time_since_epoch().count();
  event.mutable_create_time()->set_seconds(microseconds / 1'000'000);
  event.mutable_create_time()->set_nanos(
      static_cast<std::int32_t>(microseconds % 1'000'000 * 1'000));
  return event;
}

// The server's side of a StreamX RPC. `writer` has Task<bool> Write(Message), false when the peer
// has gone. Errors as ServeStream's, and INTERNAL for an entry that does not parse.
template <class Message, class Writer>
Task<Status> ServeEvents(Hub& hub, ServeOptions options, Writer& writer) {
  using Event = std::decay_t<decltype(std::declval<Message>().events(0))>;
  WriteRun write = [&writer](const std::vector<EntryPtr>& run) -> Task<Result<bool>> {
    Message message;
    for (const EntryPtr& entry : run) {
      ASSIGN_OR_CO_RETURN(*message.add_events(), ToEvent<Event>(*entry));
    }
    auto written = writer.Write(std::move(message));
    const bool taken = co_await std::move(written);
    co_return taken;
  };
  auto serve = ServeStream(hub, std::move(options), std::move(write));
  co_return co_await std::move(serve);
}

// The consumer's side, as a follower wants it: entry by entry, the event as the payload. Stream has
// Task<Result<std::optional<Message>>> Read() and Cancel(). One coroutine.
template <class Message, class Stream>
class StreamSource final : public Source {
 public:
  using Event = std::decay_t<decltype(std::declval<Message>().events(0))>;
  // Fills in subject and kind, which events say each in their own way, and the payload where that
  // is not the whole event.
  using Describe = void (*)(const Event& event, Entry& entry);

  // `stub` is kept as long as the stream.
  StreamSource(std::shared_ptr<void> stub, Stream stream, Describe describe)
      : stub_(std::move(stub)), stream_(std::move(stream)), describe_(describe) {}

  Task<Result<std::optional<Entry>>> Read() override {
    while (waiting_.empty()) {
      auto read = stream_.Read();
      Result<std::optional<Message>> message = co_await std::move(read);
      if (!message.ok()) co_return message.error();
      if (!message->has_value()) co_return std::optional<Entry>();
      for (const Event& event : (*message)->events()) waiting_.push_back(ToEntry(event));
    }
    Entry entry = std::move(waiting_.front());
    waiting_.pop_front();
    co_return std::optional<Entry>(std::move(entry));
  }

  void Cancel() override { stream_.Cancel(); }

 private:
  Entry ToEntry(const Event& event) const {
    Entry entry;
    entry.position = event.position();
    entry.trace = event.traceparent();
    entry.create_time = pg::Time(std::chrono::seconds(event.create_time().seconds()) +
                                 std::chrono::microseconds(event.create_time().nanos() / 1'000));
    describe_(event, entry);
    if (entry.payload.empty()) entry.payload = event.SerializeAsString();
    return entry;
  }

  const std::shared_ptr<void> stub_;
  Stream stream_;
  const Describe describe_;
  std::deque<Entry> waiting_;
};

template <class Message, template <class> class Stream>
std::unique_ptr<Source> MakeSource(
    std::shared_ptr<void> stub, Stream<Message> stream,
    typename StreamSource<Message, Stream<Message>>::Describe describe) {
  return std::make_unique<StreamSource<Message, Stream<Message>>>(std::move(stub),
                                                                  std::move(stream), describe);
}

}  // namespace paymesh::outbox
