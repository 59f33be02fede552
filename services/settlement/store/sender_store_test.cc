// The sender's store on a real database: the contract that the simulation's store obeys too, and
// what only a database can show.
#include "services/settlement/store/sender_store.h"

#include "common/pg/lease.h"
#include "common/runtime/run_blocking.h"
#include "services/settlement/store/chain_transaction_flow.h"
#include "services/settlement/store/payout_convert.h"
#include "services/settlement/store/payout_resolution.h"
#include "services/settlement/testing/payout_testing.h"
#include "services/settlement/testing/sender_store_contract.h"

namespace paymesh::settlement {
namespace {

constexpr char kLease[] = "sender";
constexpr char kWallet[] = "0x0000000000000000000000000000000000000077";

class StoreOnPostgres : public PayoutWorld {
 public:
  StoreOnPostgres()
      : store_(database.database(), ids,
               {.wallet = {kChain, kWallet}, .lease = kLease, .vault = {}, .min_sweep = {}}) {
    epoch_ = Do<std::int64_t>([](pg::Transaction& tx) -> Result<std::int64_t> {
      return *pg::AcquireLease(tx, kLease, "test", std::chrono::hours(1));
    });
    EXPECT_TRUE(Run(store_.InitializeWallet(epoch_, 0)).ok());
  }
  SenderStore& store() { return store_; }
  std::int64_t epoch() const { return epoch_; }
  template <class T>
  T Run(Task<T> task) {
    return runtime::RunBlocking(std::move(task));
  }
  std::string Reserve() { return PayoutWorld::Reserve("mer_" + std::to_string(++merchants_), 10); }
  void PausePayoutOf(const std::string& id) { Pause(PauseKind::kMerchant, Get(id).merchant_id); }
  void ResumePayoutOf(const std::string& id) { Resume(PauseKind::kMerchant, Get(id).merchant_id); }
  PayoutState StateOf(const std::string& id) { return Get(id).state; }

  // As the follower is told: reverted, so that no logs are needed. With `success` the logs are
  // silent.
  void Include(std::uint64_t nonce) { Apply(HashOf(nonce), FateState::kIncluded); }
  void Orphan(std::uint64_t nonce) { Apply(HashOf(nonce), FateState::kOrphaned); }
  void Finalize(std::uint64_t nonce) { Apply(HashOf(nonce), FateState::kFinalized); }
  std::string HashOf(std::uint64_t nonce) {
    return database.Query(
        "SELECT transaction_hash FROM chain_transaction_attempt"
        " JOIN chain_transaction USING (chain_transaction_id) WHERE nonce = " +
        std::to_string(nonce));
  }
  void Apply(const std::string& hash, FateState state, bool success = false) {
    Fate fate;
    fate.success = success;
    fate.chain = kChain;
    fate.transaction_hash = hash;
    fate.state = state;
    fate.block_number = 7;
    fate.block_hash = "0xb7";
    const FateContext context{
        kChain, {}, {}, [this](FateAlarm alarm, const std::string&) { alarms.push_back(alarm); }};
    Must([&](pg::Transaction& tx) { return ApplyFate(tx, context, fate); });
  }

  std::vector<FateAlarm> alarms;

