// Sends the transactions of one operator wallet: drafts nonce slots, has them signed, stores the
// bytes, and only then hands them to the chain; resends, pays more, fills holes. It remembers
// nothing between two turns: every turn starts from what the store says, so a crash anywhere is the
// same as the end of a turn. One strand.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/error/error.h"
#include "common/runtime/task.h"
#include "services/settlement/domain/chain_transaction.h"
#include "services/settlement/domain/chain_transaction_call.h"
#include "services/settlement/workers/sender_ports.h"

namespace paymesh::settlement {

struct SenderOptions {
  std::uint64_t chain_id = 0;
  evm::Address vault;
  evm::Address factory;
  GasLimits gas;
  SendPolicy policy;
  std::size_t max_open_slots = 8;  // unsent or unmined at a time
  std::size_t max_pay_batch = 20;
  bool sweeps = true;
  // How long a nonce must look used, with the use final, before its slot is given up.
  std::chrono::milliseconds foreign_grace{60'000};
};

// What people and metrics hear of. Any of them may be empty.
struct SenderObserver {
  std::function<void(Alarm alarm, const std::string& slot_id)> alarm = {};
  std::function<void(const std::string& slot_id, const std::string& reason)> lost = {};
  // The signer's answer: its error's reason, or "".
  std::function<void(std::string_view reason)> signed_by_signer = {};
  std::function<void(Reply reply)> replied = {};
  std::function<void(const std::string& what, const Error& error)> failed = {};
  // Between "the chain's next nonce" and "our lowest slot that is not mined": a hole when above 0.
  std::function<void(std::uint64_t nonce_gap)> gap = {};
};

class Sender {
 public:
  // The parts must outlive the sender.
  Sender(SenderOptions options, SenderStore& store, SenderChain& chain, Signer& signer,
         SenderObserver observer = {});

  // One turn under the lease's epoch: whether anything was done, so that another turn is worth
  // while at once. An error ends the turn; the next one starts afresh.
  Task<Result<bool>> Turn(std::int64_t epoch);

 private:
  Task<Result<bool>> TurnOn(std::int64_t epoch, WalletView view);
  Task<Result<bool>> RepairNonces(std::int64_t epoch, const WalletView& view,
                                  const AccountNonces& nonces);
  Task<Result<bool>> Work(std::int64_t epoch, const OpenSlot& open, const WalletView& view,
                          const AccountNonces& nonces);
  Task<Result<bool>> Sign(std::int64_t epoch, const OpenSlot& open, Fees fees, Time now);
  Task<Result<bool>> Send(const OpenSlot& open, std::size_t index);
  Task<Result<bool>> LookUp(std::int64_t epoch, const OpenSlot& open, Time now,
                            const AccountNonces& nonces);
  Task<Result<bool>> GiveUp(std::int64_t epoch, const OpenSlot& open);
  struct Room;
  Task<Result<bool>> DraftPayouts(std::int64_t epoch);
  Task<Result<std::string>> ProblemWith(const PayItem& item, const Room& room);
  Task<Result<bool>> DraftSweep(std::int64_t epoch);
  Task<Status> Explain(const OpenSlot& open, Alarm alarm);
  Task<std::optional<Market>> AskMarket();

  const SenderOptions options_;
  SenderStore& store_;
  SenderChain& chain_;
  Signer& signer_;
  const SenderObserver observer_;
};

}  // namespace paymesh::settlement
