// The watcher's follower against a real node and a real database: whatever the node does above
// finality, what is recorded is what a fresh scan finds, through crashes and a change of leader.
#include "migrations/watcher.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <thread>

#include "common/evm/event.h"
#include "common/evm/keccak.h"
#include "common/journal/append.h"
#include "common/pg/test_database.h"
#include "services/watcher/convert.h"
#include "services/watcher/store/address_store.h"
#include "services/watcher/store/chain_store.h"
#include "services/watcher/store/invariants.h"
#include "services/watcher/store/transaction_store.h"
#include "services/watcher/testing/anvil.h"
#include "services/watcher/testing/replica.h"
#include "services/watcher/testing/tag_node.h"

namespace paymesh::watcher {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{20'000};

evm::Address AddressNamed(const std::string& name) {
  return *evm::Address::FromBytes(evm::Keccak256(name).view().subspan(12));
}

class WatcherTest : public ::testing::Test {
 protected:
  WatcherTest()
      : anvil_({"--slots-in-an-epoch", "4"}),
        db_(WatcherMigrations()),
        token_(anvil_.DeployToken()) {}

  FollowerOptions Options() {
    FollowerOptions options{.chain = {.chain = *ChainId::FromNumber(anvil_.chain_id())}};
    options.chain.name = "anvil";
    options.chain.block_time = milliseconds(1'000);
    options.chain.safe_min_depth = 2;
    options.chain.finalized_min_depth = 8;
    options.chain.endpoints = {anvil_.url()};
    runtime::TokenConfig token{
        .asset = *AssetId::Create(*ChainId::FromNumber(anvil_.chain_id()), token_.ToHex())};
    options.chain.tokens.push_back(token);
    options.poll_interval = milliseconds(20);
    options.unreachable_after = milliseconds(100);
    options.sweep_interval = milliseconds(50);
    options.max_step_blocks = 16;
    return options;
  }

  std::unique_ptr<Replica> Start(const std::string& holder = "one") {
    return std::make_unique<Replica>(db_.conninfo(), Options(), holder);
  }
  std::unique_ptr<Replica> StartWith(std::vector<std::string> endpoints) {
    FollowerOptions options = Options();
    options.chain.endpoints = std::move(endpoints);
    return std::make_unique<Replica>(db_.conninfo(), options, "one");
  }
  std::string Levels() {
    return db_.Query("SELECT safe_number || ' ' || finalized_number FROM chain");
  }

  void Watch(const std::vector<evm::Address>& addresses) {
    std::vector<AddressToWatch> asked;
    for (const evm::Address& address : addresses) asked.push_back({address});
    auto insert = [&](pg::Transaction& tx) -> Status {
      InsertAddresses(tx, asked);
      return {};
    };
    ASSERT_TRUE(db_.database().TransactBlocking({}, insert).ok());
  }

  static bool Eventually(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < end) {
      if (holds()) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  }

  // Everything that the node has is stored.
  void CatchUp() {
    const auto latest = anvil_.Rpc("eth_getBlockByNumber", R"(["latest",false])");
    const std::string hash(latest.at("hash").as_string());
    EXPECT_TRUE(Eventually([&] {
      return db_.Query("SELECT '0x' || encode(head_hash, 'hex') FROM chain") == hash;
    })) << "stands at "
        << db_.Query("SELECT head_number || ' ' || state || ' ' || status_reason FROM chain");
  }

  evm::SignedTransaction Pay(const evm::Address& to, std::uint64_t amount) {
    const evm::SignedTransaction mint = anvil_.SignMint(token_, to, amount, anvil_.NextNonce());
    anvil_.Send(mint);
    anvil_.Mine();
    return mint;
  }

  std::string State(const std::string& where = "true") {
    return db_.Query(
        "SELECT string_agg(state || ' ' || amount, ', ' ORDER BY amount, sequence) "
        "FROM transfer WHERE " +
        where);
  }

  // The recorded live transfers are those that a scan of the node's chain finds.
  void ExpectEqualsScan(const std::vector<evm::Address>& watched) {
    std::map<std::string, std::string> scanned;
    const auto logs = anvil_.Rpc(
        "eth_getLogs", R"([{"fromBlock":"0x0","toBlock":"latest","address":")" + token_.ToHex() +
                           R"(","topics":[")" + evm::kTransferTopic.ToHex() + R"("]}])");
    for (const auto& log : logs.as_array()) {
      const std::string to(log.at("topics").at(2).as_string());
      bool ours = false;
      for (const evm::Address& address : watched) ours = ours || address.ToWord().ToHex() == to;
      const U256 amount = *U256::FromHex(std::string(log.at("data").as_string()));
      if (!ours || amount.IsZero()) continue;
      scanned[std::string(log.at("transactionHash").as_string())] =
          std::string(log.at("blockHash").as_string()) + " " + amount.ToString();
    }
    std::map<std::string, std::string> recorded;
    auto read = [&](pg::Transaction& tx) -> Status {
      for (const pg::Row row : tx.Execute("SELECT * FROM transfer WHERE state <> 'ORPHANED'")) {
        recorded[HashOf(row.Get<pg::Bytea>("transaction_hash")).ToHex()] =
            HashOf(row.Get<pg::Bytea>("block_hash")).ToHex() + " " +
            row.Get<U256>("amount").ToString();
      }
      return {};
    };
    ASSERT_TRUE(db_.database().TransactBlocking({}, read).ok());
    EXPECT_EQ(recorded, scanned);
    ExpectInvariants();
  }

