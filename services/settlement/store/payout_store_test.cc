// Which money a payout takes and which payments it settles, on a real database.
#include "services/settlement/store/payout_store.h"

#include "services/settlement/store/payout_ledger.h"
#include "services/settlement/testing/payout_testing.h"
#include "services/settlement/workers/payout_scheduler.h"

namespace paymesh::settlement {
namespace {

class PayoutStoreTest : public testing::Test, protected PayoutWorld {
 protected:
  PlanRow Plan(PlanSchedule schedule, std::uint64_t minimum = 0) {
    PlanRow plan;
    plan.merchant_id = "mer_1";
    plan.unit = kUnit;
    plan.destination_id = Destination("mer_1").destination_id;
    plan.schedule = schedule;
    plan.minimum = U256(minimum);
    plan.update_time = clock.Now();
    Must([&](pg::Transaction& tx) -> Status {
      PutPlan(tx, plan);
      return {};
    });
    return plan;
  }
  // The payout's id; "" when the plan pays nothing now.
  std::string Run(const PlanRow& plan, int most_lines = kMaxPayoutLines) {
    return Do<std::string>([&](pg::Transaction& tx) {
      return RunPlan(tx, plan, ids.Next("pot"), clock.Now(), most_lines);
    });
  }
  std::size_t Due() {
    return Do<std::size_t>(
        [](pg::Transaction& tx) -> Result<std::size_t> { return DuePlans(tx, 100).size(); });
  }
  std::vector<PayoutLine> LinesOf(const std::string& id) {
    return Do<std::vector<PayoutLine>>(
        [&](pg::Transaction& tx) -> Result<std::vector<PayoutLine>> { return Lines(tx, id); });
  }
};

TEST_F(PayoutStoreTest, PaysByPlanWhatItsLinesSettleAndTheRestByTheNextPayout) {
  for (int i = 0; i < 5; ++i) Earn("mer_1", "pay_" + std::to_string(i), 10);
  const PlanRow plan = Plan(PlanSchedule::kDaily);
  for (const std::uint64_t amount : {20, 20, 10}) {
    EXPECT_EQ(Due(), 1u);
    const std::string id = Run(plan, 2);
    ASSERT_NE(id, "");
    EXPECT_EQ(Get(id).amount, U256(amount));
    U256 settled;
    for (const PayoutLine& line : LinesOf(id)) settled = CheckedAdd(settled, line.amount).value();
    EXPECT_EQ(settled, U256(amount)) << "each payment is settled";
  }
  EXPECT_EQ(Run(plan, 2), "");
  Earn("mer_1", "pay_later", 10);
  EXPECT_EQ(Run(plan, 2), "") << "once a day";
}

TEST_F(PayoutStoreTest, LeavesARestBelowThePlansMinimumForAnotherDay) {
  for (int i = 0; i < 3; ++i) Earn("mer_1", "pay_" + std::to_string(i), 10);
  const PlanRow plan = Plan(PlanSchedule::kDaily, 15);
  ASSERT_NE(Run(plan, 2), "");
  EXPECT_EQ(Balance(AccountCode::kMerchantAvailable, "mer_1"), U256(10));
  Earn("mer_1", "pay_later", 90);
  EXPECT_EQ(Run(plan, 2), "");
}

TEST_F(PayoutStoreTest, RefusesAPayoutOfMorePaymentsThanOneMaySettle) {
  for (int i = 0; i < 3; ++i) Earn("mer_1", "pay_" + std::to_string(i), 10);
  const DestinationRow destination = Destination("mer_1");
  const PayoutRow big = NewPayout(destination, 25);
  const Status refused = Try([&](pg::Transaction& tx) { return CreateReserved(tx, big, 2); });
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "TOO_MANY_PAYMENTS");
  EXPECT_EQ(refused.error().metadata.at("at_most"), "20");
  Must([&](pg::Transaction& tx) { return CreateReserved(tx, NewPayout(destination, 20), 2); });
}

TEST_F(PayoutStoreTest, PaysMoneyThatIsOfNoPaymentToo) {
  Earn("mer_1", "pay_1", 10);
  PostLegs("P4", "returned",
           Move(AccountKey{AccountCode::kDeposits, kChain, kUnit},
                AccountKey{AccountCode::kMerchantAvailable, "mer_1", kUnit}, U256(5)));
  const std::string id = Run(Plan(PlanSchedule::kOnFinal), 2);
  EXPECT_EQ(Get(id).amount, U256(15));
  EXPECT_EQ(LinesOf(id).size(), 1u);
}

TEST_F(PayoutStoreTest, HoldsBackWhatTheMerchantOwes) {
  Earn("mer_1", "pay_1", 100);
  PostLegs("P13", "pay_gone",
           Move(AccountKey{AccountCode::kMerchantReceivable, "mer_1", kUnit},
                AccountKey{AccountCode::kVault, "0xaa", kUnit}, U256(70)));
  const DestinationRow destination = Destination("mer_1");
  const Status refused =
      Try([&](pg::Transaction& tx) { return CreateReserved(tx, NewPayout(destination, 31)); });
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "INSUFFICIENT_AVAILABLE");
  EXPECT_EQ(refused.error().metadata.at("available"), "30");
  const PlanRow plan = Plan(PlanSchedule::kOnFinal, 31);
  EXPECT_EQ(Due(), 0u);
  EXPECT_EQ(Run(plan), "");
  // Written off: what was held is free again.
  PostLegs("P13b", "pay_gone",
           Move(AccountKey{AccountCode::kWriteOffLoss, "", kUnit},
                AccountKey{AccountCode::kMerchantReceivable, "mer_1", kUnit}, U256(70)));
  EXPECT_EQ(Due(), 1u);
  EXPECT_EQ(Get(Run(plan)).amount, U256(100));
}

TEST_F(PayoutStoreTest, PaysNothingToAMerchantWhoOwesMore) {
  Earn("mer_1", "pay_1", 100);
  PostLegs("P13", "pay_gone",
           Move(AccountKey{AccountCode::kMerchantReceivable, "mer_1", kUnit},
                AccountKey{AccountCode::kVault, "0xaa", kUnit}, U256(170)));
  const PlanRow plan = Plan(PlanSchedule::kOnFinal);
  EXPECT_EQ(Due(), 0u);
  EXPECT_EQ(Run(plan), "");
}

}  // namespace
}  // namespace paymesh::settlement
