// Payments in a real PostgreSQL: what goes in comes out, followers' effects, timers' searches.
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "common/pg/database.h"
#include "common/pg/testing/test_database.h"
#include "migrations/checkout.h"
#include "paymesh/watcher/v1/transfer_service.pb.h"
#include "services/checkout/convert.h"
#include "services/checkout/store/chain_store.h"
#include "services/checkout/store/invariants.h"
#include "services/checkout/store/merchant_store.h"
#include "services/checkout/testing/payments.h"
#include "services/checkout/usecases/apply_transfers.h"
#include "services/checkout/usecases/change_payments.h"

namespace paymesh::checkout {
namespace {
using namespace testing;  // NOLINT: the test's own names
namespace watcherpb = ::paymesh::watcher::v1;

class Store : public ::testing::Test {
 protected:
  template <class Fn>
  auto Do(Fn fn) {
    auto result = database_.database().TransactBlocking({.name = "test"}, std::move(fn));
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().ToString());
    return result;
  }

  void Run(std::function<Status(pg::Transaction&)> fn) {
    const Status done = Do(std::move(fn));
    EXPECT_TRUE(done.ok());
  }

  void SetUp() override {
    Merchant merchant;
    merchant.merchant_id = "mer_1";
    merchant.display_name = "Shop";
    merchant.accepted_units = {kUsdA, kUsdB};
    merchant.fee_plan.fixed[kUsdA] = U256(5);
    Run([merchant](pg::Transaction& tx) -> Status {
      InsertMerchant(tx, merchant);
      return {};
    });
  }

  Payment Insert(const std::string& id, char address, bool registered = true) {
    Payment model = MakePayment();
    model.terms.payment_id = id;
    model.terms.reference = "ref-" + id;
    model.terms.metadata = {{"order", "7"}, {"a", "b"}};
    model.terms.deposit_address = "0x" + std::string(40, address);
    Payment payment = Create(model.terms, kDeadline, registered);
    Run([payment](pg::Transaction& tx) -> Status {
      InsertPayments(tx, {{std::make_shared<const Payment>(payment),
                           PaymentEvent(payment, kPaymentCreated).SerializeAsString(), ""}});
      return {};
    });
    return payment;
  }

  Payment Load(const std::string& id) {
    auto loaded = Do([id](pg::Transaction& tx) { return LoadPayments(tx, {id}, Lock::kNone); });
    return loaded->at(0);
  }

  // `count` transfers of `value` each, numbered from `first`; all pay the same address.
  static std::vector<watcherpb::TransferEvent> Many(const Payment& payment, std::size_t first,
                                                    std::size_t count, std::uint64_t value,
                                                    watcherpb::TransferState state,
                                                    std::int64_t revision = 1) {
    std::vector<watcherpb::TransferEvent> events;
    for (std::size_t i = first; i < first + count; ++i) {
      watcherpb::TransferEvent event = Seen(payment, value, state, revision);
      event.mutable_transfer()->set_transfer_id("trf_many_" + std::to_string(i));
      event.mutable_transfer()->set_transaction_hash("0x" + std::to_string(i));
      events.push_back(std::move(event));
    }
    return events;
  }

  void Follow(std::vector<watcherpb::TransferEvent> events) {
    std::vector<outbox::Entry> entries;
    for (const auto& event : events) {
      outbox::Entry entry;
      entry.payload = event.SerializeAsString();
      entries.push_back(std::move(entry));
    }
    Run([entries](pg::Transaction& tx) { return ApplyTransfers(tx, Rules{}, entries, {}); });
  }

  static watcherpb::TransferEvent Seen(const Payment& payment, std::uint64_t value,
                                       watcherpb::TransferState state, std::int64_t revision) {
    watcherpb::TransferEvent event;
    auto& transfer = *event.mutable_transfer();
    transfer.set_transfer_id("trf_1");
    transfer.set_chain(kChainA);
    transfer.set_transaction_hash("0xabc");
    *transfer.mutable_amount() = ToProto(kUsdA, U256(value));
    transfer.set_from_address("0xfrom");
    transfer.set_to_address(payment.terms.deposit_address);
    transfer.mutable_block()->set_number(50);
    *transfer.mutable_block()->mutable_time() = ToProto(kStart);
    transfer.set_state(state);
    transfer.set_revision(revision);
    return event;
  }