  void ExpectInvariants() {
    auto count = [](pg::Transaction& tx) -> Result<std::vector<InvariantCount>> {
      return CountViolations(tx);
    };
    const auto counts = db_.database().TransactBlocking({}, count);
    ASSERT_TRUE(counts.ok());
    for (const InvariantCount& counted : *counts) EXPECT_EQ(counted.violations, 0) << counted.id;
  }

  std::vector<pb::TransferEvent> Journal() {
    std::vector<pb::TransferEvent> events;
    auto read = [&](pg::Transaction& tx) -> Status {
      events.clear();
      std::int64_t after = 0;
      for (;;) {
        ASSIGN_OR_RETURN(const journal::Page page, journal::ReadPage(tx, "transfers", after, 500));
        if (page.entries.empty()) return {};
        for (const auto& entry : page.entries)
          events.emplace_back().ParseFromString(entry->payload);
        after = page.scanned;
      }
    };
    EXPECT_TRUE(db_.database().TransactBlocking({}, read).ok());
    return events;
  }

  // What a reader of the journal believes at its end equals the rows; each revision follows the
  // last.
  void ExpectJournalTellsTheRows() {
    std::map<std::string, pb::Transfer> believed;
    for (const pb::TransferEvent& event : Journal()) {
      if (!event.has_transfer()) continue;
      const pb::Transfer& transfer = event.transfer();
      const auto before = believed.find(transfer.transfer_id());
      EXPECT_EQ(transfer.revision(), before == believed.end() ? 1 : before->second.revision() + 1);
      believed[transfer.transfer_id()] = transfer;
    }
    EXPECT_EQ(std::to_string(believed.size()), db_.Query("SELECT count(*) FROM transfer"));
    for (const auto& [id, transfer] : believed) {
      EXPECT_EQ("TRANSFER_STATE_" +
                    db_.Query("SELECT state FROM transfer WHERE transfer_id = '" + id + "'"),
                pb::TransferState_Name(transfer.state()));
    }
  }

  Anvil anvil_;
  pg::TestDatabase db_;
  evm::Address token_;
};

TEST_F(WatcherTest, RecordsATransferAndFollowsItToFinality) {
  const evm::Address alice = AddressNamed("alice");
  Watch({alice});
  auto replica = Start();
  Pay(alice, 12'500'000);
  Pay(AddressNamed("nobody"), 7);
  CatchUp();
  EXPECT_EQ(State(), "INCLUDED 12500000");
  anvil_.Mine(3);
  CatchUp();
  anvil_.Mine(9);
  CatchUp();
  EXPECT_EQ(State(), "FINALIZED 12500000");
  ExpectEqualsScan({alice});
  ExpectJournalTellsTheRows();
  // All transfers of a block stand before its checkpoint.
  std::uint64_t checked = 0;
  for (const pb::TransferEvent& event : Journal()) {
    if (event.has_checkpoint()) checked = event.checkpoint().block().number();
    if (event.has_transfer() && event.transfer().revision() == 1) {
      EXPECT_GT(event.transfer().block().number(), checked);
    }
  }
  EXPECT_EQ(checked, anvil_.Height());
}

