// The sender against a chain that follows geth's rules and against everything that can go wrong,
// from seeds: calls that fail before or after their effect, dropped transactions, reorganisations,
// fee spikes, lost replies, a second sender with a lease that is gone, and somebody else using the
// key. The fake vault does not refuse a second payment of one payout: here it would show.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <map>
#include <random>
#include <set>

#include "common/evm/abi.h"
#include "common/runtime/run_blocking.h"
#include "services/settlement/domain/payout.h"
#include "services/settlement/testing/sender_store_contract.h"
#include "services/settlement/workers/sender.h"

namespace paymesh::settlement {
namespace {

constexpr std::uint64_t kGwei = 1'000'000'000;
constexpr std::size_t kShownSlots = 16;  // of the store, as in production

evm::PrivateKey Key() {
  std::array<std::uint8_t, 32> bytes{};
  bytes[31] = 0x42;
  return evm::PrivateKey::FromBytes(bytes).value();
}

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t Below(std::uint64_t bound) { return engine_() % bound; }
  bool OneIn(std::uint64_t n) { return n > 0 && Below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

struct MinedTransaction {
  evm::SignedTransaction tx;
  std::vector<std::string> paid;  // on-chain payout ids, in hex
};

// One operator's view of a chain with geth's rules: a pool with one transaction a nonce, replaced
// only by one that pays a tenth more on both figures; mining by nonce and price.
class FakeNode {
 public:
  explicit FakeNode(Dice& dice) : dice_(dice) {}

  Reply Take(const evm::Bytes& raw) {
    const evm::SignedTransaction tx = evm::DecodeSigned(raw).value();
    known_.insert(tx.hash);
    for (const auto& block : blocks_) {
      for (const MinedTransaction& mined : block) {
        if (mined.tx.hash == tx.hash) return Reply::kAlreadyKnown;
      }
    }
    const std::uint64_t nonce = tx.transaction.nonce;
    if (nonce < LatestNonce()) return Reply::kNonceTooLow;
    const auto pooled = pool_.find(nonce);
    if (pooled != pool_.end()) {
      if (pooled->second.hash == tx.hash) return Reply::kAlreadyKnown;
      const auto& old = pooled->second.transaction;
      const auto enough = [](const U256& now, const U256& before) {
        return now >= *MulDiv(before, U256(110), U256(100), Rounding::kUp);
      };
      if (!enough(tx.transaction.max_fee_per_gas, old.max_fee_per_gas) ||
          !enough(tx.transaction.max_priority_fee_per_gas, old.max_priority_fee_per_gas)) {
        return Reply::kUnderpriced;
      }
    }
    pool_.insert_or_assign(nonce, tx);
    return Reply::kAccepted;
  }

  void Mine() {
    std::vector<MinedTransaction> block;
    for (std::uint64_t nonce = LatestNonce();; ++nonce) {
      const auto pooled = pool_.find(nonce);
      if (pooled == pool_.end()) break;
      const auto& transaction = pooled->second.transaction;
      if (transaction.max_fee_per_gas < U256(base_fee_gwei * kGwei)) break;
      block.push_back({pooled->second, PaidBy(pooled->second)});
      pool_.erase(pooled);
    }
    blocks_.push_back(std::move(block));
    if (blocks_.size() > final_depth) final_ = std::max(final_, blocks_.size() - final_depth);
  }
  // Removes blocks above finality; their transactions return to the pool or are forgotten.
  void Reorganise() {
    const std::uint64_t most = blocks_.size() - final_;
    for (std::uint64_t depth = most == 0 ? 0 : dice_.Below(most + 1); depth > 0; --depth) {
      for (const MinedTransaction& mined : blocks_.back()) {
        if (dice_.OneIn(2)) pool_.insert_or_assign(mined.tx.transaction.nonce, mined.tx);
      }
      blocks_.pop_back();
    }
  }
  void Drop() {
    if (pool_.empty()) return;
    auto at = pool_.begin();
    std::advance(at, static_cast<long>(dice_.Below(pool_.size())));
    pool_.erase(at);
  }
  void SomebodyElse(const evm::PrivateKey& key) {
    evm::Transaction transaction;
    transaction.chain_id = 1;
    transaction.nonce = LatestNonce();
    transaction.to = key.address();
    transaction.gas_limit = 21'000;
    transaction.max_fee_per_gas = U256(100'000 * kGwei);
    transaction.max_priority_fee_per_gas = U256(100'000 * kGwei);
    pool_.insert_or_assign(transaction.nonce, evm::SignTransaction(transaction, key));
  }

  std::uint64_t LatestNonce() const { return CountUpTo(blocks_.size()); }
  std::uint64_t FinalizedNonce() const { return CountUpTo(FinalHeight()); }
  std::uint64_t FinalHeight() const { return final_; }
  struct Place {
    std::uint64_t height;  // from 1
    const MinedTransaction* mined;
  };
  std::optional<Place> Find(const evm::Hash32& hash) const {
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      for (const MinedTransaction& mined : blocks_[i]) {
        if (mined.tx.hash == hash) return Place{i + 1, &mined};
      }
    }
    return std::nullopt;
  }
  const std::set<evm::Hash32>& known() const { return known_; }
  void Forget() { known_.clear(); }
  // How often each payout has been paid on the chain as it stands.
  std::map<std::string, int> Payments() const {
    std::map<std::string, int> counts;
    for (const auto& block : blocks_) {
      for (const MinedTransaction& mined : block) {
        for (const std::string& id : mined.paid) ++counts[id];
      }
    }
    return counts;
  }

  std::uint64_t base_fee_gwei = 10;
  std::uint64_t final_depth = 3;

 private:
  std::uint64_t CountUpTo(std::uint64_t height) const {
    std::uint64_t count = 0;
    for (std::uint64_t i = 0; i < height; ++i) count += blocks_[i].size();
    return count;
  }
  static std::vector<std::string> PaidBy(const evm::SignedTransaction& tx) {
    std::vector<std::string> ids;
    const auto values =
        evm::DecodeCall("payBatch((bytes32,address,address,uint256)[])", tx.transaction.data);
    if (!values.ok()) return ids;
    for (const evm::AbiValue& item : (*values)[0].Get<evm::AbiValue::List>()) {
      ids.push_back(item.Get<evm::AbiValue::List>()[0].Get<evm::Hash32>().ToHex());
    }
    return ids;
  }

  Dice& dice_;
  std::vector<std::vector<MinedTransaction>> blocks_;
  std::uint64_t final_ = 0;  // blocks that no reorganisation takes away
  std::map<std::uint64_t, evm::SignedTransaction> pool_;
  std::set<evm::Hash32> known_;  // to the watcher
};

struct Faults {
  std::uint64_t fail_one_in = 0;  // calls; half of them after their effect
  bool node = false;              // drops, reorganisations, fee spikes
  bool thief = false;
};

struct World;

// Every call lets others run, and may fail before or after its effect.
struct Flaky {
  World& world;
  Task<bool> Before();  // true: fail now
  bool After();         // true: the effect stands, the answer is lost
};

struct FakeSlot {
  OpenSlot open;
  std::vector<std::string> payouts;
  bool alive = true;
};

struct World {
  explicit World(std::uint64_t seed) : dice(seed), node(dice) {}

  Dice dice;
  Faults faults;
  boost::asio::io_context context;
  FakeNode node;
  Time now{std::chrono::seconds(1'700'000'000)};
  // The database.
  std::int64_t epoch = 1;
  std::optional<std::uint64_t> next_nonce;
  std::map<std::uint64_t, FakeSlot> slots;
  std::map<std::string, PayoutState> payouts;
  bool paused = false;
  std::set<std::string> paused_payouts;  // of a merchant or in a token that is paused
  std::set<evm::Hash32> stored;
  std::string broken;  // the first broken promise

  void Break(const std::string& what) {
    if (broken.empty()) broken = what;
  }
  FakeSlot* Find(const std::string& id) {
    for (auto& [nonce, slot] : slots) {
      if (slot.open.slot.id == id) return &slot;
    }
    return nullptr;
  }
  void Step(FakeSlot& slot, SlotEvent event) {
    const auto next = NextState(slot.open.slot.state, event);
    if (!next) return Break("an impossible event for " + slot.open.slot.id);
    slot.open.slot.state = *next;
    ++slot.open.slot.revision;
  }
  void Move(const std::string& payout, PayoutEvent event) {
    const auto next = NextState(payouts[payout], event);
    if (!next) return Break("an impossible step of " + payout);
    payouts[payout] = *next;
  }
  // The follower of watcher.transactions.
  void Follow();
  void Include(FakeSlot& slot);
  void Orphan(FakeSlot& slot);
  void Finalize(FakeSlot& slot);
};

Task<bool> Flaky::Before() {
  for (std::uint64_t i = world.dice.Below(4); i > 0; --i) {
    co_await boost::asio::post(world.context, boost::asio::use_awaitable);
  }
  co_return world.dice.OneIn(world.faults.fail_one_in * 2);
}
bool Flaky::After() { return world.dice.OneIn(world.faults.fail_one_in * 2); }

Error Lost() { return Error::Unavailable("LOST", "no answer"); }

class FakeStore final : public SenderStore {
 public:
  explicit FakeStore(World& world) : w_(world), flaky_{world} {}

  Task<Result<std::optional<WalletView>>> Load() override {
    if (co_await flaky_.Before()) co_return Lost();
    if (!w_.next_nonce) co_return std::optional<WalletView>();
    WalletView view;
    view.now = w_.now;
    view.next_nonce = view.first_open_nonce = *w_.next_nonce;
    for (const auto& [nonce, slot] : w_.slots) {
      if (IsFinal(slot.open.slot.state)) continue;
      view.first_open_nonce = std::min(view.first_open_nonce, nonce);
      if (slot.open.slot.state == SlotState::kIncluded) continue;
      if (view.unmined++ < kShownSlots) view.open.push_back(slot.open);
    }
    view.chain_paused = w_.paused;
    co_return std::optional<WalletView>(std::move(view));
  }
  Task<Status> InitializeWallet(std::int64_t epoch, std::uint64_t nonce) override {
    return Guarded(epoch, [this, nonce]() -> Status {
      if (!w_.next_nonce) w_.next_nonce = nonce;
      return {};
    });
  }
  Task<Result<std::vector<std::uint64_t>>> MissingNonces(std::uint64_t latest) override {
    if (co_await flaky_.Before()) co_return Lost();
    std::vector<std::uint64_t> known;
    for (const auto& [nonce, slot] : w_.slots) known.push_back(nonce);
    co_return settlement::MissingNonces(known, latest, *w_.next_nonce);
  }
  Task<Status> DraftNoop(std::int64_t epoch, std::uint64_t nonce, Call noop) override {
    return Guarded(epoch, [this, nonce, noop]() -> Status {
      if (w_.slots.contains(nonce)) return Error::AlreadyExists("UNIQUE_VIOLATION", "nonce");
      Insert(nonce, Purpose::kNoop, noop, {});
      return {};
    });
  }
  Task<Status> RecordForeign(std::int64_t epoch, std::uint64_t finalized) override {
    return Guarded(epoch, [this, finalized]() -> Status {
      for (std::uint64_t nonce = *w_.next_nonce; nonce < finalized; ++nonce) {
        Insert(nonce, Purpose::kForeign, {}, {}).open.slot.state = SlotState::kReplaced;
      }
      w_.next_nonce = std::max(*w_.next_nonce, finalized);
      w_.paused = true;
      return {};
    });
  }
  Task<Result<PayoutQueue>> Payouts(int limit) override {
    if (co_await flaky_.Before()) co_return Lost();
    PayoutQueue queue;
    for (const auto& [id, state] : w_.payouts) {
      if (state != PayoutState::kReserved || w_.paused_payouts.contains(id)) continue;
      if (static_cast<int>(queue.candidates.size()) >= limit) break;
      queue.candidates.push_back({{id, evm::Address(), evm::Address(), U256(1)}, "token"});
    }
    co_return queue;
  }
  Task<Status> Park(std::int64_t /*epoch*/, std::string /*id*/, std::string /*why*/) override {
    return Nothing();
  }
  Task<Status> DraftPayouts(std::int64_t epoch, std::vector<PayItem> items, Call call) override {
    return Guarded(epoch, [this, items, call]() -> Status {
      for (const PayItem& item : items) {
        if (w_.payouts[item.payout_id] != PayoutState::kReserved) {
          return Error::FailedPrecondition("PAYOUT_IN_FLIGHT", "taken");
        }
      }
      std::vector<std::string> ids;
      for (const PayItem& item : items) {
        w_.Move(item.payout_id, PayoutEvent::kSubmit);
        ids.push_back(item.payout_id);
      }
      Insert((*w_.next_nonce)++, Purpose::kPayout, call, ids);
      return {};
    });
  }
  Task<Result<std::optional<SweepBatch>>> NextSweep() override {
    co_return std::optional<SweepBatch>();
  }
  Task<Status> DraftSweep(std::int64_t /*epoch*/, SweepBatch /*batch*/, Call /*call*/) override {
    return Nothing();
  }
  Task<Result<std::string>> PausedReason(std::vector<std::string> /*ids*/) override {
    return Pause();
  }
  Task<Status> WithdrawDraft(std::int64_t epoch, std::string id, Call noop,
                             std::string /*why*/) override {
    return Guarded(epoch, [this, id, noop]() -> Status {
      FakeSlot* slot = w_.Find(id);
      if (slot->open.slot.state != SlotState::kDraft) return Changed();
      Release(*slot);
      slot->open.call = noop;
      slot->open.slot.purpose = Purpose::kNoop;
      ++slot->open.slot.revision;
      return {};
    });
  }
  Task<Status> StoreSigned(std::int64_t epoch, std::string id, std::int64_t revision,
                           Attempt attempt) override {
    return Guarded(epoch, [this, id, revision, attempt]() -> Status {
      FakeSlot* slot = w_.Find(id);
      if (slot->open.slot.revision != revision) return Changed();
      const bool first = slot->open.slot.attempts.empty();
      if (!NextState(slot->open.slot.state,
                     first ? SlotEvent::kSign : SlotEvent::kSignReplacement)) {
        return Changed();
      }
      w_.Step(*slot, first ? SlotEvent::kSign : SlotEvent::kSignReplacement);
      slot->open.slot.attempts.push_back(attempt);
      w_.stored.insert(attempt.hash);
      return {};
    });
  }
  Task<Status> RecordReply(std::string id, evm::Hash32 hash, Reply reply) override {
    if (co_await flaky_.Before()) co_return Lost();
    FakeSlot* slot = w_.Find(id);
    for (Attempt& attempt : slot->open.slot.attempts) {
      if (attempt.hash != hash) continue;
      ++attempt.broadcast_count;
      attempt.last_reply = reply;
      attempt.last_broadcast_time = w_.now;
      if (!attempt.first_broadcast_time) attempt.first_broadcast_time = w_.now;
    }
    const auto event = EventOfReply(reply);
    if (event && NextState(slot->open.slot.state, *event)) w_.Step(*slot, *event);
    if (flaky_.After()) co_return Lost();
    co_return Status();
  }
  Task<Status> MarkUsed(std::int64_t epoch, std::string id, bool used) override {
    return Guarded(epoch, [this, id, used]() -> Status {
      w_.Find(id)->open.used_since = used ? std::optional<Time>(w_.now) : std::nullopt;
      return {};
    });
  }
  Task<Status> Lose(std::int64_t epoch, std::string id, std::string /*why*/) override {
    return Guarded(epoch, [this, id]() -> Status {
      FakeSlot* slot = w_.Find(id);
      if (!NextState(slot->open.slot.state, SlotEvent::kLose)) return Changed();
      Release(*slot);
      w_.Step(*slot, SlotEvent::kLose);
      w_.paused = true;
      return {};
    });
  }
  Task<Status> Explain(std::string /*id*/, std::string /*why*/) override { return Nothing(); }

 private:
  // gcc 12 mistakes temporaries in a co_return, and parameters without a name; hence the small
  // steps.
  static Task<Status> Nothing() { co_return Status(); }
  Task<Result<std::string>> Pause() {
    if (co_await flaky_.Before()) co_return Lost();
    // A merchant is paused now and then.
    std::string reason = w_.faults.node && w_.dice.OneIn(10) ? "paused" : "";
    co_return reason;
  }
  static Error Changed() { return Error::Aborted("SLOT_CHANGED", "changed"); }
  Task<Status> Guarded(std::int64_t epoch, std::function<Status()> change) {
    if (co_await flaky_.Before()) co_return Lost();
    if (epoch != w_.epoch) co_return Error::Aborted("LEASE_LOST", "another holds it");
    Status status = change();
    if (status.ok() && flaky_.After()) co_return Lost();
    co_return status;
  }
  FakeSlot& Insert(std::uint64_t nonce, Purpose purpose, Call call,
                   std::vector<std::string> payouts) {
    FakeSlot slot;
    slot.open.slot.id = "ctx_" + std::to_string(nonce);
    slot.open.slot.nonce = nonce;
    slot.open.slot.purpose = purpose;
    slot.open.slot.revision = 1;
    slot.open.call = std::move(call);
    slot.open.payout_ids = payouts;
    slot.payouts = std::move(payouts);
    return w_.slots.insert_or_assign(nonce, std::move(slot)).first->second;
  }
  void Release(FakeSlot& slot) {
    if (!slot.alive) return;
    for (const std::string& id : slot.open.payout_ids) w_.Move(id, PayoutEvent::kWithdraw);
    slot.open.payout_ids.clear();
    slot.alive = false;
  }

  World& w_;
  Flaky flaky_;
};

class FakeChain final : public SenderChain {
 public:
  explicit FakeChain(World& world) : w_(world), flaky_{world} {}

  Task<Result<AccountNonces>> Nonces() override {
    if (co_await flaky_.Before()) co_return Lost();
    const std::uint64_t latest = w_.node.LatestNonce();
    const AccountNonces nonces{latest, latest, w_.node.FinalizedNonce()};
    co_return nonces;
  }
  Task<Result<Market>> Fees() override {
    if (co_await flaky_.Before()) co_return Lost();
    const std::uint64_t base = w_.node.base_fee_gwei;
    const Market market{U256(base * kGwei), {U256((2 * base + 1) * kGwei), U256(kGwei)}};
    co_return market;
  }
  Task<Result<std::map<std::string, U256>>> VaultBalances(
      std::vector<std::string> /*units*/) override {
    return Balances();
  }
  Task<Result<std::map<std::string, U256>>> Balances() {
    if (co_await flaky_.Before()) co_return Lost();
    std::map<std::string, U256> balances;
    balances.emplace("token", U256(1'000'000));
    co_return balances;
  }
  Task<Result<std::map<std::string, U256>>> DailyAllowances(
      std::vector<std::string> /*units*/) override {
    return Balances();
  }
  Task<Result<std::string>> DryRun(PayItem /*item*/) override { return Fine(); }
  static Task<Result<std::string>> Fine() { co_return std::string(); }
  Task<Result<bool>> IsPaid(std::string id) override {
    if (co_await flaky_.Before()) co_return Lost();
    const bool paid = w_.node.Payments()[OnChainPayoutId(id).ToHex()] > 0;
    co_return paid;
  }
  Task<Result<Reply>> Broadcast(evm::Bytes raw) override {
    if (!w_.stored.contains(evm::DecodeSigned(raw).value().hash)) {
      w_.Break("bytes were sent that were not stored");
    }
    if (co_await flaky_.Before()) co_return Lost();
    const Reply reply = w_.node.Take(raw);
    if (flaky_.After()) co_return Lost();
    co_return reply;
  }
  Task<Result<Whereabouts>> Find(evm::Hash32 hash) override {
    if (co_await flaky_.Before()) co_return Lost();
    if (!w_.node.known().contains(hash)) co_return Whereabouts::kUnknown;
    const bool mined = w_.node.Find(hash).has_value();
    co_return mined ? Whereabouts::kInBlock : Whereabouts::kPending;
  }

 private:
  World& w_;
  Flaky flaky_;
};

class FakeSigner final : public Signer {
 public:
  explicit FakeSigner(World& world) : key_(Key()), flaky_{world} {}
  const evm::Address& address() const override { return key_.address(); }
  Task<Result<evm::Bytes>> Sign(evm::Transaction transaction) override {
    if (co_await flaky_.Before()) co_return Lost();
    evm::Bytes raw = evm::SignTransaction(transaction, key_).raw;
    co_return raw;
  }

 private:
  evm::PrivateKey key_;
  Flaky flaky_;
};

void World::Follow() {
  for (auto& [nonce, slot] : slots) {
    if (IsFinal(slot.open.slot.state)) continue;
    std::optional<FakeNode::Place> place;
    for (const Attempt& attempt : slot.open.slot.attempts) {
      if (auto found = node.Find(attempt.hash)) place = found;
    }
    if (slot.open.slot.state == SlotState::kIncluded && !place) Orphan(slot);
    if (!place) continue;
    if (slot.open.slot.state != SlotState::kIncluded) Include(slot);
    if (place->height <= node.FinalHeight()) Finalize(slot);
  }
}
void World::Include(FakeSlot& slot) {
  Step(slot, SlotEvent::kInclude);
  for (const std::string& id : slot.open.payout_ids) Move(id, PayoutEvent::kInclude);
}
void World::Orphan(FakeSlot& slot) {
  Step(slot, SlotEvent::kOrphan);
  for (Attempt& attempt : slot.open.slot.attempts) attempt.last_broadcast_time.reset();
  for (const std::string& id : slot.open.payout_ids) Move(id, PayoutEvent::kOrphan);
}
void World::Finalize(FakeSlot& slot) {
  Step(slot, SlotEvent::kFinalize);
  for (const std::string& id : slot.open.payout_ids) Move(id, PayoutEvent::kFinalize);
}

Task<void> Turns(Sender& sender, std::int64_t epoch, int count, bool& done) {
  for (int i = 0; i < count; ++i) {
    Result<bool> result = co_await sender.Turn(epoch);
    if (result.ok() && !*result) break;
  }
  done = true;
}

// The contract's world over the simulation's store, without faults.
class StoreOfTheSimulation {
 public:
  StoreOfTheSimulation() { world_.next_nonce = 0; }
  SenderStore& store() { return store_; }
  std::int64_t epoch() const { return world_.epoch; }
  template <class T>
  T Run(Task<T> task) {
    auto result = runtime::StartOn(world_.context.get_executor(), std::move(task));
    world_.context.restart();
    world_.context.run();
    return result.get();
  }
  std::string Reserve() {
    const std::string id = "pot_" + std::to_string(1'000 + world_.payouts.size());
    world_.payouts[id] = PayoutState::kReserved;
    return id;
  }
  void PausePayoutOf(const std::string& id) { world_.paused_payouts.insert(id); }
  void ResumePayoutOf(const std::string& id) { world_.paused_payouts.erase(id); }
  PayoutState StateOf(const std::string& id) { return world_.payouts.at(id); }
  void Include(std::uint64_t nonce) { world_.Include(world_.slots.at(nonce)); }
  void Orphan(std::uint64_t nonce) { world_.Orphan(world_.slots.at(nonce)); }
  void Finalize(std::uint64_t nonce) { world_.Finalize(world_.slots.at(nonce)); }

 private:
  World world_{1};
  FakeStore store_{world_};
};
INSTANTIATE_TYPED_TEST_SUITE_P(Simulation, SenderStoreContract, StoreOfTheSimulation);

// The promises that hold at every moment.
void CheckSafety(World& world) {
  for (const auto& [id, count] : world.node.Payments()) {
    if (count > 1) world.Break("a payout was paid twice");
  }
  std::map<std::string, std::set<std::uint64_t>> signed_nonces;
  for (const auto& [nonce, slot] : world.slots) {
    if (slot.open.slot.state == SlotState::kReplaced || slot.open.slot.attempts.empty()) continue;
    for (const std::string& id : slot.open.payout_ids) signed_nonces[id].insert(nonce);
  }
  for (const auto& [id, nonces] : signed_nonces) {
    if (nonces.size() > 1) world.Break("bytes for a payout under a second nonce");
  }
  if (world.next_nonce) {
    for (std::uint64_t nonce = 0; nonce < *world.next_nonce; ++nonce) {
      if (!world.slots.contains(nonce)) world.Break("a nonce without a slot");
    }
  }
}

SenderOptions Options() {
  SenderOptions options;
  options.chain_id = 1;
  options.policy.retry_after = std::chrono::seconds(1);
  options.policy.resend_after = std::chrono::seconds(10);
  options.policy.bump_after = std::chrono::seconds(8);
  options.policy.max_attempts = 30;
  options.policy.fee_ceiling = U256(1'000'000 * kGwei);
  options.max_pay_batch = 3;
  options.foreign_grace = std::chrono::seconds(20);
  return options;
}

void Disturb(World& world, int round) {
  world.now += std::chrono::seconds(1 + world.dice.Below(3));
  if (world.faults.node) {
    if (world.dice.OneIn(6)) world.node.Drop();
    if (world.dice.OneIn(8)) world.node.Reorganise();
    if (world.dice.OneIn(12)) world.node.base_fee_gwei = 1 + world.dice.Below(200);
    if (world.dice.OneIn(40)) world.node.Forget();  // the watcher lost its memory
  }
  if (world.faults.thief && round % 60 == 30) world.node.SomebodyElse(Key());
  if (world.dice.OneIn(2)) world.node.Mine();
  // The follower may lag.
  if (world.dice.OneIn(2)) world.Follow();
  // A person looks at what stopped, and lets it go on.
  if (world.paused && world.dice.OneIn(10)) world.paused = false;
}

void RunRound(World& world, Sender& leader, Sender& stale) {
  bool leader_done = false;
  bool stale_done = false;
  world.context.restart();
  boost::asio::co_spawn(world.context, Turns(leader, world.epoch, 4, leader_done),
                        boost::asio::detached);
  // The other replica believes in a lease that is gone; sometimes the lease moves while both work.
  boost::asio::co_spawn(world.context, Turns(stale, world.epoch - 1, 2, stale_done),
                        boost::asio::detached);
  while (!leader_done || !stale_done) {
    if (world.faults.fail_one_in > 0 && world.dice.OneIn(200)) ++world.epoch;
    if (world.context.run_one() == 0) break;
    if (world.context.stopped()) world.context.restart();
  }
}

void Simulate(std::uint64_t seed, Faults faults) {
  World world(seed);
  world.faults = faults;
  for (int i = 0; i < 12; ++i) world.payouts["pot_" + std::to_string(i)] = PayoutState::kReserved;
  FakeStore store(world);
  FakeChain chain(world);
  FakeSigner signer(world);
  Sender a(Options(), store, chain, signer);
  Sender b(Options(), store, chain, signer);
  int round = 0;
  for (; round < 200 && world.broken.empty(); ++round) {
    const bool swap = world.dice.OneIn(5);
    RunRound(world, swap ? b : a, swap ? a : b);
    Disturb(world, round);
    CheckSafety(world);
  }
  // Faults stop; everything comes to its end.
  world.faults = {};
  world.node.base_fee_gwei = 10;
  const auto open = [&] {
    return std::ranges::any_of(
        world.payouts, [](const auto& payout) { return payout.second != PayoutState::kFinalized; });
  };
  for (; round < 800 && world.broken.empty() && (open() || world.paused); ++round) {
    world.paused = false;
    RunRound(world, a, b);
    world.now += std::chrono::seconds(5);
    world.node.Mine();
    world.Follow();
    CheckSafety(world);
  }
  EXPECT_EQ(world.broken, "") << "seed " << seed;
  for (const auto& [id, state] : world.payouts) {
    EXPECT_EQ(state, PayoutState::kFinalized) << id << " seed " << seed;
    EXPECT_EQ(world.node.Payments()[OnChainPayoutId(id).ToHex()], 1) << id << " seed " << seed;
  }
}

TEST(SenderSimulation, PaysEverythingOnceOnAPeacefulChain) { Simulate(1, {}); }

// Finality that takes hours stops nothing: what is mined makes room, and no more than that is
// taken.
TEST(SenderSimulation, GoesOnPayingWhileNothingBecomesFinal) {
  World world(2);
  world.node.final_depth = 1'000'000;
  for (int i = 0; i < 40; ++i) world.payouts["pot_" + std::to_string(i)] = PayoutState::kReserved;
  FakeStore store(world);
  FakeChain chain(world);
  FakeSigner signer(world);
  SenderOptions options = Options();
  options.max_pay_batch = 1;
  options.max_open_slots = 2;
  Sender sender(options, store, chain, signer);
  for (int round = 0; round < 100; ++round) {
    bool done = false;
    world.context.restart();
    boost::asio::co_spawn(world.context, Turns(sender, world.epoch, 10, done),
                          boost::asio::detached);
    world.context.run();
    const auto submitted = std::ranges::count_if(
        world.payouts, [](const auto& payout) { return payout.second == PayoutState::kSubmitted; });
    EXPECT_LE(submitted, 2) << "what is not out yet can still be cancelled";
    world.now += std::chrono::seconds(5);
    world.node.Mine();
    world.Follow();
    CheckSafety(world);
  }
  EXPECT_EQ(world.broken, "");
  for (const auto& [id, state] : world.payouts) EXPECT_EQ(state, PayoutState::kIncluded) << id;
}

TEST(SenderSimulation, PaysOnceThroughCrashesAndLostAnswers) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) Simulate(seed, {.fail_one_in = 10});
}

TEST(SenderSimulation, PaysOnceThroughDropsReorganisationsAndFeeSpikes) {
  for (std::uint64_t seed = 100; seed <= 160; ++seed) Simulate(seed, {.node = true});
}

TEST(SenderSimulation, PaysOnceThroughEverythingAtOnce) {
  for (std::uint64_t seed = 200; seed <= 300; ++seed) {
    Simulate(seed, {.fail_one_in = 12, .node = true, .thief = false});
  }
}

TEST(SenderSimulation, PaysOnceThoughSomebodyElseUsesTheKey) {
  for (std::uint64_t seed = 400; seed <= 440; ++seed) {
    Simulate(seed, {.fail_one_in = 15, .node = true, .thief = true});
  }
}

}  // namespace
}  // namespace paymesh::settlement