  static watcherpb::TransferEvent Read(const std::string& chain, Time time,
                                       std::uint64_t finalized = 0) {
    watcherpb::TransferEvent event;
    event.mutable_checkpoint()->set_chain(chain);
    event.mutable_checkpoint()->mutable_block()->set_number(60);
    *event.mutable_checkpoint()->mutable_block()->mutable_time() = ToProto(time);
    event.mutable_checkpoint()->mutable_finalized_block()->set_number(finalized);
    return event;
  }

  void ExpectInvariants() {
    for (const pg::Invariant& invariant : Invariants()) {
      auto count = Do([&invariant](pg::Transaction& tx) -> Result<std::int64_t> {
        return pg::CountViolations(tx, invariant);
      });
      EXPECT_EQ(*count, 0) << invariant.id;
    }
  }

  std::vector<std::string> Expirable() {
    return *Do([](pg::Transaction& tx) -> Result<std::vector<std::string>> {
      return FindExpirable(tx, Rules{}.grace, 10);
    });
  }

  pg::TestDatabase database_{CheckoutMigrations()};
};

TEST_F(Store, GivesBackAPaymentAsItWasPutIn) {
  const Payment payment = Insert("pay_a", 'a');
  EXPECT_EQ(Load("pay_a"), payment);
}

// Whoever sends to an address without end makes neither the payment nor its events too large to
// read.
TEST_F(Store, KeepsSnapshotsFarBelowAMessageHoweverManyTransfersCome) {
  const Payment payment = Insert("pay_a", 'a');
  std::vector<watcherpb::TransferEvent> events;
  for (std::size_t i = 0; i < kMaxTransfers + 100; ++i) {
    watcherpb::TransferEvent event =
        Seen(payment, kDue / 100, watcherpb::TRANSFER_STATE_INCLUDED, 1);
    std::string number = std::to_string(i);
    number.insert(0, 64 - number.size(), '0');
    event.mutable_transfer()->set_transfer_id("trf_" + number.substr(32));
    event.mutable_transfer()->set_transaction_hash("0x" + number);
    event.mutable_transfer()->set_from_address(payment.terms.deposit_address);
    event.mutable_transfer()->mutable_block()->set_hash("0x" + number);
    events.push_back(std::move(event));
  }
  Follow(events);
  const Payment loaded = Load("pay_a");
  EXPECT_EQ(loaded.transfers.size(), kMaxTransfers);
  EXPECT_TRUE(loaded.transfers_left_out);
  EXPECT_TRUE(ToProto(loaded).transfers_left_out());
  EXPECT_LT(PaymentEvent(loaded, "payment.updated").ByteSizeLong(), 512U * 1024U);
  Follow({events.back()});
  EXPECT_EQ(Load("pay_a"), loaded);
  ExpectInvariants();
}

// Three lines a transfer (seen, certain, final), all in one transaction.
TEST_F(Store, TakesTheNextTransferAfterMoreNewTimelineLinesThanAreShown) {
  const Payment payment = Insert("pay_a", 'a');
  Follow(Many(payment, 0, kFreeTransfers, 1, watcherpb::TRANSFER_STATE_FINALIZED));
  EXPECT_GT(Load("pay_a").timeline.back().ordinal,
            static_cast<std::int64_t>(kMaxTimelineEntries + kFreeTransfers / 2));
  Follow({Seen(payment, kDue, watcherpb::TRANSFER_STATE_FINALIZED, 1)});
  EXPECT_EQ(Load("pay_a").timeline.back().kind, "succeeded");
  ExpectInvariants();
}

TEST_F(Store, TakesNewsOfOldTransfersAfterATimelineThatIsTooLongToShow) {
  const Payment payment = Insert("pay_a", 'a');
  Follow(Many(payment, 0, kMaxTransfers, kDue / 1000, watcherpb::TRANSFER_STATE_INCLUDED));
  Follow(Many(payment, 0, 90, kDue / 1000, watcherpb::TRANSFER_STATE_SAFE, 2));
  Follow(Many(payment, 0, 90, kDue / 1000, watcherpb::TRANSFER_STATE_FINALIZED, 3));
  Follow(Many(payment, 0, 3, kDue / 1000, watcherpb::TRANSFER_STATE_ORPHANED, 4));
  EXPECT_TRUE(Load("pay_a").transfers.at(0).orphaned);
  ExpectInvariants();
}

TEST_F(Store, StoresEveryTimelineLineUnderANumberOfItsOwnWithoutAHole) {
  const Payment payment = Insert("pay_a", 'a');
  Follow(Many(payment, 0, kFreeTransfers, 1, watcherpb::TRANSFER_STATE_FINALIZED));
  Follow(Many(payment, 0, 50, 1, watcherpb::TRANSFER_STATE_ORPHANED, 2));
  EXPECT_EQ(database_.Query("SELECT max(ordinal) - min(ordinal) + 1 - count(*)"
                            " FROM payment_timeline"),
            "0");
  const Payment loaded = Load("pay_a");
  EXPECT_EQ(loaded.timeline.back().ordinal,
            std::stoll(database_.Query("SELECT max(ordinal) FROM payment_timeline")));
  EXPECT_EQ(ToProto(loaded).timeline_size(), static_cast<int>(kMaxTimelineEntries));
}

// Rows as an earlier version left them: the middle was never stored, and its ordinals are not used.
TEST_F(Store, GoesOnAfterATimelineWithAHole) {
  const Payment payment = Insert("pay_a", 'a');
  Follow(Many(payment, 0, kFreeTransfers, 1, watcherpb::TRANSFER_STATE_FINALIZED));
  Run([](pg::Transaction& tx) -> Status {
    tx.Execute("DELETE FROM payment_timeline WHERE ordinal < 150");
    return {};
  });
  Follow({Seen(payment, kDue, watcherpb::TRANSFER_STATE_FINALIZED, 1)});
  EXPECT_EQ(Load("pay_a").state, State::kSucceeded);
}

TEST_F(Store, KeepsAPaymentThroughAWholeStory) {
  const Payment payment = Insert("pay_a", 'a');
  Follow({Seen(payment, kDue + 3, watcherpb::TRANSFER_STATE_INCLUDED, 1)});
  EXPECT_EQ(Load("pay_a").state, State::kProcessing);
  Follow({Seen(payment, kDue + 3, watcherpb::TRANSFER_STATE_SAFE, 2),
          Seen(payment, kDue + 3, watcherpb::TRANSFER_STATE_ORPHANED, 3),
          Seen(payment, kDue + 3, watcherpb::TRANSFER_STATE_INCLUDED, 4),
          Seen(payment, kDue + 3, watcherpb::TRANSFER_STATE_FINALIZED, 5)});
  const Payment loaded = Load("pay_a");
  EXPECT_EQ(loaded.state, State::kSucceeded);
  EXPECT_EQ(loaded.revision, 6);
  EXPECT_TRUE(loaded.flags.Has(Flag::kReorged));
  EXPECT_TRUE(loaded.flags.Has(Flag::kReincluded));
  EXPECT_EQ(loaded.transfers.at(0).refundable, U256(3));
  EXPECT_EQ(database_.Query("SELECT count(*) FROM journal_entry WHERE subject = 'pay_a'"), "6");
  EXPECT_EQ(database_.Query("SELECT gross FROM payment"), std::to_string(kDue));
  ExpectInvariants();
}

TEST_F(Store, AppliesTheSameNewsTwiceWithoutEffect) {
  const Payment payment = Insert("pay_a", 'a');
  const auto news = Seen(payment, kDue, watcherpb::TRANSFER_STATE_INCLUDED, 1);
  Follow({news, news});
  Follow({news});
  EXPECT_EQ(Load("pay_a").revision, 2);
}

TEST_F(Store, PassesOverTransfersToAddressesOfNoPayment) {
  Payment stranger = MakePayment();
  stranger.terms.deposit_address = "0x" + std::string(40, '7');
  Follow({Seen(stranger, 5, watcherpb::TRANSFER_STATE_INCLUDED, 1)});
  EXPECT_EQ(database_.Query("SELECT count(*) FROM payment_transfer"), "0");
}

TEST_F(Store, FindsWhatMayExpireOnlyWhenEveryChainWasReadPastTheDeadline) {
  Insert("pay_a", 'a');
  EXPECT_TRUE(Expirable().empty());
  Follow({Read(kChainA, kDeadline + std::chrono::seconds(61))});
  EXPECT_TRUE(Expirable().empty());
  Follow({Read(kChainB, kDeadline + std::chrono::seconds(60))});
  EXPECT_TRUE(Expirable().empty());
  Follow({Read(kChainB, kDeadline + std::chrono::seconds(61))});
  EXPECT_EQ(Expirable(), std::vector<std::string>{"pay_a"});
}

TEST_F(Store, LetsAnOperatorWaiveAHaltedChainOnTheRecord) {
  Insert("pay_a", 'a');
  Follow({Read(kChainA, kDeadline + std::chrono::seconds(61))});
  Run([](pg::Transaction& tx) -> Status {
    WaiveChain(tx, kChainB, "olivia", "halted for a day");
    return {};
  });
  EXPECT_EQ(Expirable(), std::vector<std::string>{"pay_a"});
  EXPECT_EQ(database_.Query("SELECT actor FROM chain_waiver"), "olivia");
  Run([](pg::Transaction& tx) -> Status {
    UnwaiveChain(tx, kChainB, "olivia", "back");
    return {};
  });
  EXPECT_TRUE(Expirable().empty());
}

TEST_F(Store, FindsMoneyThatIsProvenGone) {
  const Payment payment = Insert("pay_a", 'a');
  Follow({Seen(payment, kDue, watcherpb::TRANSFER_STATE_SAFE, 1),
          Seen(payment, kDue, watcherpb::TRANSFER_STATE_ORPHANED, 2), Read(kChainA, kStart, 81)});
  const auto lost = [](pg::Transaction& tx) -> Result<std::vector<std::string>> {
    return FindLost(tx, 32, 10);
  };
  EXPECT_TRUE(Do(lost)->empty());
  Follow({Read(kChainA, kStart, 82)});
  EXPECT_EQ(*Do(lost), std::vector<std::string>{"pay_a"});
}

TEST_F(Store, RefusesAChangeOnAnOldRevision) {
  const Payment payment = Insert("pay_a", 'a');
  Payment other = payment;
  other.revision = 9;
  const auto save = [&](pg::Transaction& tx) -> Status {
    return SaveChanges(tx, {Change{.before = other, .after = other, .revisions = {}}});
  };
  const Status saved = database_.database().TransactBlocking({.name = "test"}, save);
  ASSERT_FALSE(saved.ok());
  EXPECT_EQ(saved.error().reason, "TRANSACTION_CONFLICT");
}

TEST_F(Store, NoticesAmountsThatDriftedFromTheTransfers) {
  Insert("pay_a", 'a');
  database_.Exec("UPDATE payment SET seen = 5");
  const auto load = [](pg::Transaction& tx) { return LoadPayments(tx, {"pay_a"}, Lock::kNone); };
  const auto loaded = database_.database().TransactBlocking({.name = "test"}, load);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().reason, "AMOUNT_DRIFT");
}