TEST_F(WatcherTest, SaysWithATransferForWhoseCallItsAddressIsWatched) {
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const evm::Address alice = AddressNamed("alice"), bob = AddressNamed("bob");
  auto insert = [&](pg::Transaction& tx) -> Status {
    InsertAddresses(tx, {{alice, trace}, {bob}});
    InsertAddresses(tx, {{alice, "another"}});  // whoever came first
    return {};
  };
  ASSERT_TRUE(db_.database().TransactBlocking({}, insert).ok());
  auto replica = Start();
  Pay(alice, 5);
  Pay(bob, 6);
  anvil_.Mine(12);
  CatchUp();
  EXPECT_EQ(State(), "FINALIZED 5, FINALIZED 6");
  const std::string transfers =
      " FROM journal_entry e JOIN transfer t ON e.subject = t.transfer_id";
  EXPECT_EQ(db_.Query("SELECT string_agg(DISTINCT trace, ' ')" + transfers + " WHERE amount = 5"),
            trace);
  EXPECT_EQ(db_.Query("SELECT string_agg(DISTINCT trace, ' ')" + transfers + " WHERE amount = 6"),
            "");
  EXPECT_EQ(db_.Query("SELECT count(DISTINCT kind)" + transfers +
                      " WHERE kind NOT IN ('transfer.included', 'transfer.safe',"
                      " 'transfer.finalized')"),
            "0");
}

TEST_F(WatcherTest, CountsTheOrdinalWithinTheTransactionNotTheBlock) {
  const evm::Address alice = AddressNamed("alice");
  Watch({alice});
  auto replica = Start();
  for (std::uint64_t amount = 1; amount <= 12; ++amount) {
    anvil_.Send(anvil_.SignMint(token_, alice, amount, anvil_.NextNonce()));
  }
  anvil_.Mine();
  CatchUp();
  EXPECT_EQ(
      db_.Query("SELECT count(*) || ' ' || max(ordinal) || ' ' || max(log_index) FROM transfer"),
      "12 0 11");
  ExpectEqualsScan({alice});
}

TEST_F(WatcherTest, RecordsNoTransferOfNothing) {
  const evm::Address alice = AddressNamed("alice");
  Watch({alice});
  auto replica = Start();
  Pay(alice, 0);
  Pay(alice, 7);
  anvil_.Send(anvil_.SignMint(token_, alice, 0, anvil_.NextNonce()));
  anvil_.Send(anvil_.SignMint(token_, alice, 8, anvil_.NextNonce()));
  anvil_.Mine(14);
  CatchUp();
  EXPECT_EQ(State(), "FINALIZED 7, FINALIZED 8");
  EXPECT_EQ(replica->Metrics().find("watcher_missed_log_total{chain=\"eip155:31337\"} 1"),
            std::string::npos);
  ExpectEqualsScan({alice});
  ExpectJournalTellsTheRows();
}

TEST_F(WatcherTest, FinishesATransferOfNothingThatAnEarlierVersionRecorded) {
  const evm::Address alice = AddressNamed("alice");
  Watch({alice});
  auto replica = Start();
  const auto nothing = Pay(alice, 0);
  CatchUp();
  db_.Exec(
      "INSERT INTO transfer (transfer_id, chain, transaction_hash, ordinal, variant, log_index,"
      " token, from_address, to_address, amount, block_number, block_hash, block_time, state,"
      " revision, reorg_count) SELECT 'trf_old', chain, decode('" +
      nothing.hash.ToHex().substr(2) + "', 'hex'), 0, 0, 0, decode('" + token_.ToHex().substr(2) +
      "', 'hex'), decode('" + alice.ToHex().substr(2) + "', 'hex'), decode('" +
      alice.ToHex().substr(2) +
      "', 'hex'), 0, number, hash, block_time, 'INCLUDED', 1, 0 FROM block"
      " ORDER BY number DESC LIMIT 1");
  anvil_.Mine(14);
  CatchUp();
  EXPECT_EQ(State(), "FINALIZED 0");
  EXPECT_EQ(db_.Query("SELECT state FROM chain"), "FOLLOWING");
}

class Reorganisation : public WatcherTest, public ::testing::WithParamInterface<int> {};

