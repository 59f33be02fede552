// A peer's journal stream as a journal::Source: each message holds a run of events, which come out
// one by one as entries. Heavy header: for the peers' .cc files. One coroutine.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "common/journal/follower.h"
#include "common/rpc/client.h"
#include "services/checkout/convert.h"

namespace paymesh::checkout {

// Message has events(), each with position() and create_time().
template <class Message>
class StreamSource final : public journal::Source {
 public:
  explicit StreamSource(rpc::ClientStream<Message> stream) : stream_(std::move(stream)) {}

  Task<Result<std::optional<journal::Entry>>> Read() override {
    while (waiting_.empty()) {
      auto read = stream_.Read();
      Result<std::optional<Message>> message = co_await std::move(read);
      if (!message.ok()) co_return message.error();
      if (!message->has_value()) co_return std::optional<journal::Entry>();
      for (const auto& event : (*message)->events()) {
        journal::Entry entry;
        entry.position = event.position();
        entry.create_time = FromProto(event.create_time());
        entry.payload = event.SerializeAsString();
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
  std::deque<journal::Entry> waiting_;
};

}  // namespace paymesh::checkout