TEST_F(Store, RefusesAForbiddenStepByItself) {
  Insert("pay_a", 'a');
  const auto forbidden = [](pg::Transaction& tx) -> Status {
    tx.Execute("INSERT INTO payment_transition VALUES ('pay_a', 2, 8, 6, now())");
    return {};
  };
  EXPECT_FALSE(database_.database().TransactBlocking({.name = "test"}, forbidden).ok());
}

TEST_F(Store, FindsPaymentsByEveryFilter) {
  const Payment a = Insert("pay_a", 'a');
  Insert("pay_b", 'b');
  Follow({Seen(a, 5, watcherpb::TRANSFER_STATE_INCLUDED, 1)});
  const auto find = [this](PaymentFilter filter, std::string before = "") {
    return *Do([=](pg::Transaction& tx) -> Result<std::vector<std::string>> {
      return FindPayments(tx, filter, before, 10);
    });
  };
  using Ids = std::vector<std::string>;
  EXPECT_EQ(find({}), (Ids{"pay_b", "pay_a"}));
  EXPECT_EQ(find({}, "pay_b"), Ids{"pay_a"});
  EXPECT_EQ(find({.merchant_id = "mer_2"}), Ids{});
  EXPECT_EQ(find({.states = {State::kPartiallyPaid}}), Ids{"pay_a"});
  EXPECT_EQ(find({.reference = "ref-pay_b"}), Ids{"pay_b"});
  EXPECT_EQ(find({.transaction_hash = "0xabc"}), Ids{"pay_a"});
  EXPECT_EQ(find({.address = "0xfrom"}), Ids{"pay_a"});
  EXPECT_EQ(find({.address = "0x" + std::string(40, 'b')}), Ids{"pay_b"});
  EXPECT_EQ(find({.create_time_from = kStart, .create_time_until = kStart}), Ids{});
  EXPECT_EQ(find({.create_time_from = kStart}), (Ids{"pay_b", "pay_a"}));
}