TEST_P(Reorganisation, RemovesMovesAndReplacesTransfers) {
  const int depth = GetParam();
  const evm::Address alice = AddressNamed("alice"), bob = AddressNamed("bob");
  Watch({alice, bob});
  auto replica = Start();
  anvil_.Mine(10);
  CatchUp();
  // One transfer that vanishes, one that comes back elsewhere, one that another one replaces.
  const std::uint64_t moved_nonce = anvil_.NextNonce();
  const std::uint64_t other_nonce = anvil_.NextNonce();
  const std::uint64_t gone_nonce = anvil_.NextNonce();
  const auto moved = anvil_.SignMint(token_, alice, 100, moved_nonce);
  const auto replaced = anvil_.SignMint(token_, alice, 200, other_nonce);
  const auto replacing = anvil_.SignMint(token_, bob, 300, other_nonce);
  const auto gone = anvil_.SignMint(token_, alice, 400, gone_nonce);
  anvil_.Send(moved);
  anvil_.Send(replaced);
  anvil_.Send(gone);
  anvil_.Mine(depth);
  CatchUp();
  EXPECT_EQ(db_.Query("SELECT count(*) FROM transfer WHERE state <> 'ORPHANED'"), "3");
  anvil_.Reorg(depth, {{moved, depth - 1}, {replacing, depth - 1}});
  anvil_.Mine();
  CatchUp();
  EXPECT_EQ(State("state = 'ORPHANED'"), "ORPHANED 200, ORPHANED 400");
  EXPECT_EQ(db_.Query("SELECT string_agg(amount::text, ' ' ORDER BY amount) FROM transfer "
                      "WHERE state <> 'ORPHANED'"),
            "100 300");
  EXPECT_EQ(db_.Query("SELECT reorg_count FROM transfer WHERE amount = 100"), "1");
  EXPECT_EQ(db_.Query("SELECT depth FROM reorg"), std::to_string(depth));
  anvil_.Mine(12);
  CatchUp();
  EXPECT_EQ(State("amount IN (100, 300)"), "FINALIZED 100, FINALIZED 300");
  ExpectEqualsScan({alice, bob});
  ExpectJournalTellsTheRows();
}

INSTANTIATE_TEST_SUITE_P(OfDepth, Reorganisation, ::testing::Range(1, 7));

TEST_F(WatcherTest, FollowsAReorganisationThatHappenedWhileItWasDown) {
  const evm::Address alice = AddressNamed("alice");
  Watch({alice});
  auto replica = Start();
  anvil_.Mine(4);
  Pay(alice, 1);
  Pay(alice, 2);
  CatchUp();
  replica.reset();
  anvil_.Reorg(3);
  Pay(AddressNamed("nobody"), 3);
  anvil_.Reorg(1);
  anvil_.Mine(2);
  replica = Start("two");
  CatchUp();
  EXPECT_EQ(State(), "ORPHANED 1, ORPHANED 2");
  ExpectEqualsScan({alice});
}

TEST_F(WatcherTest, HaltsOnAReorganisationBelowFinalityAndKeepsItsData) {
  const evm::Address alice = AddressNamed("alice");
  Watch({alice});
  auto replica = Start();
  Pay(alice, 5);
  anvil_.Mine(20);
  CatchUp();
  EXPECT_EQ(State(), "FINALIZED 5");
  const std::string head = db_.Query("SELECT head_number FROM chain");
  anvil_.Reorg(15);
  anvil_.Mine(2);
  ASSERT_TRUE(Eventually([&] { return db_.Query("SELECT state FROM chain") == "HALTED"; }));
  EXPECT_NE(replica->Metrics().find("watcher_chain_halted{chain=\"eip155:31337\"} 1"),
            std::string::npos);
  EXPECT_EQ(State(), "FINALIZED 5");
  EXPECT_EQ(db_.Query("SELECT head_number FROM chain"), head);
  const auto journal = Journal();
  EXPECT_TRUE(journal.back().chain_halt().halted());
  // An operator's word alone does not make a contradiction go away.
  auto resume = [](pg::Transaction& tx) -> Status {
    EXPECT_TRUE(StoreResume(tx, "eip155:31337", "tried"));
    return {};
  };
  ASSERT_TRUE(db_.database().TransactBlocking({}, resume).ok());
  EXPECT_TRUE(Eventually([&] { return db_.Query("SELECT state FROM chain") == "HALTED"; }));
  ExpectInvariants();
}

class TagTrouble : public WatcherTest, public ::testing::WithParamInterface<TagMode> {};

