// Says how a chain is: in its metrics, in the log, and as the status that its row should show.
// Decides what is said and when; the follower writes the row. Makes no call. One strand.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "common/error/error.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "services/watcher/store/chain_store.h"
#include "services/watcher/usecases/chain_metrics.h"

namespace paymesh::watcher {

class ChainStatusReporter {
 public:
  // The references must outlive the reporter. A chain counts as unreachable once the node has been
  // of no use for `unreachable_after`.
  ChainStatusReporter(runtime::Logger& log, ChainMetrics& metrics, std::string chain,
                      std::chrono::milliseconds unreachable_after)
      : log_(log),
        metrics_(metrics),
        chain_(std::move(chain)),
        unreachable_after_(unreachable_after) {}

  // The node was of no use; the status to write now, if any.
  std::optional<ChainStatus> Trouble(const Error& error, runtime::SteadyTime now);
  // The node was of use; the status to write now, if any.
  std::optional<ChainStatus> Contact(runtime::SteadyTime now);

  void Halted(const std::string& reason);
  void Resumed();

 private:
  bool IsDue(runtime::SteadyTime now) const;

  runtime::Logger& log_;
  ChainMetrics& metrics_;
  const std::string chain_;
  const std::chrono::milliseconds unreachable_after_;

  std::optional<runtime::SteadyTime> trouble_since_;
  std::string trouble_;  // the last that was said
  bool unreachable_ = false;
  runtime::SteadyTime last_status_{};
  runtime::SteadyTime last_log_{};
};

}  // namespace paymesh::watcher
