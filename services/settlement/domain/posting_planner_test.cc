#include "services/settlement/domain/posting_planner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace paymesh::settlement {
namespace {

const std::string kChain = "eip155:31337";
const std::string kUnit = "caip19/eip155:31337/erc20:0x1111111111111111111111111111111111111111";
const std::string kOther = "caip19/eip155:31337/erc20:0x2222222222222222222222222222222222222222";
const std::string kVaultAddress = "0x00000000000000000000000000000000000000aa";
const std::string kDeposit = "0x00000000000000000000000000000000000000dd";
const std::string kPayer = "0x00000000000000000000000000000000000000ee";

// A ledger in memory that holds what the database holds: balance of each journal, no negative
// balance of a merchant at any prefix, one posting for a key, one reversal for a journal.
class Book {
 public:
  void Apply(const PostingPlan& plan) {
    for (const PlannedJournal& planned : plan.journals) Post(planned.draft);
  }
  void Post(JournalDraft draft) {
    ASSERT_TRUE(CheckBalanced(draft).ok()) << draft.rule;
    const auto key = std::make_tuple(draft.event_id, draft.rule, draft.incarnation);
    ASSERT_TRUE(keys_.insert(key).second) << draft.event_id << " " << draft.rule;
    if (draft.rule.starts_with("P13.")) {
      if (draft.reverses_journal_id.empty()) draft.reverses_journal_id = FindReversed(draft);
      auto found = std::find_if(journals_.begin(), journals_.end(), [&](const auto& one) {
        return one.journal.journal_id == draft.reverses_journal_id;
      });
      ASSERT_NE(found, journals_.end());
      ASSERT_FALSE(found->reversed);
      found->reversed = true;
    }
    for (const Leg& leg : draft.legs) {
      auto& [debits, credits] = accounts_[leg.account];
      U256& sum = leg.side == Side::kDebit ? debits : credits;
      sum = *CheckedAdd(sum, leg.amount);
    }
    for (const auto& [account, sums] : accounts_) {
      const auto code = static_cast<unsigned>(account.code);
      if (code >= 2000 && code < 3000) {
        ASSERT_GE(sums.second, sums.first) << account.ToString() << " after " << draft.rule;
      }
    }
    PostedJournal posted;
    static_cast<JournalDraft&>(posted.journal) = draft;
    posted.journal.journal_id = "jrn_" + std::to_string(journals_.size() + 1);
    journals_.push_back(posted);
  }
  std::string FindReversed(const JournalDraft& draft) {
    for (const PostedJournal& one : journals_) {
      if (!one.reversed && one.journal.event_id == draft.event_id &&
          "P13." + one.journal.rule == draft.rule && one.journal.incarnation == draft.incarnation) {
        return one.journal.journal_id;
      }
    }
    return "";
  }
  std::vector<PostedJournal> Standing() const {
    std::vector<PostedJournal> result;
    for (const PostedJournal& one : journals_) {
      if (!one.journal.rule.starts_with("P13.")) result.push_back(one);
    }
    return result;
  }
  // Positive on the normal side; asserts that it is not on the other.
  U256 Balance(const AccountKey& account) const {
    const auto found = accounts_.find(account);
    if (found == accounts_.end()) return U256();
    const auto& [debits, credits] = found->second;
    return NormalSide(account.code) == Side::kDebit ? SaturatingSub(debits, credits)
                                                    : SaturatingSub(credits, debits);
  }
  std::uint64_t At(AccountCode code, const std::string& owner = "",
                   const std::string& unit = kUnit) const {
    return *Balance({code, owner, unit}).ToUint64();
  }
  std::map<AccountKey, U256> Balances() const {
    std::map<AccountKey, U256> result;
    for (const auto& [account, sums] : accounts_) {
      if (sums.first != sums.second) result[account] = Balance(account);
    }
    return result;
  }
  std::vector<std::string> Rules() const {
    std::vector<std::string> rules;
    for (const PostedJournal& one : journals_) rules.push_back(one.journal.rule);
    return rules;
  }
  std::size_t size() const { return journals_.size(); }

 private:
  std::map<AccountKey, std::pair<U256, U256>> accounts_;
  std::set<std::tuple<std::string, std::string, int>> keys_;
  std::vector<PostedJournal> journals_;
};

// Facts as they stand, and a book that follows them.
struct Scene {
  Scene() {
    terms.payment_id = "pay_1";
    terms.merchant_id = "mer_1";
    terms.address = kDeposit;
  }
  Terms terms;
  std::vector<Evidence> transfers;
  bool attributed = true;
  Book book;
  std::set<std::string> halted;

