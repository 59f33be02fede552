// For tests: a sender with a real chain node, the real contracts and a real database, and the verbs
// to fund, pay, mine and look. One thread.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <utility>

#include "common/evm/abi.h"
#include "common/evm/create2.h"
#include "common/pg/lease.h"
#include "common/pg/testing/test_database.h"
#include "common/runtime/ids.h"
#include "common/runtime/run_blocking.h"
#include "migrations/settlement.h"
#include "services/settlement/domain/ledger.h"
#include "services/settlement/store/destination_store.h"
#include "services/settlement/store/ledger_store.h"
#include "services/settlement/store/payout_invariants.h"
#include "services/settlement/store/payout_ledger.h"
#include "services/settlement/store/payout_store.h"
#include "services/settlement/store/sender_store.h"
#include "services/settlement/testing/sender_anvil_testing.h"
#include "services/settlement/workers/keystore_signer.h"
#include "services/settlement/workers/sender.h"
#include "services/settlement/workers/sender_worker.h"

namespace paymesh::settlement {

inline constexpr char kAnvilChain[] = "eip155:31337";
inline constexpr char kLease[] = "sender";
inline constexpr char kMerchantId[] = "mer_1";

inline std::unique_ptr<Signer> TestKeystore() {
  std::array<std::uint8_t, 32> bytes{};
  bytes[31] = 0x77;
  return std::make_unique<KeystoreSigner>(evm::PrivateKey::FromBytes(bytes).value());
}

class SenderOnAnvil : public testing::Test {
 protected:
  SenderOnAnvil() : SenderOnAnvil(TestKeystore(), own_loop_) {}
  // Tasks run on `loop`, where the connections that a signer keeps live.
  SenderOnAnvil(std::unique_ptr<Signer> signer, boost::asio::io_context& loop)
      : loop_(loop),
        signer_(std::move(signer)),
        anvil_(signer_->address()),
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
        SenderStoreOptions{.wallet = Wallet(),
                           .lease = kLease,
                           .vault = vault_,
                           .min_sweep = {},
                           .park_for = std::chrono::milliseconds(0)});
  }

  WalletKey Wallet() const { return {kAnvilChain, signer_->address().ToHex()}; }

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
      draft.legs =
          Move(AccountKey{AccountCode::kVault, vault_.ToHex(), unit},
               AccountKey{AccountCode::kMerchantAvailable, kMerchantId, unit}, U256(amount));
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
    row.chain = kAnvilChain;
    row.address = to;
    row.amount = U256(amount);
    row.creator = "plan";
    row.create_time = clock_.Now();
    Do([&](pg::Transaction& tx) -> Status {
      DestinationRow destination;
      destination.destination_id = row.destination_id;
      destination.merchant_id = kMerchantId;
      destination.unit = unit;
      destination.chain = kAnvilChain;
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
    return Sender(options_, *store_, anvil_, *signer_, observer);
  }
  template <class T>
  T RunTask(Task<T> task) {
    auto future = runtime::StartOn(loop_.get_executor(), std::move(task));
    loop_.restart();
    loop_.run();
    return future.get();
  }
  // Turns until there is nothing left to do at once.
  void Run() {
    Sender sender = MakeSender();
    for (int i = 0; i < 30; ++i) {
      const Result<bool> done = RunTask(sender.Turn(epoch_));
      if (!done.ok()) {
        last_error_ = done.error().ToString();
        return;
      }
      if (!*done) return;
    }
    ADD_FAILURE() << "the sender never rests";
  }
  void Follow() {
    const FateContext context{
        kAnvilChain, vault_, options_.factory,
        [this](FateAlarm alarm, const std::string&) { fate_alarms_.push_back(alarm); }};
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
    return Do<U256>([&](pg::Transaction& tx) {
      return LockedBalance(tx, AccountKey{code, owner, unit});
    });
  }
  U256 Merchant(AccountCode code) { return Balance(code, kMerchantId, unit_); }
  U256 Received(const std::string& to = kTo) {
    return anvil_.BalanceOf(token_, evm::Address::Parse(to).value());
  }
  std::vector<SlotRow> Slots() {
    return Do<std::vector<SlotRow>>(
        [&](pg::Transaction& tx) { return UnminedSlots(tx, Wallet(), 100); });
  }
  std::string NewestHash() {
    return database_.Query(
        "SELECT transaction_hash FROM chain_transaction_attempt"
        " JOIN chain_transaction t USING (chain_transaction_id)"
        " ORDER BY t.nonce DESC, chain_transaction_attempt.sequence DESC LIMIT 1");
  }
  void Drop(const std::string& hash) { anvil_.Rpc("anvil_dropTransaction", "[\"" + hash + "\"]"); }
  void Blacklist(const std::string& account, std::string_view function) {
    anvil_.SendAs(anvil_.owner(), token_,
                  evm::EncodeCall(function, {evm::Address::Parse(account).value()}).value());
  }
  Status PostAvailable(pg::Transaction& tx, std::uint64_t amount) {
    JournalDraft draft;
    draft.rule = "P4";
    draft.event_id = "pay_" + std::to_string(++funded_);
    draft.legs =
        Move(AccountKey{AccountCode::kDeposits, kAnvilChain, unit_},
             AccountKey{AccountCode::kMerchantAvailable, kMerchantId, unit_}, U256(amount));
    const auto posted = Post(tx, std::span(&draft, 1));
    return posted.ok() ? Status() : Status(posted.error());
  }
  // A deposit address with final money on it, as the evidence would have it.
  void AddDeposit(const std::string& payment_id, std::uint64_t amount) {
    const evm::Hash32 init_code = evm::CloneInitCodeHash(anvil_.Contract("implementation"));
    const evm::Address address =
        evm::Create2Address(options_.factory, DepositSalt(payment_id), init_code);
    if (amount > 0) {
      anvil_.SendAs(anvil_.owner(), token_,
                    evm::EncodeCall("mint(address,uint256)", {address, U256(amount)}).value());
    }
    anvil_.Mine(3);
    database_.Exec(
        "INSERT INTO deposit (payment_id, merchant_id, address, revision, state, terms)"
        " VALUES ('" +
        payment_id + "', 'mer_1', '" + address.ToHex() + "', 1, 'SUCCEEDED', '')");
    database_.Exec(
        "INSERT INTO deposit_holding (payment_id, chain, unit, address, received,"
        " finalized, moved) VALUES ('" +
        payment_id + "', '" + kAnvilChain + "', '" + unit_ + "', '" + address.ToHex() +
        "', 250, 250, 0)");
  }
  NativeBalance FinalBalance() {
    const auto block = anvil_.Rpc("eth_getBlockByNumber", R"(["finalized",false])");
    const auto wei = anvil_.Rpc("eth_getBalance", "[\"" + Wallet().address + "\",\"finalized\"]");
    const auto number = U256::FromQuantity(std::string(block.at("number").as_string())).value();
    return {U256::FromQuantity(std::string(wei.as_string())).value(), number.ToUint64().value(),
            std::string(block.at("hash").as_string())};
  }
  U256 NativeAtFinal() { return FinalBalance().wei; }
  void BookGas() {
    const NativeBalance balance = FinalBalance();
    const auto result =
        Do<FundingResult>([&](pg::Transaction& tx) { return BookFunding(tx, Wallet(), balance); });
    EXPECT_TRUE(result.missing.IsZero());
  }
  void ExpectSound() {
    const auto counts = Do<std::vector<PayoutInvariant>>(
        [](pg::Transaction& tx) { return CountPayoutViolations(tx); });
    for (const PayoutInvariant& count : counts) EXPECT_EQ(count.violations, 0) << count.id;
  }

  static constexpr char kTo[] = "0x00000000000000000000000000000000000000e1";
  static constexpr char kOther[] = "0x00000000000000000000000000000000000000e2";

  boost::asio::io_context own_loop_;
  boost::asio::io_context& loop_;
  runtime::SystemClock clock_;
  runtime::SystemRandom random_;
  const std::unique_ptr<Signer> signer_;
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

}  // namespace paymesh::settlement
