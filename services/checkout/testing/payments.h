// A payment to try the machine on: 100.00 of a dollar, offered in three tokens on two chains, and
// short names for what may happen to it. For tests; one thread.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "services/checkout/domain/machine.h"

namespace paymesh::checkout::testing {

inline const std::string kChainA = "eip155:31337";
inline const std::string kChainB = "eip155:31338";
inline Unit TokenUnit(const std::string& chain, char digit) {
  return Unit::Parse("caip19/" + chain + "/erc20:0x" + std::string(40, digit)).value();
}
inline const Unit kUsdA = TokenUnit(kChainA, '1');
inline const Unit kUsdB = TokenUnit(kChainB, '1');
inline const Unit kEurA = TokenUnit(kChainA, '2');
inline const Unit kUnoffered = TokenUnit(kChainA, '9');

inline constexpr Time kStart{std::chrono::seconds(1'700'000'000)};
inline constexpr Time kDeadline = kStart + std::chrono::minutes(15);
inline constexpr std::uint64_t kDue = 100'000'000;
inline std::uint64_t Number(const U256& value) { return value.ToUint64().value_or(~0ULL); }

inline Option MakeOption(std::string id, const Unit& unit, std::uint64_t due) {
  return {.option_id = std::move(id),
          .chain = unit.asset()->chain().ToString(),
          .due = Amount{unit, U256(due)}};
}

inline Payment MakePayment(Finality policy = Finality::kSafe, std::uint32_t tolerance = 0) {
  Terms terms{.payment_id = "pay_1",
              .merchant_id = "mer_1",
              .price = Amount{Unit::Parse("iso4217/USD").value(), U256(10'000)}};
  terms.options = {MakeOption("opt_usd_a", kUsdA, kDue), MakeOption("opt_usd_b", kUsdB, kDue),
                   MakeOption("opt_eur_a", kEurA, 92'000'000)};
  terms.deposit_address = "0x" + std::string(40, 'd');
  terms.policy = policy;
  terms.fee_plan.basis_points = 150;
  terms.fee_plan.fixed[kUsdA] = U256(5);
  terms.tolerance_basis_points = tolerance;
  terms.create_time = kStart;
  return Create(std::move(terms), kDeadline, true);
}

// A payment and its events in a row.
class Story {
 public:
  explicit Story(Payment payment = MakePayment()) : payment_(std::move(payment)) {}

  const Payment& payment() const { return payment_; }
  State state() const { return payment_.state; }
  bool Has(Flag flag) const { return payment_.flags.Has(flag); }
  const Transfer& transfer(std::size_t index) const { return payment_.transfers.at(index); }

  Result<Applied> Try(const Event& event) { return Apply(Rules{}, payment_, event, now_); }
  std::string Do(const Event& event) {
    now_ += std::chrono::seconds(1);
    Result<Applied> applied = Try(event);
    EXPECT_TRUE(applied.ok()) << (applied.ok() ? "" : applied.error().ToString());
    if (!applied.ok()) return "";
    if (applied->changed) {
      EXPECT_EQ(applied->payment.revision, payment_.revision + 1);
    } else {
      EXPECT_EQ(applied->payment, payment_);
    }
    payment_ = applied->payment;
    return applied->kind;
  }

  // A transfer in a block; the same id again is news of the same transfer.
  std::string Sees(const std::string& id, const Unit& unit, std::uint64_t value,
                   Finality finality = Finality::kIncluded, Time time = kStart) {
    return Do(Update(id, unit, value, finality, false, time));
  }
  std::string Loses(const std::string& id, const Unit& unit, std::uint64_t value) {
    return Do(Update(id, unit, value, Finality::kNone, true, kStart));
  }
  TransferUpdate Update(const std::string& id, const Unit& unit, std::uint64_t value,
                        Finality finality, bool orphaned, Time time) {
    TransferUpdate update{.transfer_id = id,
                          .chain = unit.asset()->chain().ToString(),
                          .transaction_hash = "0x" + id,
                          .amount = Amount{unit, U256(value)}};
    update.from_address = "0x" + std::string(40, 'e');
    update.to_address = payment_.terms.deposit_address;
    update.finality = finality;
    update.block = {100, "0xb", time};
    update.orphaned = orphaned;
    update.revision = ++revision_;
    return update;
  }
  std::string PassesDeadline() {
    const Time after = payment_.expire_time + std::chrono::seconds(61);
    return Do(Barrier{.read_until = {{kChainA, after}, {kChainB, after}}, .waived = {}});
  }
  std::string Accepts(const std::string& reason = "fine") {
    return Do(Resolve{ResolveAction::kAccept, reason, payment_.revision});
  }

 private:
  Payment payment_;
  Time now_ = kStart;
  std::int64_t revision_ = 0;
};

}  // namespace paymesh::checkout::testing