TEST_F(Store, KeepsAtMostTwoActiveKeysAndFindsOnlyThose) {
  const auto insert = [this](const std::string& id) {
    const ApiKey key{
        .api_key_id = id, .merchant_id = "mer_1", .display_name = "", .secret_prefix = ""};
    return database_.database().TransactBlocking({.name = "test"}, [=](pg::Transaction& tx) {
      return InsertApiKey(tx, key, pg::Bytea(std::string(31, 'x') + id.back()));
    });
  };
  EXPECT_TRUE(insert("key_1").ok());
  EXPECT_TRUE(insert("key_2").ok());
  EXPECT_EQ(insert("key_3").error().reason, "TOO_MANY_API_KEYS");
  const auto find = [this](char last) {
    return *Do([=](pg::Transaction& tx) -> Result<std::optional<KeyOwner>> {
      return FindApiKey(tx, pg::Bytea(std::string(31, 'x') + last));
    });
  };
  EXPECT_EQ(find('1')->merchant_id, "mer_1");
  Run([](pg::Transaction& tx) -> Status {
    EXPECT_TRUE(RevokeApiKey(tx, "key_1", kStart).has_value());
    EXPECT_FALSE(RevokeApiKey(tx, "key_9", kStart).has_value());
    return {};
  });
  EXPECT_FALSE(find('1').has_value());
  EXPECT_TRUE(insert("key_3").ok());
}

