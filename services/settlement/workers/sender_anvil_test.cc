// Payouts and sweeps on a real chain node with the real contracts and a real database.
#include "common/runtime/log.h"
#include "services/settlement/store/pause_store.h"
#include "services/settlement/store/payout_resolution.h"
#include "services/settlement/testing/sender_anvil_fixture.h"
#include "services/settlement/workers/payout_scheduler.h"

namespace paymesh::settlement {
namespace {

TEST_F(SenderOnAnvil, PaysAPayout) {
  Fund(1'000);
  const std::string id = Pay(400);
  EXPECT_EQ(Merchant(AccountCode::kPayoutPayable), U256(400));
  Run();
  EXPECT_EQ(Get(id).state, PayoutState::kSubmitted);
  MineAndFollow(1);
  EXPECT_EQ(Get(id).state, PayoutState::kIncluded);
  EXPECT_EQ(Balance(AccountCode::kInFlightOut, kAnvilChain, unit_), U256(400));
  MineAndFollow(3);
  const PayoutRow paid = Get(id);
  EXPECT_EQ(paid.state, PayoutState::kFinalized);
  EXPECT_FALSE(paid.transaction_hash.empty());
  EXPECT_EQ(Received(), U256(400));
  EXPECT_EQ(Merchant(AccountCode::kMerchantAvailable), U256(600));
  EXPECT_EQ(Merchant(AccountCode::kPayoutPayable), U256(0));
  EXPECT_EQ(Balance(AccountCode::kInFlightOut, kAnvilChain, unit_), U256(0));
  EXPECT_EQ(Balance(AccountCode::kVault, vault_.ToHex(), unit_), anvil_.BalanceOf(token_, vault_));
  // Gas was posted once.
  EXPECT_EQ(database_.Query("SELECT count(*) FROM ledger_journal WHERE rule = 'P11'"), "1");
  EXPECT_EQ(anvil_.broadcasts(), 1);
}

TEST_F(SenderOnAnvil, PaysABatchWithAnItemThatFails) {
  Fund(1'000);
  const std::string good = Pay(100);
  const std::string bad = Pay(200, kOther);
  Run();
  Drop(NewestHash());
  Blacklist(kOther, "blacklist(address)");  // after the dry run, before it is mined
  options_.policy.resend_after = std::chrono::milliseconds(0);
  Run();
  MineAndFollow(1);
  EXPECT_EQ(Get(good).state, PayoutState::kIncluded);
  EXPECT_EQ(Get(bad).state, PayoutState::kSubmitted);  // not before it is final
  EXPECT_EQ(Merchant(AccountCode::kPayoutPayable), U256(300));
  MineAndFollow(3);
  EXPECT_EQ(Get(good).state, PayoutState::kFinalized);
  EXPECT_EQ(Get(bad).state, PayoutState::kFailed);
  EXPECT_FALSE(Get(bad).status_reason.empty());
  EXPECT_EQ(Received(kOther), U256(0));
  EXPECT_EQ(Merchant(AccountCode::kMerchantAvailable), U256(900));
  EXPECT_EQ(Merchant(AccountCode::kPayoutPayable), U256(0));
}

TEST_F(SenderOnAnvil, ParksAPayoutThatTheTokenWouldRefuse) {
  Fund(1'000);
  Blacklist(kOther, "blacklist(address)");
  const std::string bad = Pay(200, kOther);
  const std::string good = Pay(100);
  Run();
  EXPECT_EQ(Get(bad).state, PayoutState::kReserved);
  EXPECT_NE(Get(bad).status_reason.find("would refuse"), std::string::npos);
  EXPECT_EQ(Get(good).state, PayoutState::kSubmitted);
  Blacklist(kOther, "unBlacklist(address)");
  Run();
  MineAndFollow(1);
  MineAndFollow(3);
  EXPECT_EQ(Get(bad).state, PayoutState::kFinalized);
  EXPECT_EQ(Get(good).state, PayoutState::kFinalized);
}

TEST_F(SenderOnAnvil, PaysNoMoreThanTheVaultHoldsFinally) {
  Fund(1'000);
  const std::string first = Pay(700);
  Run();
  Do([&](pg::Transaction& tx) -> Status {  // more is owed than lies in the vault
    return PostAvailable(tx, 1'000);
  });
  const std::string second = Pay(700);
  Run();
  EXPECT_EQ(Get(second).state, PayoutState::kReserved);
  EXPECT_NE(Get(second).status_reason.find("does not hold enough"), std::string::npos);
  MineAndFollow(4);
  EXPECT_EQ(Get(first).state, PayoutState::kFinalized);
}

TEST_F(SenderOnAnvil, ParksWhatABatchWouldTakeBeyondTheVaultsLimitOfTheDay) {
  Fund(1'000);
  anvil_.SendAs(anvil_.owner(), vault_,
                evm::EncodeCall("setLimit(address,uint256)", {token_, U256(500)}).value());
  const std::string first = Pay(300);
  const std::string second = Pay(300);
  const std::string third = Pay(200);
  Run();
  EXPECT_EQ(Get(second).state, PayoutState::kReserved);
  EXPECT_NE(Get(second).status_reason.find("limit of the day"), std::string::npos);
  const std::string fourth = Pay(1);  // the first two are not mined yet
  Run();
  EXPECT_EQ(Get(fourth).state, PayoutState::kReserved);
  MineAndFollow(4);
  EXPECT_EQ(Get(first).state, PayoutState::kFinalized);
  EXPECT_EQ(Get(third).state, PayoutState::kFinalized);
  anvil_.SendAs(anvil_.owner(), vault_,
                evm::EncodeCall("setLimit(address,uint256)", {token_, U256(801)}).value());
  Run();
  MineAndFollow(4);
  EXPECT_EQ(Get(second).state, PayoutState::kFinalized);
  EXPECT_EQ(Get(fourth).state, PayoutState::kFinalized);
}

TEST_F(SenderOnAnvil, GivesTheMoneyBackWhenTheTransactionReverts) {
  Fund(1'000);
  const std::string id = Pay(400);
  Run();
  Drop(NewestHash());
  anvil_.SendAs(anvil_.owner(), vault_, evm::EncodeCall("pause()", {}).value());
  options_.policy.resend_after = std::chrono::milliseconds(0);
  Run();
  MineAndFollow(1);
  EXPECT_EQ(Get(id).state, PayoutState::kSubmitted);
  MineAndFollow(3);
  EXPECT_EQ(Get(id).state, PayoutState::kFailed);
  EXPECT_EQ(Merchant(AccountCode::kMerchantAvailable), U256(1'000));
  EXPECT_EQ(database_.Query("SELECT count(*) FROM ledger_journal WHERE rule = 'P11'"), "1");
  EXPECT_EQ(fate_alarms_, std::vector<FateAlarm>{FateAlarm::kReverted});
  EXPECT_EQ(database_.Query("SELECT count(*) FROM payout_line WHERE NOT released"), "0");
}

TEST_F(SenderOnAnvil, PaysOnceWhenABlockLeavesTheChainAndComesBack) {
  Fund(1'000);
  const std::string id = Pay(400);
  Run();
  const std::string hash = NewestHash();
  MineAndFollow(1);
  EXPECT_EQ(Get(id).state, PayoutState::kIncluded);
  anvil_.Rpc("anvil_reorg", "[1, []]");  // the node forgets the transaction
  Follow();
  EXPECT_EQ(Get(id).state, PayoutState::kSubmitted);
  EXPECT_EQ(Balance(AccountCode::kInFlightOut, kAnvilChain, unit_), U256(0));
  EXPECT_EQ(Merchant(AccountCode::kPayoutPayable), U256(400));
  Run();  // the same bytes, at once
  EXPECT_EQ(NewestHash(), hash);
  MineAndFollow(1);
  EXPECT_EQ(Get(id).state, PayoutState::kIncluded);
  MineAndFollow(3);
  EXPECT_EQ(Get(id).state, PayoutState::kFinalized);
  EXPECT_EQ(Received(), U256(400));
  EXPECT_EQ(database_.Query("SELECT max(incarnation) FROM ledger_journal WHERE rule = 'P12b'"),
            "2");
  ExpectSound();
}

TEST_F(SenderOnAnvil, SendsTheSameBytesAgainWhenTheNodeDroppedThem) {
  Fund(1'000);
  const std::string id = Pay(400);
  Run();
  const std::string hash = NewestHash();
  Drop(hash);
  options_.policy.resend_after = std::chrono::milliseconds(0);
  Run();
  EXPECT_EQ(NewestHash(), hash);
  MineAndFollow(4);
  EXPECT_EQ(Get(id).state, PayoutState::kFinalized);
  EXPECT_EQ(Slots().size(), 0u);
}

TEST_F(SenderOnAnvil, TakesALostReplyForWhatItMayBe) {
  Fund(1'000);
  const std::string id = Pay(400);
  anvil_.LoseNextReply();
  Run();
  Run();
  MineAndFollow(4);
  EXPECT_EQ(Get(id).state, PayoutState::kFinalized);
  EXPECT_EQ(Received(), U256(400));
  EXPECT_EQ(database_.Query("SELECT count(*) FROM chain_transaction_attempt"), "1");
}

TEST_F(SenderOnAnvil, PaysMoreForTheSameNonceWhenNothingIsMined) {
  Fund(1'000);
  const std::string id = Pay(400);
  options_.policy.bump_after = std::chrono::milliseconds(0);
  options_.policy.max_attempts = 2;
  Run();
  EXPECT_EQ(database_.Query("SELECT count(*) FROM chain_transaction_attempt"), "2");
  EXPECT_EQ(database_.Query("SELECT count(DISTINCT nonce) FROM chain_transaction"), "1");
  EXPECT_EQ(database_.Query("SELECT bool_and(b.max_fee >= a.max_fee * 1.125 AND "
                            "b.max_priority_fee >= a.max_priority_fee * 1.125)"
                            " FROM chain_transaction_attempt a, chain_transaction_attempt b"
                            " WHERE a.sequence = 0 AND b.sequence = 1"),
            "true");
  MineAndFollow(4);
  EXPECT_EQ(Get(id).state, PayoutState::kFinalized);
  EXPECT_EQ(Received(), U256(400));
}

TEST_F(SenderOnAnvil, SettlesWithTheOlderAttemptWhenThatIsMined) {
  Fund(1'000);
  const std::string id = Pay(400);
  Run();
  const std::string older = NewestHash();
  const std::string raw =
      database_.Query("SELECT '0x' || encode(raw, 'hex') FROM chain_transaction_attempt");
  options_.policy.bump_after = std::chrono::milliseconds(0);
  options_.policy.max_attempts = 2;
  Run();
  const std::string newer = NewestHash();
  ASSERT_NE(older, newer);
  Drop(newer);
  anvil_.Rpc("eth_sendRawTransaction", "[\"" + raw + "\"]");
  MineAndFollow(4);
  EXPECT_EQ(Get(id).state, PayoutState::kFinalized);
  EXPECT_EQ(Get(id).transaction_hash, older);
  EXPECT_EQ(Received(), U256(400));
}

TEST_F(SenderOnAnvil, SendsTheLowerNonceAgainSoThatTheHigherCanBeMined) {
  Fund(1'000);
  const std::string first = Pay(100);
  Run();
  const std::string lower = NewestHash();
  const std::string second = Pay(200, kOther);
  Run();
  Drop(lower);
  MineAndFollow(1);
  EXPECT_EQ(Get(second).state, PayoutState::kSubmitted);
  options_.policy.resend_after = std::chrono::milliseconds(0);
  Run();
  MineAndFollow(4);
  EXPECT_EQ(Get(first).state, PayoutState::kFinalized);
  EXPECT_EQ(Get(second).state, PayoutState::kFinalized);
  ExpectSound();
}

TEST_F(SenderOnAnvil, FillsNoncesThatNobodyHas) {
  Fund(1'000);
  Do([&](pg::Transaction& tx) -> Status {  // as if pending transactions of another program vanished
    InsertWallet(tx, Wallet(), 2, clock_.Now());
    return {};
  });
  const std::string id = Pay(400);
  Run();
  MineAndFollow(4);
  EXPECT_EQ(Get(id).state, PayoutState::kFinalized);
  EXPECT_EQ(
      database_.Query("SELECT string_agg(purpose, ' ' ORDER BY nonce) FROM chain_transaction"),
      "NOOP NOOP PAYOUT");
}

TEST_F(SenderOnAnvil, StopsWhenSomebodyElseUsesTheKey) {
  Fund(1'000);
  const std::string id = Pay(400);
  Run();
  Drop(NewestHash());
  anvil_.Rpc("anvil_impersonateAccount", "[\"" + Wallet().address + "\"]");
  anvil_.SendAs(signer_->address(), anvil_.owner(), {});
  Run();
  EXPECT_EQ(Get(id).state, PayoutState::kSubmitted);  // the thief's transaction is not final yet
  anvil_.Mine(3);
  Run();
  Run();
  EXPECT_EQ(Get(id).state, PayoutState::kReserved);
  EXPECT_EQ(database_.Query("SELECT count(*) FROM chain_transaction WHERE state = 'REPLACED'"),
            "1");
  EXPECT_EQ(database_.Query("SELECT creator FROM pause WHERE kind = 'chain'"), "settlement");
  Run();
  EXPECT_EQ(Get(id).state, PayoutState::kReserved);  // until a person has looked
  Do([&](pg::Transaction& tx) -> Status {
    DropPause(tx, PauseKind::kChain, kAnvilChain, false);
    return {};
  });
  Run();
  MineAndFollow(4);
  EXPECT_EQ(Get(id).state, PayoutState::kFinalized);
  EXPECT_EQ(Received(), U256(400));
  ExpectSound();
}

// The whole way with more slots in blocks than a turn looks at: none is final, and the next goes
// out.
TEST_F(SenderOnAnvil, GoesOnThoughManySlotsAreMinedAndNotFinal) {
  Fund(1'000);
  options_.max_open_slots = 16;
  std::vector<std::string> ids;
  const auto pay = [&](int count) {
    for (int i = 0; i < count; ++i) {
      ids.push_back(Pay(10));
      Run();
    }
  };
  pay(16);
  MineAndFollow(1);
  pay(1);
  MineAndFollow(1);
  pay(1);
  EXPECT_EQ(database_.Query("SELECT string_agg(state || n, ' ' ORDER BY state) FROM (SELECT state,"
                            " count(*) AS n FROM chain_transaction GROUP BY state) x"),
            "BROADCAST1 INCLUDED17");
  MineAndFollow(4);
  for (const std::string& id : ids) EXPECT_EQ(Get(id).state, PayoutState::kFinalized);
  ExpectSound();
}

// Another operator of the vault pays the same id after our dry run and before our transaction.
TEST_F(SenderOnAnvil, BooksByTheVaultsWordWhatSomebodyElsePaid) {
  Fund(1'000);
  const std::string id = Pay(400);
  Run();
  Drop(NewestHash());
  anvil_.SendAs(
      anvil_.owner(), vault_,
      evm::EncodeCall("setOperator(address,bool)", {anvil_.owner(), evm::AbiValue::Bool(true)})
          .value());
  anvil_.SendAs(anvil_.owner(), vault_,
                PayCallData({id, token_, evm::Address::Parse(kTo).value(), U256(400)}).value());
  options_.policy.resend_after = std::chrono::milliseconds(0);
  Run();
  MineAndFollow(4);
  EXPECT_EQ(Get(id).state, PayoutState::kSubmitted);
  EXPECT_EQ(fate_alarms_.back(), FateAlarm::kAlreadyPaid);
  const NativeBalance final_block = FinalBalance();
  const bool paid = runtime::RunBlocking(anvil_.IsPaid(id)).value();
  Do([&](pg::Transaction& tx) -> Status {
    ASSIGN_OR_RETURN(PayoutRow row, LockPayout(tx, id));
    return Resolve(tx, row,
                   {vault_.ToHex(), paid, final_block.block_number, final_block.block_hash},
                   "paid by hand", clock_.Now());
  });
  EXPECT_EQ(Get(id).state, PayoutState::kFinalized);
  EXPECT_EQ(Received(), U256(400));
  EXPECT_EQ(Balance(AccountCode::kVault, vault_.ToHex(), unit_), anvil_.BalanceOf(token_, vault_));
  EXPECT_EQ(Merchant(AccountCode::kPayoutPayable), U256(0));
  ExpectSound();
}

TEST_F(SenderOnAnvil, QueuesWhileTheWalletHasNoGas) {
  Fund(1'000);
  const std::string id = Pay(400);
  anvil_.Rpc("anvil_setBalance", "[\"" + Wallet().address + "\",\"0x1\"]");
  Run();
  EXPECT_EQ(Get(id).state, PayoutState::kSubmitted);
  Run();
  EXPECT_FALSE(alarms_.empty());
  anvil_.Rpc("anvil_setBalance", "[\"" + Wallet().address + "\",\"0x56bc75e2d63100000\"]");
  Run();
  MineAndFollow(4);
  EXPECT_EQ(Get(id).state, PayoutState::kFinalized);
}

TEST_F(SenderOnAnvil, ObeysAPauseBetweenDraftAndSignature) {
  Fund(1'000);
  const std::string id = Pay(400);
  Sender sender = MakeSender();
  ASSERT_TRUE(RunTask(sender.Turn(epoch_)).ok());  // the wallet
  ASSERT_TRUE(RunTask(sender.Turn(epoch_)).ok());  // the draft
  ASSERT_EQ(Get(id).state, PayoutState::kSubmitted);
  PauseRow pause;
  pause.kind = PauseKind::kMerchant;
  pause.value = kMerchantId;
  pause.reason = "a question";
  pause.creator = "olivia";
  Do([&](pg::Transaction& tx) -> Status {
    PutPause(tx, pause);
    return {};
  });
  Run();
  EXPECT_EQ(Get(id).state, PayoutState::kReserved);
  MineAndFollow(4);
  EXPECT_EQ(Received(), U256(0));
  EXPECT_EQ(database_.Query("SELECT string_agg(purpose || state, ' ') FROM chain_transaction"),
            "NOOPFINALIZED");
  Do([&](pg::Transaction& tx) -> Status {
    DropPause(tx, PauseKind::kMerchant, kMerchantId, false);
    return {};
  });
  Run();
  MineAndFollow(4);
  EXPECT_EQ(Get(id).state, PayoutState::kFinalized);
  ExpectSound();
}

TEST_F(SenderOnAnvil, RefusesASenderWhoseLeaseIsGone) {
  Fund(1'000);
  const std::string id = Pay(400);
  Run();
  Sender stale = MakeSender();
  Do([&](pg::Transaction& tx) -> Status {
    pg::ReleaseLease(tx, kLease, epoch_);
    return pg::AcquireLease(tx, kLease, "other", std::chrono::hours(1)) ? Status()
                                                                        : Error::Internal("lease");
  });
  const std::string second = Pay(100);
  const Result<bool> turn = RunTask(stale.Turn(epoch_));
  ASSERT_FALSE(turn.ok());
  EXPECT_EQ(turn.error().reason, "LEASE_LOST");
  EXPECT_EQ(Get(second).state, PayoutState::kReserved);
}

TEST_F(SenderOnAnvil, BringsFinalDepositsHomeAndBacksOffFromWhatFails) {
  AddDeposit("pay_full", 250);
  AddDeposit("pay_empty", 0);
  Run();
  MineAndFollow(4);
  EXPECT_EQ(anvil_.BalanceOf(token_, vault_), U256(250));
  EXPECT_EQ(
      database_.Query("SELECT outcome FROM chain_transaction_item WHERE payment_id = 'pay_full'"),
      "PAID");
  EXPECT_EQ(database_.Query("SELECT payment_id FROM sweep_backoff"), "pay_empty");
  Run();  // neither is tried again now
  EXPECT_EQ(database_.Query("SELECT count(*) FROM chain_transaction"), "1");
  EXPECT_EQ(database_.Query("SELECT count(*) FROM ledger_journal WHERE rule = 'P11'"), "1");
}

TEST_F(SenderOnAnvil, KeepsTheGasAccountInStepWithTheChain) {
  Fund(1'000);
  const std::string id = Pay(400);
  Run();
  BookGas();
  MineAndFollow(4);
  BookGas();
  const std::string unit = NativeUnit(kAnvilChain);
  EXPECT_EQ(Balance(AccountCode::kGas, Wallet().address, unit), NativeAtFinal());
  anvil_.Rpc("anvil_setBalance", "[\"" + Wallet().address + "\",\"0x56bc75e2d63100007\"]");
  anvil_.Mine(4);
  BookGas();
  EXPECT_EQ(Balance(AccountCode::kGas, Wallet().address, unit), NativeAtFinal());
}

TEST_F(SenderOnAnvil, RunsAPlanOnce) {
  Fund(1'000);
  DestinationRow destination;
  destination.destination_id = "dst_plan";
  destination.merchant_id = kMerchantId;
  destination.unit = unit_;
  destination.chain = kAnvilChain;
  destination.address = kTo;
  destination.creator = "olivia";
  destination.create_time = clock_.Now();
  PlanRow plan;
  plan.merchant_id = kMerchantId;
  plan.unit = unit_;
  plan.destination_id = destination.destination_id;
  plan.schedule = PlanSchedule::kOnFinal;
  plan.minimum = U256(1'000);
  plan.update_time = clock_.Now();
  Do([&](pg::Transaction& tx) -> Status {
    InsertDestination(tx, destination);
    PutPlan(tx, plan);
    return {};
  });
  runtime::Logger log({.level = runtime::LogLevel::kError});
  PayoutScheduler scheduler(database_.database(), clock_, ids_, log, std::chrono::seconds(1));
  EXPECT_EQ(RunTask(scheduler.Round()).value(), 0);  // nobody approved the destination
  destination.state = DestinationState::kApproved;
  destination.approver = "anna";
  destination.approve_time = destination.usable_time = clock_.Now();
  Do([&](pg::Transaction& tx) -> Status {
    ApproveDestination(tx, destination);
    return {};
  });
  EXPECT_EQ(RunTask(scheduler.Round()).value(), 1);
  EXPECT_EQ(RunTask(scheduler.Round()).value(), 0);
  Run();
  MineAndFollow(4);
  EXPECT_EQ(Received(), U256(1'000));
  EXPECT_EQ(database_.Query("SELECT count(*) FROM journal_entry WHERE kind = 'payment.paid_out'"),
            "1");
  ExpectSound();
}

}  // namespace
}  // namespace paymesh::settlement