  Evidence& Transfer(const std::string& id, std::uint64_t amount, const std::string& unit = kUnit) {
    Evidence one;
    one.transfer_id = id;
    one.revision = 1;
    one.unit = unit;
    one.amount = U256(amount);
    one.transaction_hash = "0x" + id;
    one.from_address = kPayer;
    one.to_address = kDeposit;
    one.block = {kChain, 10, "0xb10", Time()};
    transfers.push_back(one);
    return transfers.back();
  }
  void Decide(const Evidence& one, std::uint64_t accepted,
              Disposition disposition = Disposition::kMatched) {
    std::erase_if(terms.allocations,
                  [&](const Allocation& old) { return old.transfer_id == one.transfer_id; });
    terms.allocations.push_back({.transfer_id = one.transfer_id,
                                 .block_hash = one.block.hash,
                                 .disposition = disposition,
                                 .decided = true,
                                 .accepted = U256(accepted),
                                 .refundable = SaturatingSub(one.amount, U256(accepted))});
  }
  PostingPlan Step() {
    PostingCase facts;
    if (attributed) facts.terms = &terms;
    facts.transfers = transfers;
    facts.posted = book.Standing();
    PostingWorld world{{{kChain, kVaultAddress}}, halted, [this](const AccountKey& account) {
                         return book.Balance(account);
                       }};
    PostingPlan plan = Plan(facts, world);
    book.Apply(plan);
    return plan;
  }
};

using ::testing::Test;

TEST(PostingPlanner, BooksAPaymentFromItsBlockToItsNet) {
  Scene scene;
  scene.terms.fee_plan = {.basis_points = 100, .fixed = {{kUnit, U256(5)}}};
  Evidence& paid = scene.Transfer("trf_1", 1'000);
  scene.Step();
  EXPECT_EQ(scene.book.At(AccountCode::kMerchantUnconfirmed, "mer_1"), 1'000u);
  scene.Decide(paid, 1'000);
  scene.Step();
  EXPECT_EQ(scene.book.At(AccountCode::kMerchantPending, "mer_1"), 0u)
      << "own evidence is not SAFE";
  paid.state = EvidenceState::kSafe;
  scene.Step();
  EXPECT_EQ(scene.book.At(AccountCode::kMerchantPending, "mer_1"), 985u);
  EXPECT_EQ(scene.book.At(AccountCode::kProcessingFee), 15u);
  paid.state = EvidenceState::kFinalized;
  const PostingPlan plan = scene.Step();
  EXPECT_EQ(scene.book.At(AccountCode::kMerchantAvailable, "mer_1"), 985u);
  EXPECT_EQ(plan.net.at(kUnit), U256(985));
  EXPECT_EQ(scene.book.Rules(), (std::vector<std::string>{"P1", "P2", "P3", "P4"}));
  const std::size_t before = scene.book.size();
  scene.Step();
  EXPECT_EQ(scene.book.size(), before) << "planning again posts nothing";
}

TEST(PostingPlanner, OwesTheExcessBack) {
  Scene scene;
  Evidence& paid = scene.Transfer("trf_1", 1'200);
  paid.state = EvidenceState::kSafe;
  scene.Decide(paid, 1'000);
  scene.Step();
  EXPECT_EQ(scene.book.At(AccountCode::kMerchantPending, "mer_1"), 1'000u);
  EXPECT_EQ(scene.book.At(AccountCode::kPayerRefundable), 200u);
  EXPECT_EQ(scene.book.Rules(), (std::vector<std::string>{"P1", "P2", "P5"}));
}

TEST(PostingPlanner, KeepsLateMoneyForThePayerUntilAPersonAcceptsIt) {
  Scene scene;
  Evidence& paid = scene.Transfer("trf_1", 700);
  paid.state = EvidenceState::kFinalized;
  scene.Decide(paid, 0, Disposition::kLate);
  scene.Step();
  EXPECT_EQ(scene.book.At(AccountCode::kPayerRefundable), 700u);
  scene.Decide(paid, 700, Disposition::kLate);
  scene.Step();
  EXPECT_EQ(scene.book.At(AccountCode::kPayerRefundable), 0u);
  EXPECT_EQ(scene.book.At(AccountCode::kMerchantAvailable, "mer_1"), 700u);
  EXPECT_EQ(scene.book.Rules(), (std::vector<std::string>{"P1", "P7a", "P7b", "P4"}));
}

TEST(PostingPlanner, KeepsTheWrongTokenInSuspense) {
  Scene scene;
  Evidence& paid = scene.Transfer("trf_1", 70, kOther);
  scene.Decide(paid, 0, Disposition::kWrongAsset);
  scene.Step();
  EXPECT_EQ(scene.book.At(AccountCode::kSuspense, "", kOther), 70u);
  EXPECT_EQ(scene.book.Rules(), (std::vector<std::string>{"P1", "P8"}));
}

TEST(PostingPlanner, HoldsNobodysMoneyInSuspenseUntilItIsAttributed) {
  Scene scene;
  scene.attributed = false;
  Evidence& paid = scene.Transfer("trf_1", 70);
  paid.state = EvidenceState::kFinalized;
  scene.Step();
  EXPECT_EQ(scene.book.At(AccountCode::kSuspense), 70u);
  scene.attributed = true;
  scene.Decide(paid, 70);
  scene.Step();
  EXPECT_EQ(scene.book.At(AccountCode::kSuspense), 0u);
  EXPECT_EQ(scene.book.At(AccountCode::kMerchantAvailable, "mer_1"), 70u);
  EXPECT_EQ(scene.book.Rules(), (std::vector<std::string>{"P8", "P8b", "P2", "P4"}));
}

TEST(PostingPlanner, ReversesEachJournalOfAnOrphanAndBooksItAnewWhenItComesBack) {
  Scene scene;
  scene.terms.fee_plan.basis_points = 100;
  Evidence& paid = scene.Transfer("trf_1", 1'200);
  paid.state = EvidenceState::kSafe;
  scene.Decide(paid, 1'000);
  scene.Step();
  paid.state = EvidenceState::kOrphaned;
  const PostingPlan plan = scene.Step();
  EXPECT_TRUE(scene.book.Balances().empty());
  EXPECT_EQ(scene.book.Rules(), (std::vector<std::string>{"P1", "P2", "P5", "P3", "P13.P3",
                                                          "P13.P5", "P13.P2", "P13.P1"}));
  EXPECT_EQ(std::count_if(plan.journals.begin(), plan.journals.end(),
                          [](const PlannedJournal& one) {
                            return one.event && one.event->stage == MoneyStage::kReversed;
                          }),
            1);
  paid.state = EvidenceState::kSafe;
  paid.block = {kChain, 12, "0xb12", Time()};
  scene.Step();
  EXPECT_EQ(scene.book.At(AccountCode::kMerchantUnconfirmed, "mer_1"), 1'200u)
      << "the decision was made on another inclusion";
  scene.Decide(paid, 1'000);
  scene.Step();
  EXPECT_EQ(scene.book.At(AccountCode::kMerchantPending, "mer_1"), 990u);
}

TEST(PostingPlanner, BooksAMovedTransferInItsNewBlock) {
  Scene scene;
  Evidence& paid = scene.Transfer("trf_1", 50);
  scene.Step();
  paid.block = {kChain, 11, "0xb11", Time()};
  scene.Step();
  EXPECT_EQ(scene.book.Rules(), (std::vector<std::string>{"P1", "P13.P1", "P1"}));
  EXPECT_EQ(scene.book.Standing().back().journal.incarnation, 2);
}

TEST(PostingPlanner, OwesWhatThePayoutTookWhenFinalMoneyIsGoneAllTheSame) {
  Scene scene;
  Evidence& paid = scene.Transfer("trf_1", 100);
  paid.state = EvidenceState::kFinalized;
  scene.Decide(paid, 100);
  scene.Step();
  JournalDraft payout;
  payout.rule = "P12a";
  payout.event_id = "pot_1";
  payout.legs = Move({AccountCode::kMerchantAvailable, "mer_1", kUnit},
                     {AccountCode::kPayoutPayable, "mer_1", kUnit}, U256(80));
  scene.book.Post(payout);
  paid.state = EvidenceState::kOrphaned;
  scene.terms.allocations[0].orphaned = true;
  scene.Step();
  EXPECT_EQ(scene.book.At(AccountCode::kMerchantReceivable, "mer_1"), 80u);
  EXPECT_EQ(scene.book.At(AccountCode::kMerchantAvailable, "mer_1"), 0u);
  scene.Step();
  EXPECT_EQ(scene.book.At(AccountCode::kMerchantReceivable, "mer_1"), 80u) << "once";
  scene.terms.reversed = true;
  scene.Step();
  EXPECT_EQ(scene.book.At(AccountCode::kMerchantReceivable, "mer_1"), 0u);
  EXPECT_EQ(scene.book.At(AccountCode::kWriteOffLoss), 80u);
  paid.state = EvidenceState::kFinalized;
  scene.terms.reversed = false;
  scene.Decide(paid, 100);
  scene.Step();
  EXPECT_EQ(scene.book.At(AccountCode::kWriteOffLoss), 0u);
  EXPECT_EQ(scene.book.At(AccountCode::kMerchantReceivable, "mer_1"), 0u);
  EXPECT_EQ(scene.book.At(AccountCode::kMerchantAvailable, "mer_1"), 20u);
}

TEST(PostingPlanner, BooksASweepFromTheObservedTransferWhoeverSentIt) {
  Scene scene;
  Evidence& paid = scene.Transfer("trf_1", 100);
  paid.state = EvidenceState::kFinalized;
  Evidence& swept = scene.Transfer("trf_2", 100);
  swept.from_address = kDeposit;
  swept.to_address = kVaultAddress;
  const PostingPlan plan = scene.Step();
  EXPECT_EQ(scene.book.At(AccountCode::kVault, kVaultAddress), 100u);
  EXPECT_EQ(scene.book.At(AccountCode::kDeposits, kChain), 0u);
  EXPECT_EQ(plan.journals.back().event->stage, MoneyStage::kSwept);
}

TEST(PostingPlanner, TakesBackASweepBeforeTheDepositThatItCameFrom) {
  Scene scene;
  scene.transfers.reserve(2);
  scene.Transfer("trf_1", 100);
  Evidence& swept = scene.Transfer("trf_2", 100);
  swept.from_address = kDeposit;
  swept.to_address = kVaultAddress;
  scene.Step();
  for (Evidence& one : scene.transfers) one.state = EvidenceState::kOrphaned;
  scene.Step();
  EXPECT_EQ(scene.book.Rules(), (std::vector<std::string>{"P1", "P10", "P13.P10", "P13.P1"}));
  EXPECT_TRUE(scene.book.Balances().empty());
}

TEST(PostingPlanner, BooksOtherMoneyIntoTheVaultAsCapital) {
  Scene scene;
  scene.attributed = false;
  scene.Transfer("trf_1", 100).to_address = kVaultAddress;
  scene.Step();
  EXPECT_EQ(scene.book.At(AccountCode::kCapital), 100u);
  EXPECT_EQ(scene.book.At(AccountCode::kVault, kVaultAddress), 100u);
}

TEST(PostingPlanner, RefusesTermsThatDoNotAddUp) {
  Scene scene;
  Evidence& paid = scene.Transfer("trf_1", 100);
  paid.state = EvidenceState::kFinalized;
  scene.Decide(paid, 100);
  scene.terms.allocations[0].accepted = U256(1'000);
  const PostingPlan plan = scene.Step();
  EXPECT_EQ(plan.contradictions.size(), 1u);
  EXPECT_EQ(scene.book.At(AccountCode::kMerchantUnconfirmed, "mer_1"), 100u);
}

TEST(PostingPlanner, CreditsNothingWhileTheChainIsHalted) {
  Scene scene;
  scene.halted = {kChain};
  Evidence& paid = scene.Transfer("trf_1", 100);
  paid.state = EvidenceState::kFinalized;
  scene.Decide(paid, 100);
  EXPECT_TRUE(scene.Step().deferred);
  EXPECT_EQ(scene.book.At(AccountCode::kMerchantUnconfirmed, "mer_1"), 100u);
  scene.halted.clear();
  EXPECT_FALSE(scene.Step().deferred);
  EXPECT_EQ(scene.book.At(AccountCode::kMerchantAvailable, "mer_1"), 100u);
}

// Evidence that wanders at random through inclusion, certainty, reorganisation and return; terms
// that follow it late; attribution at any time; payouts in between. Each prefix must be sound (Book
// asserts), and in the end the books are those of somebody who saw the last facts alone.
class Wanderer {
 public:
  explicit Wanderer(std::uint64_t seed) : random_(seed) {
    scene_.attributed = Below(2) == 0;
    scene_.terms.fee_plan = {.basis_points = static_cast<std::uint32_t>(Below(500)),
                             .fixed = {{kUnit, U256(Below(20))}}};
    scene_.transfers.reserve(8);
    for (std::uint64_t i = 0; i < 1 + Below(4); ++i) {
      Evidence& one = scene_.Transfer("trf_" + std::to_string(i), 1 + Below(1'000),
                                      Below(5) == 0 ? kOther : kUnit);
      one.state = EvidenceState::kOrphaned;
      if (Below(5) == 0) {
        one.from_address = kDeposit;
        one.to_address = kVaultAddress;
      }
    }
  }

  void Walk(int steps) {
    for (int i = 0; i < steps && !Test::HasFatalFailure(); ++i) {
      Move();
      scene_.Step();
    }
    scene_.attributed = true;
    scene_.halted.clear();
    scene_.terms.in_review = scene_.terms.on_hold = scene_.terms.reversed = false;
    // What is left is certain: before that, net that was free already stays so while more comes.
    for (Evidence& one : scene_.transfers) {
      if (one.live()) one.state = EvidenceState::kFinalized;
      DecideAgain(one);
    }
    scene_.Step();
    scene_.Step();
  }

  void ExpectBooksOfTheLastFacts() {
    Scene fresh;
    fresh.terms = scene_.terms;
    fresh.transfers = scene_.transfers;
    fresh.Step();
    EXPECT_EQ(Text(scene_.book), Text(fresh.book));
  }

 private:
  static std::string Text(const Book& book) {
    std::string text;
    for (const auto& [account, balance] : book.Balances()) {
      text += account.ToString() + " " + balance.ToString() + "\n";
    }
    return text;
  }
  std::uint64_t Below(std::uint64_t bound) { return random_() % bound; }

  void Move() {
    Evidence& one = scene_.transfers[Below(scene_.transfers.size())];
    switch (Below(8)) {
      case 0:
      case 1:
      case 2:
        Advance(one);
        break;
      case 3:
        if (one.state != EvidenceState::kFinalized || Below(4) == 0) {
          one.state = EvidenceState::kOrphaned;
        }
        break;
      case 4:
      case 5:
        DecideAgain(one);
        break;
      case 6:
        scene_.attributed = true;
        scene_.terms.in_review = Below(4) == 0;
        scene_.terms.on_hold = Below(2) == 0;
        break;
      default:
        if (!scene_.halted.erase(kChain) && Below(3) == 0) scene_.halted.insert(kChain);
    }
  }

  void Advance(Evidence& one) {
    if (one.state == EvidenceState::kOrphaned || Below(6) == 0) {
      one.state = EvidenceState::kIncluded;
      one.block.number = 10 + Below(5);
      one.block.hash = "0xb" + std::to_string(one.block.number);
      if (Below(5) == 0) one.amount = U256(1 + Below(1'000));
    } else if (one.state != EvidenceState::kFinalized) {
      one.state = static_cast<EvidenceState>(static_cast<int>(one.state) + 1);
    }
  }

  void DecideAgain(const Evidence& one) {
    std::erase_if(scene_.terms.allocations,
                  [&](const Allocation& old) { return old.transfer_id == one.transfer_id; });
    if (!one.live() || one.to_address != kDeposit) return;
    if (one.unit == kOther) {
      scene_.Decide(one, 0, Disposition::kWrongAsset);
    } else if (Below(4) == 0) {
      scene_.Decide(one, 0, Disposition::kExtra);
    } else {
      const std::uint64_t amount = *one.amount.ToUint64();
      scene_.Decide(one, Below(3) == 0 ? Below(amount) + 1 : amount,
                    Below(4) == 0 ? Disposition::kLate : Disposition::kMatched);
    }
  }

  Scene scene_;
  std::mt19937_64 random_;
};

TEST(PostingPlannerProperty, AnyOrderOfFactsEndsInTheBooksOfTheLastOnes) {
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    Wanderer wanderer(seed);
    wanderer.Walk(30);
    wanderer.ExpectBooksOfTheLastFacts();
    ASSERT_FALSE(Test::HasFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace paymesh::settlement
