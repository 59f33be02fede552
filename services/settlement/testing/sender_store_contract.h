// For tests: what every SenderStore promises to the sender, as one suite. The database's store
// passes it, and so does the store that the simulation runs on, so that what is shown there holds
// here.
//
// A type under test makes a store whose wallet is initialised with nonce 0, and has
//   SenderStore& store();  std::int64_t epoch();  T Run(Task<T>)
//   std::string Reserve();           a reserved payout of a merchant of its own
//   void PausePayoutOf(id);          its merchant is paused; ResumePayoutOf(id)
//   PayoutState StateOf(id);
//   void Include(nonce);  void Orphan(nonce);  void Finalize(nonce);   what the follower does
// One thread.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "services/settlement/domain/payout.h"
#include "services/settlement/workers/sender_ports.h"

namespace paymesh::settlement {

template <class World>
class SenderStoreContract : public testing::Test {
 protected:
  SenderStore& store() { return world_.store(); }

  WalletView Load() {
    auto view = world_.Run(store().Load());
    if (!view.ok() || !view->has_value()) {
      ADD_FAILURE() << "no wallet";
      return {};
    }
    return std::move(**view);
  }
  std::vector<std::string> Candidates(int limit) {
    auto queue = world_.Run(store().Payouts(limit));
    if (!queue.ok()) ADD_FAILURE() << queue.error().ToString();
    std::vector<std::string> ids;
    for (const PayoutCandidate& candidate : queue->candidates)
      ids.push_back(candidate.item.payout_id);
    return ids;
  }
  // A payout in a slot of its own, not signed.
  std::string Draft() {
    const std::string id = world_.Reserve();
    auto queue = world_.Run(store().Payouts(1'000));
    if (!queue.ok()) ADD_FAILURE() << queue.error().ToString();
    const auto found = std::ranges::find_if(
        queue->candidates, [&](const PayoutCandidate& one) { return one.item.payout_id == id; });
    if (found == queue->candidates.end()) {
      ADD_FAILURE() << id << " may not go out";
      return id;
    }
    const Status status =
        world_.Run(store().DraftPayouts(world_.epoch(), {found->item}, Call{{}, {1}, 21'000}));
    EXPECT_TRUE(status.ok()) << status.error().ToString();
    return id;
  }
  // Stores bytes for the slot with a nonce and has a node take them.
  void Send(std::uint64_t nonce) {
    const WalletView view = Load();
    const auto open = std::ranges::find_if(
        view.open, [&](const OpenSlot& one) { return one.slot.nonce == nonce; });
    ASSERT_NE(open, view.open.end()) << "nonce " << nonce;
    Attempt attempt;
    std::array<std::uint8_t, 32> hash{};
    hash[0] = 0xaa;
    hash[31] = static_cast<std::uint8_t>(nonce);
    attempt.hash = evm::Hash32(hash);
    attempt.raw = {2, static_cast<std::uint8_t>(nonce)};
    attempt.fees = {U256(2), U256(1)};
    const Status stored = world_.Run(
        store().StoreSigned(world_.epoch(), open->slot.id, open->slot.revision, attempt));
    ASSERT_TRUE(stored.ok()) << stored.error().ToString();
    ASSERT_TRUE(
        world_.Run(store().RecordReply(open->slot.id, attempt.hash, Reply::kAccepted)).ok());
  }
  // Slots from `nonce` on that are mined and not final.
  void Mined(std::uint64_t nonce, int count) {
    for (int i = 0; i < count; ++i, ++nonce) {
      Draft();
      Send(nonce);
      world_.Include(nonce);
    }
  }
  static std::vector<std::uint64_t> Nonces(const WalletView& view) {
    std::vector<std::uint64_t> nonces;
    for (const OpenSlot& open : view.open) nonces.push_back(open.slot.nonce);
    return nonces;
  }

  World world_;
};
TYPED_TEST_SUITE_P(SenderStoreContract);

TYPED_TEST_P(SenderStoreContract, ShowsADraftHoweverManySlotsWaitForFinality) {
  this->Mined(0, 17);
  EXPECT_TRUE(this->Load().open.empty());
  this->Draft();
  const WalletView view = this->Load();
  ASSERT_EQ(this->Nonces(view), std::vector<std::uint64_t>{17});
  EXPECT_EQ(view.open.front().slot.state, SlotState::kDraft);
  EXPECT_EQ(view.unmined, 1u);
  EXPECT_EQ(view.next_nonce, 18u);
  EXPECT_EQ(view.first_open_nonce, 0u) << "no nonce is missing below what is mined";
}

TYPED_TEST_P(SenderStoreContract, ShowsAgainWhatAReorganisationTookOut) {
  this->Mined(0, 3);
  this->Draft();
  this->world_.Orphan(1);
  const WalletView view = this->Load();
  ASSERT_EQ(this->Nonces(view), (std::vector<std::uint64_t>{1, 3}));
  const OpenSlot& back = view.open.front();
  EXPECT_EQ(back.slot.state, SlotState::kBroadcast);
  ASSERT_EQ(back.slot.attempts.size(), 1u);
  EXPECT_FALSE(back.slot.attempts[0].last_broadcast_time) << "sent again at once";
  EXPECT_EQ(view.unmined, 2u);
}

TYPED_TEST_P(SenderStoreContract, CountsAllThatIsNotMinedAndShowsTheLowest) {
  for (int i = 0; i < 18; ++i) this->Draft();
  const WalletView view = this->Load();
  EXPECT_EQ(view.unmined, 18u);
  ASSERT_EQ(view.open.size(), 16u);
  EXPECT_EQ(view.open.front().slot.nonce, 0u);
  EXPECT_EQ(view.open.back().slot.nonce, 15u);
}

TYPED_TEST_P(SenderStoreContract, ForgetsWhatIsFinal) {
  this->Mined(0, 2);
  this->world_.Finalize(0);
  EXPECT_EQ(this->Load().first_open_nonce, 1u);
  this->world_.Finalize(1);
  const WalletView view = this->Load();
  EXPECT_EQ(view.first_open_nonce, view.next_nonce);
  EXPECT_EQ(view.unmined, 0u);
}

TYPED_TEST_P(SenderStoreContract, OffersWhatStandsBehindPausedPayouts) {
  std::vector<std::string> paused;
  for (int i = 0; i < 3; ++i) paused.push_back(this->world_.Reserve());
  const std::string free = this->world_.Reserve();
  for (const std::string& id : paused) this->world_.PausePayoutOf(id);
  EXPECT_EQ(this->Candidates(1), std::vector<std::string>{free});
  this->world_.ResumePayoutOf(paused[0]);
  EXPECT_EQ(this->Candidates(1), std::vector<std::string>{paused[0]}) << "oldest first";
}

TYPED_TEST_P(SenderStoreContract, ReservesWhatAWithdrawnDraftCarried) {
  const std::string id = this->Draft();
  EXPECT_EQ(this->world_.StateOf(id), PayoutState::kSubmitted);
  const WalletView view = this->Load();
  ASSERT_EQ(view.open.size(), 1u);
  const Status status = this->world_.Run(this->store().WithdrawDraft(
      this->world_.epoch(), view.open[0].slot.id, Call{{}, {}, 21'000}, "paused"));
  ASSERT_TRUE(status.ok()) << status.error().ToString();
  EXPECT_EQ(this->world_.StateOf(id), PayoutState::kReserved);
  EXPECT_TRUE(this->Load().open[0].payout_ids.empty());
}

TYPED_TEST_P(SenderStoreContract, RefusesAnEpochThatIsGone) {
  const Status status =
      this->world_.Run(this->store().DraftNoop(this->world_.epoch() - 1, 0, Call{{}, {}, 21'000}));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().reason, "LEASE_LOST");
}

REGISTER_TYPED_TEST_SUITE_P(SenderStoreContract, ShowsADraftHoweverManySlotsWaitForFinality,
                            ShowsAgainWhatAReorganisationTookOut,
                            CountsAllThatIsNotMinedAndShowsTheLowest, ForgetsWhatIsFinal,
                            OffersWhatStandsBehindPausedPayouts, ReservesWhatAWithdrawnDraftCarried,
                            RefusesAnEpochThatIsGone);

}  // namespace paymesh::settlement
