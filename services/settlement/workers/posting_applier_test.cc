#include "services/settlement/workers/posting_applier.h"

#include <gtest/gtest.h>

#include "common/evm/create2.h"
#include "common/evm/keccak.h"
#include "common/pg/testing/test_database.h"
#include "migrations/settlement.h"
#include "paymesh/checkout/v1/event_service.pb.h"
#include "services/settlement/store/ledger_store.h"

namespace paymesh::settlement {
namespace {

namespace checkout_pb = paymesh::checkout::v1;
namespace watcher_pb = paymesh::watcher::v1;

const std::string kChain = "eip155:31337";
const std::string kUnit = "caip19/eip155:31337/erc20:0x1111111111111111111111111111111111111111";
const std::string kVault = "0x00000000000000000000000000000000000000aa";
const std::string kFactory = "0x00000000000000000000000000000000000000fa";
const std::string kInitCode = "0x" + std::string(64, '7');

std::string AddressOf(const std::string& payment_id) {
  return evm::Create2Address(*evm::Address::Parse(kFactory), evm::Keccak256(payment_id),
                             *evm::Hash32::Parse(kInitCode))
      .ToHex();
}

watcher_pb::Transfer MakeTransfer(const std::string& id, const std::string& to,
                                  std::uint64_t amount) {
  watcher_pb::Transfer transfer;
  transfer.set_transfer_id(id);
  transfer.set_chain(kChain);
  transfer.set_transaction_hash("0x" + id);
  transfer.mutable_amount()->set_unit(kUnit);
  transfer.mutable_amount()->set_value(std::to_string(amount));
  transfer.set_from_address("0x00000000000000000000000000000000000000ee");
  transfer.set_to_address(to);
  transfer.mutable_block()->set_number(10);
  transfer.mutable_block()->set_hash("0xb10");
  transfer.set_state(watcher_pb::TRANSFER_STATE_INCLUDED);
  transfer.set_revision(1);
  return transfer;
}

checkout_pb::Payment MakePayment(const std::string& id) {
  checkout_pb::Payment payment;
  payment.set_payment_id(id);
  payment.set_merchant_id("mer_1");
  payment.set_revision(1);
  payment.set_state(checkout_pb::PAYMENT_STATE_AWAITING_PAYMENT);
  payment.set_deposit_address(AddressOf(id));
  payment.set_factory_address(kFactory);
  payment.set_factory_init_code_hash(kInitCode);
  payment.set_confirmation_policy(type::v1::FINALITY_SAFE);
  payment.mutable_fee_plan()->set_basis_points(100);
  return payment;
}

void Accept(checkout_pb::Payment& payment, const watcher_pb::Transfer& transfer,
            std::uint64_t accepted) {
  checkout_pb::PaymentTransfer& entry = *payment.add_transfers();
  entry.set_transfer_id(transfer.transfer_id());
  *entry.mutable_amount() = transfer.amount();
  *entry.mutable_block() = transfer.block();
  entry.set_disposition(checkout_pb::TRANSFER_DISPOSITION_MATCHED);
  entry.set_decided(true);
  *entry.mutable_accepted() = transfer.amount();
  entry.mutable_accepted()->set_value(std::to_string(accepted));
  *entry.mutable_refundable() = transfer.amount();
  entry.mutable_refundable()->set_value(
      std::to_string(std::stoull(transfer.amount().value()) - accepted));
  payment.set_state(checkout_pb::PAYMENT_STATE_SUCCEEDED);
  payment.set_revision(payment.revision() + 1);
}

class Watch final : public PostingObserver {
 public:
  void Contradiction(std::string_view what) override { contradictions.emplace_back(what); }
  std::vector<std::string> contradictions;
};

class PostingApplierTest : public ::testing::Test {
 protected:
  void Apply(const watcher_pb::TransferEvent& event) { Apply(std::vector{event}); }
  void Apply(const std::vector<watcher_pb::TransferEvent>& events) {
    std::vector<outbox::Entry> entries;
    for (const watcher_pb::TransferEvent& event : events) {
      entries.emplace_back().payload = event.SerializeAsString();
    }
    const Status status = database_.database().TransactBlocking(
        {}, [&](pg::Transaction& tx) { return applier_.ApplyTransfers(tx, entries); });
    ASSERT_TRUE(status.ok()) << status.error().ToString();
  }
  void Apply(const watcher_pb::Transfer& transfer) { Apply(std::vector{transfer}); }
  // One batch.
  void Apply(const std::vector<watcher_pb::Transfer>& transfers) {
    std::vector<watcher_pb::TransferEvent> events(transfers.size());
    for (std::size_t i = 0; i < events.size(); ++i) *events[i].mutable_transfer() = transfers[i];
    Apply(events);
  }
  void Apply(const checkout_pb::Payment& payment, const std::string& trace = "") {
    checkout_pb::Event event;
    *event.mutable_payment() = payment;
    outbox::Entry entry;
    entry.payload = event.SerializeAsString();
    entry.trace = trace;
    const std::vector<outbox::Entry> entries{entry};
    const Status status = database_.database().TransactBlocking(
        {}, [&](pg::Transaction& tx) { return applier_.ApplyPayments(tx, entries); });
    ASSERT_TRUE(status.ok()) << status.error().ToString();
  }
  std::string Rules() {
    return database_.Query("SELECT string_agg(rule, ' ' ORDER BY sequence) FROM ledger_journal");
  }
  std::string Events() {
    return database_.Query(
        "SELECT string_agg(kind, ' ' ORDER BY position) FROM journal_entry WHERE journal = "
        "'events'");
  }
  std::string Balance(int code) {
    return database_.Query(
        "SELECT coalesce(sum(credits - debits), 0) FROM ledger_account"
        " WHERE code = " +
        std::to_string(code));
  }