TEST_P(TagTrouble, MakesNothingFinalThatTheNodeDidNotCallFinal) {
  TagNode node(anvil_.url());
  auto replica = StartWith({node.url()});
  anvil_.Mine(20);
  CatchUp();
  const std::string levels = Levels();
  EXPECT_EQ(levels, "17 13") << "the node's tags and the depths";
  node.Set(GetParam());
  anvil_.Mine(60);  // far more than any depth times the factor
  CatchUp();
  EXPECT_EQ(Levels(), levels);
  EXPECT_NE(replica->Metrics().find("watcher_finality_tag_missing{chain=\"eip155:31337\"} 1"),
            std::string::npos);
  // What the last run knew of the node is known to the next.
  replica.reset();
  replica = StartWith({node.url()});
  anvil_.Mine(20);
  CatchUp();
  EXPECT_EQ(Levels(), levels);
  node.Set(TagMode::kHonest);
  anvil_.Mine();
  CatchUp();
  EXPECT_NE(Levels(), levels);
  EXPECT_NE(replica->Metrics().find("watcher_finality_tag_missing{chain=\"eip155:31337\"} 0"),
            std::string::npos);
  ExpectInvariants();
}

INSTANTIATE_TEST_SUITE_P(WithTags, TagTrouble,
                         ::testing::Values(TagMode::kThrottled, TagMode::kFailing, TagMode::kNull,
                                           TagMode::kMalformed, TagMode::kUnsupported));

TEST_F(WatcherTest, AsksTheNextNodeForTagsThatOneDoesNotAnswer) {
  TagNode broken(anvil_.url());
  broken.Set(TagMode::kFailing);
  auto replica = StartWith({broken.url(), anvil_.url()});
  anvil_.Mine(20);
  CatchUp();
  EXPECT_EQ(Levels(), "17 13");
  EXPECT_GT(broken.asked(), 0);
}

TEST_F(WatcherTest, GoesByDepthOnAChainWhoseNodesHaveNoTags) {
  TagNode node(anvil_.url());
  node.Set(TagMode::kUnsupported);
  auto replica = StartWith({node.url()});
  anvil_.Mine(40);
  CatchUp();
  const std::uint64_t head = anvil_.Height();
  EXPECT_EQ(Levels(), std::to_string(head - 2 * 4) + " " + std::to_string(head - 8 * 4));
  EXPECT_NE(replica->Metrics().find("watcher_finality_tag_missing{chain=\"eip155:31337\"} 1"),
            std::string::npos);
}

TEST_F(WatcherTest, SaysSoWhenItsNodeIsAway) {
  auto replica = Start();
  anvil_.Mine(5);
  CatchUp();
  anvil_.Stop();
  EXPECT_TRUE(Eventually([&] { return db_.Query("SELECT state FROM chain") == "UNREACHABLE"; }));
  EXPECT_NE(db_.Query("SELECT status_reason FROM chain"), "");
}

TEST_F(WatcherTest, OutlastsANodeThatHangs) {
  const evm::Address alice = AddressNamed("alice");
  Watch({alice});
  auto replica = Start();
  anvil_.Mine(2);
  CatchUp();
  anvil_.Pause();
  EXPECT_TRUE(Eventually([&] { return db_.Query("SELECT state FROM chain") == "UNREACHABLE"; }));
  anvil_.Continue();
  Pay(alice, 9);
  CatchUp();
  EXPECT_EQ(State(), "INCLUDED 9");
  EXPECT_TRUE(Eventually([&] { return db_.Query("SELECT state FROM chain") == "FOLLOWING"; }));
}

TEST_F(WatcherTest, FindsTheTransferOfAnAddressThatWasRegisteredLate) {
  const evm::Address alice = AddressNamed("alice");
  auto replica = Start();
  Pay(alice, 11);
  anvil_.Mine(2);
  CatchUp();
  EXPECT_EQ(State(), "");
  Watch({alice});
  EXPECT_TRUE(Eventually([&] { return State() == "SAFE 11" || State() == "INCLUDED 11"; }))
      << State();
  ExpectEqualsScan({alice});
}

