// What the follower of a chain does next: a pure machine over its turns. It is told what was done,
// what failed and whether the lease is held, and answers with one action after the other. It holds
// no data of the chain, only whether the chain's data may still be believed. Pure; one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "common/error/error.h"

namespace paymesh::watcher {

// Why an action failed, as far as it decides what comes next.
enum class Trouble {
  kNode,       // away, behind or of two minds: what was stored stands, and what is in memory too
  kThrottled,  // the same, from a node that wants fewer calls
  kDatabase,   // the outcome of a write may be unknown
  kInternal,   // a step contradicts what is stored, or a bug
  kOther,      // the lease is lost, the cursor moved: another replica has written
};
Trouble TroubleOf(const Error& error);
// The node is to blame, not this process or its database.
constexpr bool IsOfNode(Trouble trouble) {
  return trouble == Trouble::kNode || trouble == Trouble::kThrottled;
}

enum class FollowerAction {
  kRest,  // until pause() is over; a new turn begins then
  kLoad,  // the chain from the database; begin it there when it is new
  kCheckIdentity,
  kReadRecent,  // the blocks that registrations look back over
  kReadHead,
  kAdvance,  // store what the new head brings
  kCatchRegistrations,
  kPollTransactions,
  kReportContact,
};

class FollowerMachine {
 public:
  explicit FollowerMachine(std::chrono::milliseconds poll_interval)
      : poll_interval_(poll_interval), pause_(poll_interval) {}

  // A turn begins; `epoch` is the lease's while this process holds it.
  FollowerAction Begin(std::optional<std::int64_t> epoch);
  // The action at hand is done.
  FollowerAction Next();
  // The action at hand has failed: rest.
  FollowerAction Failed(Trouble trouble);

  // What kLoad found, before Next. `anchored`: the chain was new, so its identity is the node's.
  void Loaded(bool halted, bool anchored);
  // kCheckIdentity or kAdvance has stopped the chain, before Next.
  void Halted() { halted_ = true; }

  bool halted() const { return halted_; }
  // Whether what is in memory of the chain is whole and may be built on.
  bool remembers() const { return epoch_.has_value(); }
  // Of the turn at hand.
  std::int64_t epoch() const { return turn_epoch_; }
  std::chrono::milliseconds pause() const { return pause_; }

 private:
  FollowerAction After(FollowerAction done);
  FollowerAction Rest(std::chrono::milliseconds pause);

  const std::chrono::milliseconds poll_interval_;
  std::chrono::milliseconds pause_;
  FollowerAction doing_ = FollowerAction::kRest;
  std::optional<std::int64_t> epoch_;  // under which the chain was loaded whole
  std::int64_t turn_epoch_ = 0;
  bool halted_ = false;
  bool identity_checked_ = false;
};

}  // namespace paymesh::watcher