  pg::TestDatabase database_{SettlementMigrations()};
  Watch watch_;
  PostingApplier applier_{{{{kChain, kVault}}, {{kFactory, kInitCode}}}, watch_};
};

TEST_F(PostingApplierTest, PostsAPaymentFromEvidenceToNetAndTells) {
  checkout_pb::Payment payment = MakePayment("pay_1");
  Apply(payment);
  watcher_pb::Transfer transfer = MakeTransfer("trf_1", AddressOf("pay_1"), 1'000);
  Apply(transfer);
  EXPECT_EQ(Balance(2050), "1000");
  Accept(payment, transfer, 1'000);
  Apply(payment);
  EXPECT_EQ(Rules(), "P1") << "no credit before our own evidence is certain enough";
  transfer.set_state(watcher_pb::TRANSFER_STATE_SAFE);
  transfer.set_revision(2);
  Apply(transfer);
  transfer.set_state(watcher_pb::TRANSFER_STATE_FINALIZED);
  transfer.set_revision(3);
  Apply(transfer);
  EXPECT_EQ(Rules(), "P1 P2 P3 P4");
  EXPECT_EQ(Balance(2110), "990");
  EXPECT_EQ(Events(), "payment.posted payment.available");
  EXPECT_EQ(database_.Query("SELECT net FROM payment_money WHERE payment_id = 'pay_1'"), "990");
  EXPECT_EQ(database_.Query("SELECT finalized - moved FROM deposit_holding"), "1000");
  Apply(transfer);
  Apply(payment);
  EXPECT_EQ(Rules(), "P1 P2 P3 P4") << "applying again changes nothing";
}

TEST_F(PostingApplierTest, TellsOfMoneyWithTheTraceOfTheCallThatMadeThePayment) {
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  checkout_pb::Payment payment = MakePayment("pay_1");
  Apply(payment, trace);
  watcher_pb::Transfer transfer = MakeTransfer("trf_1", AddressOf("pay_1"), 1'000);
  Apply(transfer);
  Accept(payment, transfer, 1'000);
  Apply(payment, "00-ffffffffffffffffffffffffffffffff-ffffffffffffffff-01");
  transfer.set_state(watcher_pb::TRANSFER_STATE_FINALIZED);
  transfer.set_revision(2);
  Apply(transfer);
  EXPECT_EQ(Events(), "payment.posted payment.available");
  EXPECT_EQ(database_.Query("SELECT string_agg(DISTINCT trace, ' ') FROM journal_entry"), trace);
}

TEST_F(PostingApplierTest, HoldsMoneyThatCameBeforeItsPaymentWasKnown) {
  const watcher_pb::Transfer transfer = MakeTransfer("trf_1", AddressOf("pay_1"), 70);
  Apply(transfer);
  EXPECT_EQ(Balance(2300), "70");
  Apply(MakePayment("pay_1"));
  EXPECT_EQ(Rules(), "P8 P8b");
  EXPECT_EQ(Balance(2050), "70");
}

TEST_F(PostingApplierTest, BooksASweepAndTheForeignFundingOfTheVault) {
  Apply(MakePayment("pay_1"));
  Apply(MakeTransfer("trf_1", AddressOf("pay_1"), 70));
  watcher_pb::Transfer sweep = MakeTransfer("trf_2", kVault, 70);
  sweep.set_from_address(AddressOf("pay_1"));
  Apply(sweep);
  Apply(MakeTransfer("trf_3", kVault, 1'000));
  EXPECT_EQ(Rules(), "P1 P10 P0");
  EXPECT_EQ(Balance(1100), "0");
  EXPECT_EQ(Balance(1120), "-1070");
  EXPECT_EQ(Events(), "payment.swept");
  EXPECT_EQ(database_.Query("SELECT moved FROM deposit_holding"), "70");
}

TEST_F(PostingApplierTest, TakesBackAnOrphanAndBooksItAnewWhenItReturns) {
  checkout_pb::Payment payment = MakePayment("pay_1");
  Apply(payment);
  watcher_pb::Transfer transfer = MakeTransfer("trf_1", AddressOf("pay_1"), 1'200);
  transfer.set_state(watcher_pb::TRANSFER_STATE_SAFE);
  Apply(transfer);
  Accept(payment, transfer, 1'000);
  Apply(payment);
  EXPECT_EQ(Balance(2100), "990");
  EXPECT_EQ(Balance(2200), "200");
  transfer.set_state(watcher_pb::TRANSFER_STATE_ORPHANED);
  transfer.set_revision(2);
  Apply(transfer);
  EXPECT_EQ(Balance(2100), "0");
  EXPECT_EQ(Balance(1100), "0");
  EXPECT_EQ(Rules(), "P1 P2 P5 P3 P13.P3 P13.P5 P13.P2 P13.P1");
  EXPECT_EQ(Events(), "payment.posted payment.reversed");
  transfer.set_state(watcher_pb::TRANSFER_STATE_INCLUDED);
  transfer.mutable_block()->set_hash("0xb11");
  transfer.set_revision(3);
  Apply(transfer);
  EXPECT_EQ(Balance(2050), "1200");
}

// A transaction that is mined again with another log at the same place: one transfer goes, another
// comes, in one batch, whichever of their ids sorts first.
TEST_F(PostingApplierTest, TakesWhatReplacesATransferAtItsPlace) {
  for (const auto& [old_id, new_id] : {std::pair("trf_1", "trf_2"), std::pair("trf_4", "trf_3")}) {
    const std::string payment = std::string("pay_") + old_id;
    Apply(MakePayment(payment));
    watcher_pb::Transfer old_one = MakeTransfer(old_id, AddressOf(payment), 100);
    Apply(old_one);
    watcher_pb::Transfer new_one = MakeTransfer(new_id, AddressOf(payment), 70);
    new_one.set_transaction_hash(old_one.transaction_hash());
    new_one.mutable_block()->set_hash("0xb11");
    old_one.set_state(watcher_pb::TRANSFER_STATE_ORPHANED);
    old_one.set_revision(2);
    Apply(std::vector{old_one, new_one});
    EXPECT_EQ(database_.Query("SELECT received FROM deposit_holding WHERE payment_id = '" +
                              payment + "'"),
              "70");
  }
  EXPECT_EQ(Balance(2050), "140");
}

TEST_F(PostingApplierTest, IgnoresAnotherMerchantOfAKnownPaymentAndSaysSo) {
  checkout_pb::Payment payment = MakePayment("pay_1");
  Apply(payment);
  payment.set_merchant_id("mer_2");
  payment.set_revision(2);
  Apply(payment);
  ASSERT_EQ(watch_.contradictions.size(), 1u);
  EXPECT_NE(watch_.contradictions[0].find("pay_1"), std::string::npos);
  EXPECT_EQ(database_.Query("SELECT merchant_id FROM deposit"), "mer_1");
}

TEST_F(PostingApplierTest, RefusesAnAddressThatItsFactoryDoesNotMake) {
  checkout_pb::Payment payment = MakePayment("pay_1");
  payment.set_deposit_address("0x00000000000000000000000000000000000000bb");
  Apply(payment);
  EXPECT_EQ(watch_.contradictions.size(), 1u);
  payment = MakePayment("pay_2");
  payment.set_factory_address(kVault);
  Apply(payment);
  EXPECT_EQ(watch_.contradictions.size(), 2u);
  Apply(MakeTransfer("trf_1", "0x00000000000000000000000000000000000000bb", 5));
  EXPECT_EQ(Rules(), "P8");
}

TEST_F(PostingApplierTest, CreditsNothingOnAHaltedChainAndCatchesUpWhenItGoesOn) {
  watcher_pb::TransferEvent halt;
  halt.mutable_chain_halt()->set_chain(kChain);
  halt.mutable_chain_halt()->set_halted(true);
  halt.mutable_chain_halt()->set_reason("a reorganisation below finality");
  Apply(halt);
  EXPECT_EQ(database_.Query("SELECT creator FROM pause WHERE value = '" + kChain + "'"), "watcher");
  checkout_pb::Payment payment = MakePayment("pay_1");
  watcher_pb::Transfer transfer = MakeTransfer("trf_1", AddressOf("pay_1"), 100);
  transfer.set_state(watcher_pb::TRANSFER_STATE_FINALIZED);
  Accept(payment, transfer, 100);
  Apply(payment);
  Apply(transfer);
  EXPECT_EQ(Rules(), "P1");
  halt.mutable_chain_halt()->set_halted(false);
  Apply(halt);
  EXPECT_EQ(Rules(), "P1 P2 P3 P4");
  EXPECT_EQ(database_.Query("SELECT count(*) FROM pause"), "0");
}

}  // namespace
}  // namespace paymesh::settlement