TEST_F(WatcherTest, LosesNothingWhenKilledAtRandomMoments) {
  const evm::Address alice = AddressNamed("alice");
  Watch({alice});
  std::unique_ptr<Replica> replica = Start("0");
  for (int round = 1; round <= 8; ++round) {
    anvil_.Send(
        anvil_.SignMint(token_, alice, static_cast<std::uint64_t>(round), anvil_.NextNonce()));
    anvil_.Mine(1 + round % 3);
    std::this_thread::sleep_for(milliseconds(7 * round));
    replica.reset();
    if (round % 3 == 0) {
      anvil_.Reorg(2);
      anvil_.Mine();
      // What the reorganisation dropped does not come back; the sender's next slot is what it is
      // now.
      const auto nonce = anvil_.Rpc("eth_getTransactionCount",
                                    R"(["0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266","latest"])");
      const auto at = std::stoull(std::string(nonce.as_string()), nullptr, 16);
      anvil_.SetNonce(at);
    }
    replica = Start(std::to_string(round));
  }
  anvil_.Mine(12);
  CatchUp();
  ExpectEqualsScan({alice});
  ExpectJournalTellsTheRows();
}

TEST_F(WatcherTest, HandsAChainToAnotherReplicaWhenItsLeaderDies) {
  const evm::Address alice = AddressNamed("alice");
  Watch({alice});
  auto one = Start("one");
  ASSERT_TRUE(Eventually([&] { return one->leads(); }));
  auto two = Start("two");
  Pay(alice, 1);
  CatchUp();
  EXPECT_FALSE(two->leads());
  one.reset();
  Pay(alice, 2);
  CatchUp();
  EXPECT_TRUE(two->leads());
  EXPECT_EQ(db_.Query("SELECT count(*) FROM transfer WHERE state <> 'ORPHANED'"), "2");
  ExpectEqualsScan({alice});
  ExpectJournalTellsTheRows();
}

TEST_F(WatcherTest, FollowsItsOwnTransactionsThroughAReorganisation) {
  auto replica = Start();
  anvil_.Mine(3);
  CatchUp();
  const auto payout = anvil_.SignMint(token_, AddressNamed("payee"), 3, anvil_.NextNonce());
  auto track = [&](pg::Transaction& tx) -> Status {
    InsertTracked(tx, "eip155:31337", payout);
    return {};
  };
  ASSERT_TRUE(db_.database().TransactBlocking({}, track).ok());
  const auto state = [&] { return db_.Query("SELECT state FROM tracked_transaction"); };
  EXPECT_EQ(state(), "PENDING");
  anvil_.Send(payout);
  anvil_.Mine();
  CatchUp();
  EXPECT_EQ(state(), "INCLUDED");
  anvil_.Reorg(1);
  anvil_.Mine();
  CatchUp();
  EXPECT_EQ(state(), "ORPHANED");
  anvil_.Send(payout);
  anvil_.Mine();
  CatchUp();
  EXPECT_EQ(state(), "INCLUDED");
  anvil_.Mine(14);
  CatchUp();
  EXPECT_EQ(state(), "FINALIZED");
  EXPECT_EQ(db_.Query("SELECT revision FROM tracked_transaction"), "6");
}

