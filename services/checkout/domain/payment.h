// The payment: what was agreed, what has arrived, what was decided. Amounts are the truth; state,
// flags and dispositions are computed from them by machine.h and kept beside them.
// Plain values; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/money/amount.h"
#include "common/runtime/clock.h"
#include "services/checkout/domain/merchant.h"
#include "services/checkout/domain/state.h"

namespace paymesh::checkout {

// The numbers are those of the contract. A set is a word of bits 1 << number.
enum class Flag {
  kLate = 1,
  kUnderpaidAccepted = 2,
  kOverpaid = 3,
  kMultiTransfer = 4,
  kExtraAfterSuccess = 5,
  kWrongAsset = 6,
  kReorged = 7,
  kReincluded = 8,
  kManualDecision = 9,
  kSettledToMerchant = 10,
  kPaidAfterCancel = 11,
  kExtended = 12,
  kOnHold = 13,
};
inline constexpr int kLastFlag = 13;

class Flags {
 public:
  constexpr Flags() = default;
  constexpr explicit Flags(std::uint32_t bits) : bits_(bits) {}
  constexpr bool Has(Flag flag) const { return (bits_ & Bit(flag)) != 0; }
  constexpr void Set(Flag flag, bool on = true) {
    bits_ = on ? (bits_ | Bit(flag)) : (bits_ & ~Bit(flag));
  }
  constexpr std::uint32_t bits() const { return bits_; }
  friend constexpr bool operator==(const Flags&, const Flags&) = default;

 private:
  static constexpr std::uint32_t Bit(Flag flag) { return 1U << static_cast<unsigned>(flag); }
  std::uint32_t bits_ = 0;
};

enum class Disposition { kMatched = 1, kExtra = 2, kLate = 3, kWrongAsset = 4 };

struct Block {
  std::uint64_t number = 0;
  std::string hash = {};
  Time time{};
  friend bool operator==(const Block&, const Block&) = default;
};

// A transfer to the deposit address. The watcher says all above `disposition`, we the rest.
struct Transfer {
  std::string transfer_id = {};
  std::string chain = {};
  std::string transaction_hash = {};
  Amount amount;
  std::string from_address = {};
  std::string to_address = {};
  Finality finality = Finality::kNone;  // kNone while orphaned
  Block block = {};                     // while orphaned: the block that held it last
  bool orphaned = false;
  std::int64_t revision = 0;  // the watcher's, of this transfer

  Disposition disposition = Disposition::kMatched;
  bool decided = false;  // accepted + refundable == amount; withdrawn while orphaned
  U256 accepted = {};
  U256 refundable = {};
  // Nobody need look at it again: a person has, or it was part of a decision.
  bool reviewed = false;
  // It was orphaned at least once.
  bool was_orphaned = false;
  // It came when the payment was closed already.
  bool after_close = false;

  bool live() const { return !orphaned; }
  friend bool operator==(const Transfer&, const Transfer&) = default;
};

// The rate behind an option, as routing gave it; carried, never computed with here.
struct QuotedRate {
  std::string base_unit = {}, quote_unit = {}, numerator = {}, denominator = {}, source = {};
  Time observe_time{};
  friend bool operator==(const QuotedRate&, const QuotedRate&) = default;
};

struct Option {
  std::string option_id = {};
  std::string chain = {};
  Amount due;
  std::optional<QuotedRate> rate = {};
  int rank = 0;
  std::vector<std::string> reasons = {};
  std::chrono::milliseconds confirm_time{};
  std::string symbol = {};
  std::uint32_t decimals = 0;
  friend bool operator==(const Option&, const Option&) = default;
};

struct TimelineEntry {
  std::int64_t ordinal = 0;  // 1, 2, 3 ... within the payment
  std::string kind = {};
  Time time{};
  std::string message = {};
  std::string transaction_hash = {};
  std::string object_id = {};
  std::string chain = {};
  friend bool operator==(const TimelineEntry&, const TimelineEntry&) = default;
};
// Anybody may send to a deposit address, and as often as they like. A payment takes every transfer
// up to kFreeTransfers; then, up to kMaxTransfers, those of at least a hundredth of what is due in
// an offered token, so that who crowds it pays for it. Snapshots stay far below a message's 4 MB.
inline constexpr std::size_t kFreeTransfers = 100;
inline constexpr std::size_t kMaxTransfers = 400;

// Of a payment's timeline that many lines, the newest, are loaded and shown. What a transaction
// adds to them is kept until it is stored.
inline constexpr std::size_t kMaxTimelineEntries = 200;

// What was agreed; never changes.
struct Terms {
  std::string payment_id = {};
  std::string merchant_id = {};
  std::string reference = {};
  std::string description = {};
  std::map<std::string, std::string> metadata = {};
  Amount price;
  std::vector<Option> options = {};  // best first, each in another unit
  std::string deposit_address = {};
  std::string factory_address = {};
  std::string factory_init_code_hash = {};
  Finality policy = Finality::kSafe;
  FeePlan fee_plan = {};
  std::uint32_t tolerance_basis_points = 0;
  std::string decision_id = {};
  Time create_time{};
  friend bool operator==(const Terms&, const Terms&) = default;
};

struct Payment {
  Terms terms;

  // Facts, beside the transfers.
  Time expire_time{};
  bool registered = false;  // the watcher watches the address: only then is it shown
  bool expired = false;     // every offered chain was read past the deadline
  bool expiry_deferred = false;
  bool canceled = false;
  bool reversed = false;  // was paid, and the money is proven gone
  std::string cancel_reason = {};
  // Engaged from the first success on: how much was accepted by the last decision, in the bound
  // unit.
  std::optional<U256> decided_gross = {};
  std::vector<Transfer> transfers = {};  // in order of first arrival, at most kMaxTransfers
  bool transfers_left_out = false;       // there were more
  std::vector<TimelineEntry> timeline = {};

  // Computed by the machine with each event.
  State state = State::kCreated;
  Flags flags = {};
  std::string bound_option_id = {};
  std::int64_t revision = 0;
  Time update_time{};

  const Option* Bound() const;
  const Option* OptionFor(const Unit& unit) const;
  friend bool operator==(const Payment&, const Payment&) = default;
};

// How much of a unit has arrived, by certainty; orphaned transfers do not count.
struct Arrived {
  U256 seen, confirmed, finalized;
  friend bool operator==(const Arrived&, const Arrived&) = default;
};
Arrived ArrivedIn(const Payment& payment, const Unit& unit);

// What the merchant gets of a bound payment, over its live, decided transfers.
struct Outcome {
  Unit unit;
  U256 gross, fee, net;
};
std::optional<Outcome> OutcomeOf(const Payment& payment);

// Owed back to payers, by unit, over live, decided transfers.
std::map<Unit, U256> RefundableOf(const Payment& payment);

// The lowest certainty over the transfers that are needed to cover what is due, the most certain
// taken first; kNone when nothing counts.
Finality FinalityOf(const Payment& payment);

// due less the tolerance, which rounds down.
U256 RequiredOf(const Option& option, std::uint32_t tolerance_basis_points);

// a + b; amounts of real tokens never reach 2^256, and a hostile one must not wrap.
U256 SaturatingAdd(const U256& a, const U256& b);

// Gives the entry the next ordinal. Takes nothing away: a line that was never stored would leave a
// hole in what the database holds.
void AddTimeline(Payment& payment, TimelineEntry entry);
// The newest kMaxTimelineEntries, oldest first. Valid until the payment changes.
std::span<const TimelineEntry> ShownTimeline(const Payment& payment);

}  // namespace paymesh::checkout
