// Both followers at once over the same payments, on a real database, from streams that break: the
// books end as the last facts say, and no invariant is broken.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/thread_pool.hpp>
#include <random>
#include <thread>

#include "common/evm/create2.h"
#include "common/evm/keccak.h"
#include "common/outbox/follower/follower.h"
#include "common/pg/testing/test_database.h"
#include "migrations/settlement.h"
#include "paymesh/checkout/v1/event_service.pb.h"
#include "services/settlement/store/invariants.h"
#include "services/settlement/workers/posting_applier.h"

namespace paymesh::settlement {
namespace {

namespace checkout_pb = paymesh::checkout::v1;
namespace watcher_pb = paymesh::watcher::v1;
using namespace std::chrono_literals;

const std::string kChain = "eip155:31337";
const std::string kUnit = "caip19/eip155:31337/erc20:0x1111111111111111111111111111111111111111";
const std::string kVault = "0x00000000000000000000000000000000000000aa";
const std::string kFactory = "0x00000000000000000000000000000000000000fa";
const std::string kInitCode = "0x" + std::string(64, '7');

// A peer's journal that is all there, and a stream over it that breaks after every ninth entry.
class PeerJournal {
 public:
  void Add(std::string payload) {
    outbox::Entry entry;
    entry.position = static_cast<std::int64_t>(entries_.size()) + 1;
    entry.payload = std::move(payload);
    entries_.push_back(std::move(entry));
  }
  const std::vector<outbox::Entry>& entries() const { return entries_; }

 private:
  std::vector<outbox::Entry> entries_;
};

class BreakingSource final : public outbox::Source {
 public:
  BreakingSource(const PeerJournal& journal, std::int64_t after)
      : journal_(journal), next_(static_cast<std::size_t>(after)) {}
  Task<Result<std::optional<outbox::Entry>>> Read() override {
    if (++read_ > 9) co_return Error::Unavailable("BROKEN", "the stream broke");
    if (next_ >= journal_.entries().size()) co_return std::optional<outbox::Entry>();
    co_return std::optional<outbox::Entry>(journal_.entries()[next_++]);
  }
  void Cancel() override {}

 private:
  const PeerJournal& journal_;
  std::size_t next_;
  int read_ = 0;
};

Task<Result<std::unique_ptr<outbox::Source>>> Open(const PeerJournal& journal, std::int64_t after) {
  co_return std::unique_ptr<outbox::Source>(std::make_unique<BreakingSource>(journal, after));
}

// The life of one payment: paid, perhaps reorganised out and back, decided, final, perhaps swept.
class Story {
 public:
  Story(int number, std::uint64_t seed) : random_(seed) {
    payment_.set_payment_id("pay_" + std::to_string(number));
    payment_.set_merchant_id("mer_" + std::to_string(number % 3));
    payment_.set_factory_address(kFactory);
    payment_.set_factory_init_code_hash(kInitCode);
    payment_.set_deposit_address(evm::Create2Address(*evm::Address::Parse(kFactory),
                                                     evm::Keccak256(payment_.payment_id()),
                                                     *evm::Hash32::Parse(kInitCode))
                                     .ToHex());
    payment_.set_confirmation_policy(type::v1::FINALITY_SAFE);
    payment_.mutable_fee_plan()->set_basis_points(100);
    transfer_.set_transfer_id("trf_" + std::to_string(number));
    transfer_.set_transaction_hash("0x" + transfer_.transfer_id());
    transfer_.set_chain(kChain);
    transfer_.mutable_amount()->set_unit(kUnit);
    transfer_.mutable_amount()->set_value("1000");
    transfer_.set_from_address("0x00000000000000000000000000000000000000ee");
    transfer_.set_to_address(payment_.deposit_address());
    transfer_.mutable_block()->set_number(10);
    transfer_.mutable_block()->set_hash("0xb10");
  }

  void Tell(PeerJournal& transfers, PeerJournal& payments) {
    Payment(payments);
    Transfer(transfers, watcher_pb::TRANSFER_STATE_INCLUDED);
    Transfer(transfers, watcher_pb::TRANSFER_STATE_SAFE);
    Decide(payments);
    for (std::uint64_t i = random_() % 3; i > 0; --i) {
      Transfer(transfers, watcher_pb::TRANSFER_STATE_ORPHANED);
      payment_.clear_transfers();
      Payment(payments);
      transfer_.mutable_block()->set_hash("0xb" + std::to_string(11 + random_() % 9));
      Transfer(transfers, watcher_pb::TRANSFER_STATE_INCLUDED);
      Transfer(transfers, watcher_pb::TRANSFER_STATE_SAFE);
      Decide(payments);
    }
    Transfer(transfers, watcher_pb::TRANSFER_STATE_FINALIZED);
    if (random_() % 2 == 0) Sweep(transfers);
  }
  bool swept() const { return swept_; }

