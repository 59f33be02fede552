// A peer's journal stream as a journal::Source: each message holds a run of events, which come out
// one by one as entries. Heavy header: for the peers' .cc files. One coroutine.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "common/journal/follower.h"
#include "common/rpc/client.h"
#include "services/checkout/convert.h"

namespace paymesh::checkout {

// Message has events(), each with position(), create_time() and traceparent().
template <class Message>
class StreamSource final : public journal::Source {
 public:
  using Event = std::decay_t<decltype(std::declval<Message>().events(0))>;
  // Fills in what an event is about, and of which kind it is.
  using Describe = void (*)(const Event& event, journal::Entry& entry);

  StreamSource(rpc::ClientStream<Message> stream, Describe describe)
      : stream_(std::move(stream)), describe_(describe) {}

  Task<Result<std::optional<journal::Entry>>> Read() override {
    while (waiting_.empty()) {
      auto read = stream_.Read();
      Result<std::optional<Message>> message = co_await std::move(read);
      if (!message.ok()) co_return message.error();
      if (!message->has_value()) co_return std::optional<journal::Entry>();
      for (const auto& event : (*message)->events()) {
        journal::Entry entry;
        entry.position = event.position();
        entry.trace = event.traceparent();
        entry.create_time = FromProto(event.create_time());
        entry.payload = event.SerializeAsString();
        describe_(event, entry);
        waiting_.push_back(std::move(entry));
      }
    }
    journal::Entry entry = std::move(waiting_.front());
    waiting_.pop_front();
    co_return std::optional<journal::Entry>(std::move(entry));
  }

  void Cancel() override { stream_.Cancel(); }

 private:
  rpc::ClientStream<Message> stream_;
  const Describe describe_;
  std::deque<journal::Entry> waiting_;
};

}  // namespace paymesh::checkout
