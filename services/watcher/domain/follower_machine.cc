#include "services/watcher/domain/follower_machine.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "services/watcher/reasons.h"

namespace paymesh::watcher {
namespace {

constexpr std::chrono::milliseconds kWithoutLeasePause{200};
constexpr std::chrono::milliseconds kHaltedPause{1'000};
constexpr std::chrono::milliseconds kInternalPause{1'000};
constexpr std::chrono::milliseconds kDatabasePause{500};
constexpr std::chrono::milliseconds kThrottledPause{1'000};

constexpr std::array<std::string_view, 5> kOfNode = {reasons::kNodeUnavailable, reasons::kBadAnswer,
                                                     reasons::kNodeError, reasons::kNodeBehind,
                                                     reasons::kNodeAnswerTooLarge};
// Of the database's client, which names them.
constexpr std::array<std::string_view, 6> kOfDatabase = {
    "DATABASE_UNAVAILABLE", "OVERLOADED",           "COMMIT_UNKNOWN",
    "DATABASE_READ_ONLY",   "TRANSACTION_CONFLICT", "DATABASE_TIMEOUT"};

template <class Reasons>
bool Holds(const Reasons& reasons, const Error& error) {
  return std::find(reasons.begin(), reasons.end(), error.reason) != reasons.end();
}

}  // namespace

Trouble TroubleOf(const Error& error) {
  if (error.reason == reasons::kNodeLimit) return Trouble::kThrottled;
  if (Holds(kOfNode, error)) return Trouble::kNode;
  if (error.code == ErrorCode::kInternal) return Trouble::kInternal;
  return Holds(kOfDatabase, error) ? Trouble::kDatabase : Trouble::kOther;
}

FollowerAction FollowerMachine::Begin(std::optional<std::int64_t> epoch) {
  // Another replica may have written since the lease was ours, and an operator may have resumed a
  // halted chain: only the database knows how the chain stands.
  if (!epoch || halted_ || epoch_ != epoch) epoch_.reset();
  if (!epoch) return Rest(kWithoutLeasePause);
  turn_epoch_ = *epoch;
  return doing_ = epoch_ ? FollowerAction::kReadHead : FollowerAction::kLoad;
}

FollowerAction FollowerMachine::Next() {
  if (halted_) return Rest(kHaltedPause);
  doing_ = After(doing_);
  return doing_ == FollowerAction::kRest ? Rest(poll_interval_) : doing_;
}

FollowerAction FollowerMachine::After(FollowerAction done) {
  switch (done) {
    case FollowerAction::kLoad:
      return identity_checked_ ? FollowerAction::kReadRecent : FollowerAction::kCheckIdentity;
    case FollowerAction::kCheckIdentity:
      identity_checked_ = true;
      // The check stands where it is first needed: before blocks are read at a start, and before a
      // head is believed of a node that was away.
      return epoch_ ? FollowerAction::kAdvance : FollowerAction::kReadRecent;
    case FollowerAction::kReadRecent:
      epoch_ = turn_epoch_;
      return FollowerAction::kReadHead;
    case FollowerAction::kReadHead:
      return identity_checked_ ? FollowerAction::kAdvance : FollowerAction::kCheckIdentity;
    case FollowerAction::kAdvance:
      return FollowerAction::kCatchRegistrations;
    case FollowerAction::kCatchRegistrations:
      return FollowerAction::kPollTransactions;
    case FollowerAction::kPollTransactions:
      return FollowerAction::kReportContact;
    case FollowerAction::kReportContact:
    case FollowerAction::kRest:
      return FollowerAction::kRest;
  }
  return FollowerAction::kRest;
}

FollowerAction FollowerMachine::Failed(Trouble trouble) {
  // A node that was away may come back as another one: it is asked who it is before it is believed.
  if (IsOfNode(trouble)) identity_checked_ = false;
  // Any other trouble may mean that the database is not where this process thinks.
  if (!IsOfNode(trouble)) epoch_.reset();
  switch (trouble) {
    case Trouble::kThrottled:
      return Rest(kThrottledPause);
    case Trouble::kDatabase:
      return Rest(kDatabasePause);
    case Trouble::kInternal:
      return Rest(kInternalPause);
    case Trouble::kNode:
    case Trouble::kOther:
      return Rest(poll_interval_);
  }
  return Rest(poll_interval_);
}

void FollowerMachine::Loaded(bool halted, bool anchored) {
  halted_ = halted;
  if (anchored) identity_checked_ = true;
  // The node may be replaced while the chain is halted.
  if (halted) identity_checked_ = false;
}

FollowerAction FollowerMachine::Rest(std::chrono::milliseconds pause) {
  pause_ = pause;
  return doing_ = FollowerAction::kRest;
}

}  // namespace paymesh::watcher
