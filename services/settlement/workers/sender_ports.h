// What the sender of one operator wallet needs of the world, in its own words: a store, a chain and
// a signer. Production has PostgreSQL, the watcher and a keystore behind them; the simulation has
// fakes that fail at every step. Implementations: one strand.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error/error.h"
#include "common/evm/address.h"
#include "common/evm/bytes.h"
#include "common/evm/transaction.h"
#include "common/runtime/task.h"
#include "services/settlement/domain/chain_transaction.h"
#include "services/settlement/domain/chain_transaction_call.h"

namespace paymesh::settlement {

// A slot that is not mined, with what it is to do.
struct OpenSlot {
  Slot slot;
  Call call;
  std::vector<std::string> payout_ids = {};
  std::optional<Time> used_since = std::nullopt;
};

struct WalletView {
  Time now{};  // the database's clock: the only one that decides
  std::uint64_t next_nonce = 0;
  std::uint64_t first_open_nonce = 0;  // of what is not final; next_nonce when all is
  // What is not mined, lowest nonce first, as many as a turn looks at. What is mined is the
  // follower's to finish, and comes back into view when its block leaves the chain.
  std::vector<OpenSlot> open;
  std::size_t unmined = 0;  // how many there are, shown or not
  bool chain_paused = false;
};

struct PayoutCandidate {
  PayItem item;
  std::string unit;
};
// Reserved payouts that nothing pauses, oldest first, and what each token already owes to payouts
// in flight. All are read before the vault is asked: what is mined or becomes final in between is
// then counted twice, never not at all.
struct PayoutQueue {
  std::vector<PayoutCandidate> candidates;
  std::map<std::string, U256> in_flight;  // by unit; not final
  std::map<std::string, U256> unmined;    // of these, what no block has yet
};

struct SweepBatch {
  std::string unit;
  evm::Address token;
  std::vector<std::string> payment_ids;
};

// Every change is guarded by the lease's epoch: ABORTED LEASE_LOST.
class SenderStore {
 public:
  virtual ~SenderStore() = default;
  // Nothing: the wallet is not initialised.
  virtual Task<Result<std::optional<WalletView>>> Load() = 0;
  virtual Task<Status> InitializeWallet(std::int64_t epoch, std::uint64_t nonce) = 0;
  // Nonces in [latest, next) without a slot of any state.
  virtual Task<Result<std::vector<std::uint64_t>>> MissingNonces(std::uint64_t latest) = 0;
  virtual Task<Status> DraftNoop(std::int64_t epoch, std::uint64_t nonce, Call noop) = 0;
  // Nonces up to `finalized` (exclusive) that final transactions of somebody else took.
  virtual Task<Status> RecordForeign(std::int64_t epoch, std::uint64_t finalized) = 0;

  virtual Task<Result<PayoutQueue>> Payouts(int limit) = 0;
  virtual Task<Status> Park(std::int64_t epoch, std::string payout_id, std::string reason) = 0;
  // One transaction: takes the next nonce, binds the payouts to it and moves them to SUBMITTED.
  // Fails whole when one of them changed meanwhile.
  virtual Task<Status> DraftPayouts(std::int64_t epoch, std::vector<PayItem> items, Call call) = 0;
  virtual Task<Result<std::optional<SweepBatch>>> NextSweep() = 0;
  virtual Task<Status> DraftSweep(std::int64_t epoch, SweepBatch batch, Call call) = 0;

  // Why the slot's payouts may not be signed for at present (a merchant or a token is paused), or
  // "".
  virtual Task<Result<std::string>> PausedReason(std::vector<std::string> payout_ids) = 0;
  // Gives a draft up: its payouts are reserved again, its nonce becomes a no-op. Only while nothing
  // is stored for it.
  virtual Task<Status> WithdrawDraft(std::int64_t epoch, std::string slot_id, Call noop,
                                     std::string reason) = 0;
  // Stores signed bytes if the slot is what it was (`revision`) and may still be signed for.
  virtual Task<Status> StoreSigned(std::int64_t epoch, std::string slot_id, std::int64_t revision,
                                   Attempt attempt) = 0;
  virtual Task<Status> RecordReply(std::string slot_id, evm::Hash32 hash, Reply reply) = 0;
  virtual Task<Status> MarkUsed(std::int64_t epoch, std::string slot_id, bool used) = 0;
  // The nonce went to somebody else's final transaction: the slot is REPLACED, its payouts are
  // reserved again, and the chain is paused until a person has looked.
  virtual Task<Status> Lose(std::int64_t epoch, std::string slot_id, std::string reason) = 0;
  // Why the slot waits, for people.
  virtual Task<Status> Explain(std::string slot_id, std::string reason) = 0;
};

struct AccountNonces {
  std::uint64_t latest = 0;
  std::uint64_t pending = 0;
  std::uint64_t finalized = 0;
};

// Where the watcher knows a transaction of ours to be.
enum class Whereabouts { kUnknown, kPending, kInBlock };

class SenderChain {
 public:
  virtual ~SenderChain() = default;
  virtual Task<Result<AccountNonces>> Nonces() = 0;
  virtual Task<Result<Market>> Fees() = 0;
  // The vault's balances at the highest final block, by unit.
  virtual Task<Result<std::map<std::string, U256>>> VaultBalances(
      std::vector<std::string> units) = 0;
  // What the vault's limits of the day leave at the newest block, by unit.
  virtual Task<Result<std::map<std::string, U256>>> DailyAllowances(
      std::vector<std::string> units) = 0;
  // A dry run of one payout from the operator's wallet at the newest block: the reason why it would
  // fail, or "".
  virtual Task<Result<std::string>> DryRun(PayItem item) = 0;
  // Vault.paid at the highest final block.
  virtual Task<Result<bool>> IsPaid(std::string payout_id) = 0;
  virtual Task<Result<Reply>> Broadcast(evm::Bytes raw) = 0;
  virtual Task<Result<Whereabouts>> Find(evm::Hash32 hash) = 0;
};

// Keeps a key and signs with it. It may be slow or away (a key service), so it is asked outside any
// transaction; what it returns is checked before it is believed.
class Signer {
 public:
  virtual ~Signer() = default;
  virtual const evm::Address& address() const = 0;
  // The raw signed envelope.
  virtual Task<Result<evm::Bytes>> Sign(evm::Transaction transaction) = 0;
};

}  // namespace paymesh::settlement