 private:
  void Payment(PeerJournal& payments) {
    payment_.set_revision(payment_.revision() + 1);
    checkout_pb::Event event;
    *event.mutable_payment() = payment_;
    payments.Add(event.SerializeAsString());
  }
  void Transfer(PeerJournal& transfers, watcher_pb::TransferState state) {
    transfer_.set_state(state);
    transfer_.set_revision(transfer_.revision() + 1);
    watcher_pb::TransferEvent event;
    *event.mutable_transfer() = transfer_;
    transfers.Add(event.SerializeAsString());
  }
  void Decide(PeerJournal& payments) {
    payment_.clear_transfers();
    checkout_pb::PaymentTransfer& entry = *payment_.add_transfers();
    entry.set_transfer_id(transfer_.transfer_id());
    *entry.mutable_block() = transfer_.block();
    entry.set_disposition(checkout_pb::TRANSFER_DISPOSITION_MATCHED);
    entry.set_decided(true);
    *entry.mutable_accepted() = transfer_.amount();
    entry.mutable_accepted()->set_value("900");
    *entry.mutable_refundable() = transfer_.amount();
    entry.mutable_refundable()->set_value("100");
    payment_.set_state(checkout_pb::PAYMENT_STATE_SUCCEEDED);
    Payment(payments);
  }
  void Sweep(PeerJournal& transfers) {
    swept_ = true;
    watcher_pb::Transfer sweep = transfer_;
    sweep.set_transfer_id("trf_sweep_" + payment_.payment_id());
    sweep.set_transaction_hash("0xsweep" + payment_.payment_id());
    sweep.set_from_address(payment_.deposit_address());
    sweep.set_to_address(kVault);
    sweep.set_revision(1);
    sweep.set_state(watcher_pb::TRANSFER_STATE_INCLUDED);
    watcher_pb::TransferEvent event;
    *event.mutable_transfer() = sweep;
    transfers.Add(event.SerializeAsString());
  }

  std::mt19937_64 random_;
  checkout_pb::Payment payment_;
  watcher_pb::Transfer transfer_;
  bool swept_ = false;
};

TEST(Followers, KeepTheBooksOfManyPaymentsAtOnce) {
  pg::TestDatabase database(SettlementMigrations());
  PeerJournal transfers, payments;
  constexpr int kPayments = 40;
  int swept = 0;
  for (int i = 0; i < kPayments; ++i) {
    Story story(i, static_cast<std::uint64_t>(i) + 1);
    story.Tell(transfers, payments);
    swept += story.swept() ? 1 : 0;
  }
  PostingObserver observer;
  const PostingApplier applier({{{kChain, kVault}}, {{kFactory, kInitCode}}}, observer);
  outbox::FollowerOptions options{
      .name = "transfers", .max_batch = 7, .min_backoff = 1ms, .max_backoff = 5ms};
  outbox::Follower first(
      database.database(), options, [&](std::int64_t after) { return Open(transfers, after); },
      [&](pg::Transaction& tx, const std::vector<outbox::Entry>& entries) {
        return applier.ApplyTransfers(tx, entries);
      });
  options.name = "payments";
  outbox::Follower second(
      database.database(), options, [&](std::int64_t after) { return Open(payments, after); },
      [&](pg::Transaction& tx, const std::vector<outbox::Entry>& entries) {
        return applier.ApplyPayments(tx, entries);
      });
  boost::asio::thread_pool pool(2);
  boost::asio::co_spawn(pool, first.Run(), boost::asio::detached);
  boost::asio::co_spawn(pool, second.Run(), boost::asio::detached);
  const std::string done =
      std::to_string(transfers.entries().size()) + "," + std::to_string(payments.entries().size());
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (database.Query("SELECT string_agg(position::text, ',' ORDER BY follower DESC)"
                        " FROM journal_cursor") != done) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "followers did not get there";
    std::this_thread::sleep_for(10ms);
  }
  pool.stop();
  pool.join();

  const auto balance = [&](int code) {
    return database.Query(
        "SELECT coalesce(abs(sum(credits - debits)), 0)::text FROM ledger_account"
        " WHERE code = " +
        std::to_string(code));
  };
  EXPECT_EQ(balance(2110), std::to_string(891 * kPayments));
  EXPECT_EQ(balance(4100), std::to_string(9 * kPayments));
  EXPECT_EQ(balance(2200), std::to_string(100 * kPayments));
  EXPECT_EQ(balance(2050), "0");
  EXPECT_EQ(balance(2300), "0");
  EXPECT_EQ(balance(1300), "0");
  EXPECT_EQ(balance(1120), std::to_string(1000 * swept));
  EXPECT_EQ(balance(1100), std::to_string(1000 * (kPayments - swept)));
  const auto counts = database.database().TransactBlocking({}, [](pg::Transaction& tx) {
    return Result<std::vector<InvariantCount>>(CheckInvariants(tx));
  });
  ASSERT_TRUE(counts.ok());
  for (const InvariantCount& one : *counts) EXPECT_EQ(one.violations, 0) << one.id;
  database.database().Close();
}

TEST(Followers, SeeAnInvariantThatIsBroken) {
  pg::TestDatabase database(SettlementMigrations());
  database.Exec(
      "INSERT INTO transfer_evidence VALUES ('trf_1', 1, 'FINALIZED', 'c', '0x1', 0, 'u', 5, 'a',"
      " 'b', 1, '0xb', now());"
      "INSERT INTO payment_money VALUES ('pay_1', 'mer_1', 'u', 5, now());");
  const auto counts = database.database().TransactBlocking({}, [](pg::Transaction& tx) {
    return Result<std::vector<InvariantCount>>(CheckInvariants(tx));
  });
  std::set<std::string> broken;
  for (const InvariantCount& one : *counts) {
    if (one.violations > 0) broken.insert(one.id);
  }
  EXPECT_EQ(broken, (std::set<std::string>{"I9", "evidence_posted", "payment_net"}));
}

}  // namespace
}  // namespace paymesh::settlement
