#include "services/watcher/workers/chain_status_reporter.h"

namespace paymesh::watcher {
namespace {

// The row and the log bear one line a second; a trouble that stays is logged again more rarely.
constexpr std::chrono::milliseconds kStatusInterval{1'000};
constexpr std::chrono::milliseconds kLogInterval{1'000};
constexpr std::chrono::milliseconds kSameTroubleLogInterval{10'000};
constexpr std::size_t kMaxReasonBytes = 500;

}  // namespace

bool ChainStatusReporter::IsDue(runtime::SteadyTime now) const {
  return now - last_status_ >= kStatusInterval;
}

std::optional<ChainStatus> ChainStatusReporter::Trouble(const Error& error,
                                                        runtime::SteadyTime now) {
  if (!trouble_since_) trouble_since_ = now;
  const bool changed = error.message != trouble_;
  const auto quiet = now - last_log_;
  if (quiet > kSameTroubleLogInterval || (changed && quiet > kLogInterval)) {
    log_.Warn("the node is of no use at present",
              {{"chain", chain_}, {"reason", error.reason}, {"err", error.message}});
    last_log_ = now;
  }
  trouble_ = error.message;
  // A node that is away for a moment is no state of the chain.
  if (now - *trouble_since_ < unreachable_after_) return std::nullopt;
  metrics_.unreachable.Set(1);
  if (unreachable_ && (!changed || !IsDue(now))) return std::nullopt;
  last_status_ = now;
  unreachable_ = true;
  return ChainStatus{.state = ChainState::kUnreachable,
                     .reason = error.message.substr(0, kMaxReasonBytes)};
}

std::optional<ChainStatus> ChainStatusReporter::Contact(runtime::SteadyTime now) {
  if (trouble_since_) {
    if (unreachable_) log_.Info("the node is of use again", {{"chain", chain_}});
    trouble_since_.reset();
    trouble_.clear();
    unreachable_ = false;
    metrics_.unreachable.Set(0);
  } else if (!IsDue(now)) {
    return std::nullopt;
  }
  last_status_ = now;
  return ChainStatus{.state = ChainState::kFollowing, .contact = true};
}

void ChainStatusReporter::Halted(const std::string& reason) {
  metrics_.halted.Set(1);
  log_.Error("the chain is halted: a person must look", {{"chain", chain_}, {"reason", reason}});
}

void ChainStatusReporter::Resumed() {
  metrics_.halted.Set(0);
  log_.Info("the chain goes on", {{"chain", chain_}});
}

}  // namespace paymesh::watcher
