// How much a hub keeps and allows, and what it has counted. Plain values; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace paymesh::outbox {

struct HubOptions {
  std::size_t max_cached_entries = 4096;            // an outbox
  std::size_t max_cached_bytes = 16 * 1024 * 1024;  // an outbox
  std::size_t max_waiting = 10'000;  // waiting readers; beyond: UNAVAILABLE OVERLOADED
  std::chrono::milliseconds poll_interval{1'000};  // looks at the heads even without a notification
  std::function<void(std::string_view message)> log = {};
};

struct HubStats {
  std::uint64_t connects = 0, notifications = 0, cached_reads = 0, table_reads = 0;
  std::size_t waiting = 0;
  bool connected = false;
  std::map<std::string, std::int64_t> heads = {};  // of every outbox, as last heard
};

}  // namespace paymesh::outbox