TEST_F(WatcherTest, FindsATransactionBehindAnyNumberOfReplacedOnes) {
  // Each attempt pays another amount, so that all are different transactions of one slot.
  const std::uint64_t nonce = anvil_.NextNonce();
  std::vector<evm::SignedTransaction> attempts;
  for (std::uint64_t amount = 1; amount <= 450; ++amount) {
    attempts.push_back(anvil_.SignMint(token_, AddressNamed("payee"), amount, nonce));
  }
  auto replica = Start();
  auto track = [&](pg::Transaction& tx) -> Status {
    for (const auto& attempt : attempts) InsertTracked(tx, "eip155:31337", attempt);
    return {};
  };
  ASSERT_TRUE(db_.database().TransactBlocking({}, track).ok());
  anvil_.Send(attempts[17]);
  anvil_.Mine(14);
  CatchUp();
  EXPECT_EQ(db_.Query("SELECT state FROM tracked_transaction WHERE replaced IS FALSE"),
            "FINALIZED");
  EXPECT_EQ(db_.Query("SELECT count(*) FROM tracked_transaction WHERE replaced"), "449");
  auto open = [](pg::Transaction& tx) -> Result<std::size_t> {
    return OpenTracked(tx, "eip155:31337", {}, 1'000).size() +
           UnfinalTracked(tx, "eip155:31337", 1'000).size();
  };
  EXPECT_EQ(db_.database().TransactBlocking({}, open).value(), 0U);
}

TEST_F(WatcherTest, GoesRoundAllOpenTransactionsHoweverManyThereAre) {
  const auto early = Pay(AddressNamed("payee"), 3);
  anvil_.Mine(12);
  auto replica = Start();
  CatchUp();
  // Nothing new: these wait for slots that are far away.
  auto track = [&](pg::Transaction& tx) -> Status {
    for (std::uint64_t nonce = 1'000; nonce < 1'450; ++nonce) {
      InsertTracked(tx, "eip155:31337", anvil_.SignMint(token_, AddressNamed("payee"), 1, nonce));
    }
    InsertTracked(tx, "eip155:31337", early);
    return {};
  };
  ASSERT_TRUE(db_.database().TransactBlocking({}, track).ok());
  EXPECT_TRUE(Eventually([&] {
    return db_.Query("SELECT count(*) FROM tracked_transaction WHERE state = 'FINALIZED'") == "1";
  }));
}

TEST_F(WatcherTest, FindsATransactionThatWasMinedBeforeItWasStored) {
  const auto early = Pay(AddressNamed("payee"), 3);
  anvil_.Mine(12);
  auto replica = Start();
  CatchUp();
  auto track = [&](pg::Transaction& tx) -> Status {
    InsertTracked(tx, "eip155:31337", early);
    return {};
  };
  ASSERT_TRUE(db_.database().TransactBlocking({}, track).ok());
  EXPECT_TRUE(Eventually(
      [&] { return db_.Query("SELECT state FROM tracked_transaction") == "FINALIZED"; }));
}

// Anybody can put such a log beside a payment of one unit: it costs some 11 million gas.
TEST_F(WatcherTest, RecordsAPaymentBesideALogOfMoreThanAMebibyte) {
  const evm::Address alice = AddressNamed("alice");
  Watch({alice});
  auto replica = Start();
  anvil_.Send(anvil_.SignMintAnd("621000015fa0", token_, alice, 1, anvil_.NextNonce()));
  anvil_.Mine();
  Pay(alice, 5);
  anvil_.Mine(12);
  CatchUp();
  EXPECT_EQ(State(), "FINALIZED 1, FINALIZED 5");
  ExpectEqualsScan({alice});
}

TEST_F(WatcherTest, RecordsAPaymentBesideFiveThousandLogs) {
  const evm::Address alice = AddressNamed("alice");
  Watch({alice});
  auto replica = Start();
  // 5,000 times LOG0 of nothing; the loop's destination is where the token's call has ended.
  const std::string loop =
      "611388"
      "5b"
      "5f5fa0"
      "600190"
      "0380"
      "6027"
      "57";
  anvil_.Send(anvil_.SignMintAnd(loop, token_, alice, 1, anvil_.NextNonce()));
  anvil_.Mine();
  Pay(alice, 5);
  CatchUp();
  EXPECT_EQ(db_.Query("SELECT count(*) FROM transfer"), "2");
  ExpectEqualsScan({alice});
}

TEST_F(WatcherTest, ReadsABlockWhoseLogsFitIntoNoAnswerByItsReceipts) {
  const evm::Address alice = AddressNamed("alice");
  const evm::Address bob = AddressNamed("bob");
  Watch({alice});
  http::ClientOptions narrow = NodeHttpOptions();
  narrow.max_response_bytes = 32 * 1024;
  auto replica = std::make_unique<Replica>(db_.conninfo(), Options(), "one", narrow);
  for (std::uint64_t amount = 1; amount <= 90; ++amount) {
    const evm::Address& to = amount % 9 == 0 ? alice : bob;
    anvil_.Send(anvil_.SignMint(token_, to, amount, anvil_.NextNonce()));
  }
  anvil_.Mine();
  anvil_.Mine(12);
  CatchUp();
  EXPECT_EQ(db_.Query("SELECT count(*) || ' ' || min(state) FROM transfer"), "10 FINALIZED");
  ExpectEqualsScan({alice});
}

TEST_F(WatcherTest, ReadsALongPastInSteps) {
  const evm::Address alice = AddressNamed("alice");
  Watch({alice});
  for (std::uint64_t amount = 1; amount <= 30; ++amount) {
    anvil_.Send(anvil_.SignMint(token_, alice, amount, anvil_.NextNonce()));
    if (amount % 3 == 0) anvil_.Mine(7);
  }
  anvil_.Mine(20);
  auto replica = Start();
  CatchUp();
  EXPECT_EQ(db_.Query("SELECT count(*) || ' ' || min(state) || ' ' || max(state) FROM transfer"),
            "30 FINALIZED FINALIZED");
  ExpectEqualsScan({alice});
}

}  // namespace
}  // namespace paymesh::watcher
