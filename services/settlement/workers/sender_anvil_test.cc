// Payouts and sweeps on a real chain node with the real contracts and a real database.
#include <gtest/gtest.h>

#include <array>

#include "common/evm/abi.h"
#include "common/evm/create2.h"
#include "common/pg/lease.h"
#include "common/pg/test_database.h"
#include "common/runtime/ids.h"
#include "common/runtime/run_blocking.h"
#include "migrations/settlement.h"
#include "services/settlement/domain/ledger.h"
#include "services/settlement/store/destination_store.h"
#include "services/settlement/store/ledger_store.h"
#include "services/settlement/store/pause_store.h"
#include "services/settlement/store/payout_ledger.h"
#include "services/settlement/store/payout_store.h"
#include "services/settlement/store/sender_store.h"
#include "services/settlement/workers/keystore_signer.h"
#include "services/settlement/workers/sender.h"
#include "services/settlement/workers/sender_anvil_testing.h"

namespace paymesh::settlement {
namespace {

constexpr char kChain[] = "eip155:31337";
constexpr char kLease[] = "sender";
constexpr char kMerchantId[] = "mer_1";

evm::PrivateKey WalletKeyBytes() {
  std::array<std::uint8_t, 32> bytes{};
  bytes[31] = 0x77;
  return evm::PrivateKey::FromBytes(bytes).value();
}

class SenderOnAnvil : public testing::Test {
 protected:
  SenderOnAnvil()
      : signer_(WalletKeyBytes()),
        anvil_(signer_.address()),
        database_(SettlementMigrations()),
        ids_(clock_, random_),
        vault_(anvil_.Contract("vault")),
        token_(anvil_.Token("testUsd")),
        unit_("caip19/eip155:31337/erc20:" + token_.ToHex()) {
    epoch_ = *Do<std::optional<std::int64_t>>([](pg::Transaction& tx) {
      return pg::AcquireLease(tx, kLease, "test", std::chrono::hours(1));
    });
    options_.chain_id = 31337;
    options_.vault = vault_;
    options_.factory = anvil_.Contract("factory");
    options_.policy.fee_ceiling = U256(100'000'000'000'000);
    options_.policy.retry_after = std::chrono::milliseconds(0);
    options_.foreign_grace = std::chrono::milliseconds(0);
    store_ = std::make_unique<PgSenderStore>(
        database_.database(), ids_,
        SenderStoreOptions{.wallet = Wallet(), .lease = kLease, .vault = vault_, .min_sweep = {},
                           .park_for = std::chrono::milliseconds(0)});
  }

  WalletKey Wallet() const { return {kChain, signer_.address().ToHex()}; }

  template <class T, class Fn>
  T Do(Fn fn) {
    auto work = [fn](pg::Transaction& tx) -> Result<T> { return fn(tx); };
    Result<T> result = database_.database().TransactBlocking({}, work);
    if (!result.ok()) ADD_FAILURE() << result.error().ToString();
    return std::move(result).value();
  }
  void Do(std::function<Status(pg::Transaction&)> fn) {
    const Status status = database_.database().TransactBlocking({}, fn);
    if (!status.ok()) ADD_FAILURE() << status.error().ToString();
  }

  // Tokens in the vault, owed to the merchant.
  void Fund(std::uint64_t amount) { Fund(token_, unit_, amount); }
  void Fund(const evm::Address& token, const std::string& unit, std::uint64_t amount) {
    anvil_.SendAs(anvil_.owner(), token,
                  evm::EncodeCall("mint(address,uint256)", {vault_, U256(amount)}).value());
    anvil_.Mine(3);
    Do([&](pg::Transaction& tx) -> Status {
      JournalDraft draft;
      draft.rule = "P4";
      draft.event_id = "pay_" + std::to_string(++funded_);
      draft.legs = Move(AccountKey{AccountCode::kVault, vault_.ToHex(), unit},
                        AccountKey{AccountCode::kMerchantAvailable, kMerchantId, unit},
                        U256(amount));
      RETURN_IF_ERROR([&]() -> Status {
        auto posted = Post(tx, std::span(&draft, 1));
        return posted.ok() ? Status() : Status(posted.error());
      }());
      SetPaymentNet(tx, {draft.event_id, kMerchantId, unit, U256(amount), clock_.Now()});
      return {};
    });
  }