 private:
  PgSenderStore store_;
  std::int64_t epoch_ = 0;
  int merchants_ = 0;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, SenderStoreContract, StoreOnPostgres);

class PgSenderStoreTest : public SenderStoreContract<StoreOnPostgres> {
 protected:
  std::string Reason(const std::string& id) {
    return world_.Do<std::string>([&](pg::Transaction& tx) -> Result<std::string> {
      ASSIGN_OR_RETURN(const PayoutRow row, FindPayout(tx, id));
      return LoadPayoutMessage(tx, row).status_reason();
    });
  }
};

TEST_F(PgSenderStoreTest, OffersWhatStandsBehindHundredsOfPausedPayouts) {
  const std::string paused = world_.Reserve();
  world_.PausePayoutOf(paused);
  world_.database.Exec(
      "INSERT INTO payout (payout_id, merchant_id, destination_id, unit, chain, address, amount,"
      " state, creator, create_time, update_time, revision)"
      " SELECT 'pot_' || n, merchant_id, destination_id, unit, chain, address, amount, state,"
      " creator, create_time, update_time, revision FROM payout, generate_series(1, 300) n");
  const std::string free = world_.Reserve();
  EXPECT_EQ(Candidates(1), std::vector<std::string>{free});
}

TEST_F(PgSenderStoreTest, StopsForAPauseOfTheTokenTheChainOrTheMerchantAndSaysSo) {
  const std::string id = world_.Reserve();
  const std::pair<PauseKind, std::string> scopes[] = {
      {PauseKind::kChain, PayoutWorld::kChain},
      {PauseKind::kUnit, PayoutWorld::kUnit},
      {PauseKind::kMerchant, world_.Get(id).merchant_id}};
  for (const auto& [kind, value] : scopes) {
    EXPECT_EQ(Reason(id), "");
    EXPECT_EQ(Candidates(10), std::vector<std::string>{id});
    world_.Pause(kind, value);
    EXPECT_TRUE(Candidates(10).empty()) << PauseKindName(kind);
    EXPECT_EQ(Reason(id), "payouts are paused for " + std::string(PauseKindName(kind)) + " " +
                              value + ": a question");
    world_.Resume(kind, value);
  }
}

TEST_F(PgSenderStoreTest, SaysNothingOfAPauseWhereItStopsNothing) {
  const std::string id = Draft();
  Send(0);
  world_.PausePayoutOf(id);
  EXPECT_EQ(Reason(id), "") << "what is signed for goes on";
}

TEST_F(PgSenderStoreTest, TellsOfAnAttemptThatIsMinedThoughItsSlotWasGivenUp) {
  Draft();
  Send(0);
  const WalletView view = Load();
  ASSERT_TRUE(world_.Run(store().Lose(world_.epoch(), view.open[0].slot.id, "a thief")).ok());
  world_.Include(0);
  EXPECT_EQ(world_.alarms, std::vector<FateAlarm>{FateAlarm::kContradiction});
}

TEST_F(PgSenderStoreTest, LeavesOpenWhatNoLogSpeaksOfUntilTheVaultIsAsked) {
  const std::string id = Draft();
  Send(0);
  VaultWord word{"0xaa", false, 8, "0xb8"};
  const auto resolve = [&] {
    return world_.Try([&](pg::Transaction& tx) -> Status {
      ASSIGN_OR_RETURN(PayoutRow row, LockPayout(tx, id));
      return Resolve(tx, row, word, "looked", row.update_time);
    });
  };
  EXPECT_EQ(resolve().error().reason, "PAYOUT_NOT_OPEN");
  world_.Apply(world_.HashOf(0), FateState::kFinalized, true);
  ASSERT_EQ(world_.StateOf(id), PayoutState::kSubmitted);
  word.block_number = 6;
  EXPECT_EQ(resolve().error().reason, "CHAIN_NOT_READ") << "older than the transaction";
  word.block_number = 8;
  ASSERT_TRUE(resolve().ok());
  EXPECT_EQ(world_.StateOf(id), PayoutState::kFailed);
  const std::string merchant = world_.Get(id).merchant_id;
  EXPECT_EQ(world_.Balance(AccountCode::kMerchantAvailable, merchant), U256(10));
  EXPECT_EQ(world_.Balance(AccountCode::kPayoutPayable, merchant), U256(0));
  EXPECT_EQ(resolve().error().reason, "PAYOUT_NOT_OPEN");
}

TEST_F(PgSenderStoreTest, GivesNothingBackThatTheVaultRefusedAsPaid) {
  const std::string id = Draft();
  Send(0);
  world_.Apply(world_.HashOf(0), FateState::kFinalized, true);
  world_.database.Exec("UPDATE chain_transaction_item SET outcome = 'ALREADY_PAID'");
  const Status status = world_.Try([&](pg::Transaction& tx) -> Status {
    ASSIGN_OR_RETURN(PayoutRow row, LockPayout(tx, id));
    return Resolve(tx, row, {"0xaa", false, 8, "0xb8"}, "looked", row.update_time);
  });
  EXPECT_EQ(status.error().reason, "PAYOUT_UNCLEAR");
  EXPECT_EQ(world_.StateOf(id), PayoutState::kSubmitted);
}

TEST_F(PgSenderStoreTest, SaysNothingWhenAFinalTransactionIsToldOfAgain) {
  Mined(0, 1);
  world_.Finalize(0);
  world_.alarms.clear();
  world_.Include(0);
  world_.Finalize(0);
  EXPECT_TRUE(world_.alarms.empty());
}

}  // namespace
}  // namespace paymesh::settlement