// Whatever happens to a payment, what is read back is what the machine computed.
TEST_F(Store, KeepsEveryDetailThroughARandomHistory) {
  Payment expected = Insert("pay_a", 'a');
  std::mt19937_64 random(7);
  std::int64_t revision = 0;
  const auto apply = [this](const Event& event) {
    auto result = Do([event](pg::Transaction& tx) -> Result<Payment> {
      ASSIGN_OR_RETURN(PaymentBatch batch, PaymentBatch::Load(tx, Rules{}, {"pay_a"}));
      RETURN_IF_ERROR(batch.Apply("pay_a", event));
      RETURN_IF_ERROR(batch.Save(tx));
      return batch.At("pay_a");
    });
    return *result;
  };
  for (int step = 0; step < 80; ++step) {
    const auto pick = random() % 10;
    Event event = AddressRegistered{};
    if (pick < 7) {
      TransferUpdate update{
          .transfer_id = "trf_" + std::to_string(random() % 5),
          .chain = kChainA,
          .transaction_hash = "0xabc",
          .amount = Amount{random() % 5 == 0 ? kUsdB : kUsdA, U256(kDue / (1 + random() % 3))}};
      update.to_address = expected.terms.deposit_address;
      update.block = {100 + random() % 9, "0xb", kStart + std::chrono::minutes(random() % 20)};
      update.orphaned = random() % 3 == 0;
      update.finality = update.orphaned ? Finality::kNone : Finality(3 + random() % 3);
      update.revision = ++revision;
      event = update;
    } else if (pick == 7) {
      event = MoneyMoved{.kind = "posted", .message = "On the books", .object_id = "jrn_1"};
    } else if (expected.state == State::kRequiresReview) {
      event = Resolve{ResolveAction::kHold, "wait", expected.revision};
    } else {
      const Time late = kDeadline + std::chrono::hours(1);
      event = Barrier{.read_until = {{kChainA, late}, {kChainB, late}}};
    }
    expected = apply(event);
    ASSERT_EQ(Load("pay_a"), expected) << "step " << step;
  }
  EXPECT_GT(expected.revision, 40);
  ExpectInvariants();
}

}  // namespace
}  // namespace paymesh::checkout