  std::string Pay(std::uint64_t amount, const std::string& to = kTo) {
    return Pay(unit_, amount, to);
  }
  std::string Pay(const std::string& unit, std::uint64_t amount, const std::string& to) {
    PayoutRow row;
    row.payout_id = ids_.Next("pot");
    row.merchant_id = kMerchantId;
    row.destination_id = ids_.Next("dst");
    row.unit = unit;
    row.chain = kChain;
    row.address = to;
    row.amount = U256(amount);
    row.creator = "plan";
    row.create_time = clock_.Now();
    Do([&](pg::Transaction& tx) -> Status {
      DestinationRow destination;
      destination.destination_id = row.destination_id;
      destination.merchant_id = kMerchantId;
      destination.unit = unit;
      destination.chain = kChain;
      destination.address = to;
      destination.creator = "olivia";
      destination.create_time = clock_.Now();
      InsertDestination(tx, destination);
      return CreateReserved(tx, row);
    });
    return row.payout_id;
  }

  Sender MakeSender() {
    SenderObserver observer;
    observer.alarm = [this](Alarm alarm, const std::string&) { alarms_.push_back(alarm); };
    return Sender(options_, *store_, anvil_, signer_, observer);
  }
  // Turns until there is nothing left to do at once.
  void Run() {
    Sender sender = MakeSender();
    for (int i = 0; i < 30; ++i) {
      const Result<bool> done = runtime::RunBlocking(sender.Turn(epoch_));
      if (!done.ok()) {
        last_error_ = done.error().ToString();
        return;
      }
      if (!*done) return;
    }
    ADD_FAILURE() << "the sender never rests";
  }
  void Follow() {
    const FateContext context{kChain, vault_, options_.factory,
                              [this](FateAlarm alarm, const std::string&) {
                                fate_alarms_.push_back(alarm);
                              }};
    for (const Fate& fate : anvil_.Fates()) {
      Do([&](pg::Transaction& tx) -> Status { return ApplyFate(tx, context, fate); });
    }
  }
  void MineAndFollow(int blocks) {
    anvil_.Mine(blocks);
    Follow();
  }
  PayoutRow Get(const std::string& id) {
    return Do<PayoutRow>([&](pg::Transaction& tx) { return LockPayout(tx, id); });
  }
  U256 Balance(AccountCode code, const std::string& owner, const std::string& unit) {
    return Do<U256>(
        [&](pg::Transaction& tx) { return LockedBalance(tx, AccountKey{code, owner, unit}); });
  }
  U256 Merchant(AccountCode code) { return Balance(code, kMerchantId, unit_); }
  U256 Received(const std::string& to = kTo) {
    return anvil_.BalanceOf(token_, evm::Address::Parse(to).value());
  }
  std::vector<SlotRow> Slots() {
    return Do<std::vector<SlotRow>>(
        [&](pg::Transaction& tx) { return OpenSlots(tx, Wallet(), 100); });
  }
  static constexpr char kTo[] = "0x00000000000000000000000000000000000000e1";

  runtime::SystemClock clock_;
  runtime::SystemRandom random_;
  KeystoreSigner signer_;
  AnvilChain anvil_;
  pg::TestDatabase database_;
  runtime::IdSource ids_;
  const evm::Address vault_;
  const evm::Address token_;
  const std::string unit_;
  std::int64_t epoch_ = 0;
  int funded_ = 0;
  SenderOptions options_;
  std::unique_ptr<PgSenderStore> store_;
  std::vector<Alarm> alarms_;
  std::vector<FateAlarm> fate_alarms_;
  std::string last_error_;
};

TEST_F(SenderOnAnvil, PaysAPayout) {
  Fund(1'000);
  const std::string id = Pay(400);
  EXPECT_EQ(Merchant(AccountCode::kPayoutPayable), U256(400));
  Run();
  EXPECT_EQ(Get(id).state, PayoutState::kSubmitted);
  MineAndFollow(1);
  EXPECT_EQ(Get(id).state, PayoutState::kIncluded);
  EXPECT_EQ(Balance(AccountCode::kInFlightOut, kChain, unit_), U256(400));
  MineAndFollow(3);
  const PayoutRow paid = Get(id);
  EXPECT_EQ(paid.state, PayoutState::kFinalized);
  EXPECT_FALSE(paid.transaction_hash.empty());
  EXPECT_EQ(Received(), U256(400));
  EXPECT_EQ(Merchant(AccountCode::kMerchantAvailable), U256(600));
  EXPECT_EQ(Merchant(AccountCode::kPayoutPayable), U256(0));
  EXPECT_EQ(Balance(AccountCode::kInFlightOut, kChain, unit_), U256(0));
  EXPECT_EQ(Balance(AccountCode::kVault, vault_.ToHex(), unit_),
            anvil_.BalanceOf(token_, vault_));
  // Gas was posted once.
  EXPECT_EQ(database_.Query("SELECT count(*) FROM ledger_journal WHERE rule = 'P11'"), "1");
  EXPECT_EQ(anvil_.broadcasts(), 1);
}

}  // namespace
}  // namespace paymesh::settlement
