#include "services/checkout/usecases/apply_transfers.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "paymesh/watcher/v1/transfer_service.pb.h"
#include "services/checkout/convert.h"
#include "services/checkout/store/chain_store.h"

namespace paymesh::checkout {
namespace {
namespace watcherpb = ::paymesh::watcher::v1;

Finality FinalityOfState(watcherpb::TransferState state) {
  switch (state) {
    case watcherpb::TRANSFER_STATE_SAFE:
      return Finality::kSafe;
    case watcherpb::TRANSFER_STATE_FINALIZED:
      return Finality::kFinalized;
    case watcherpb::TRANSFER_STATE_INCLUDED:
      return Finality::kIncluded;
    default:
      return Finality::kNone;
  }
}

Block ToBlock(const typepb::BlockRef& block) {
  return {block.number(), block.hash(), FromProto(block.time())};
}

Result<TransferUpdate> ToUpdate(const watcherpb::Transfer& transfer) {
  ASSIGN_OR_RETURN(const Amount amount, FromProto(transfer.amount(), "transfer.amount"));
  TransferUpdate update{.transfer_id = transfer.transfer_id(),
                        .chain = transfer.chain(),
                        .transaction_hash = transfer.transaction_hash(),
                        .amount = amount,
                        .from_address = transfer.from_address(),
                        .to_address = transfer.to_address()};
  update.finality = FinalityOfState(transfer.state());
  update.block = ToBlock(transfer.block());
  update.orphaned = transfer.state() == watcherpb::TRANSFER_STATE_ORPHANED;
  update.revision = transfer.revision();
  return update;
}

ChainProgress ToProgress(const watcherpb::Checkpoint& checkpoint) {
  return {.chain = checkpoint.chain(),
          .block = ToBlock(checkpoint.block()),
          .safe_number = checkpoint.safe_block().number(),
          .finalized_number = checkpoint.finalized_block().number()};
}

// The entries of one batch, sorted by what they concern.
struct Parsed {
  std::vector<TransferUpdate> transfers;          // in order
  std::map<std::string, ChainProgress> progress;  // the last of each chain
  std::vector<watcherpb::ChainHalt> halts;
};

Result<Parsed> Parse(const std::vector<outbox::Entry>& entries) {
  Parsed parsed;
  for (const outbox::Entry& entry : entries) {
    watcherpb::TransferEvent event;
    if (!event.ParseFromString(entry.payload)) {
      return Error::Internal("an entry of the watcher's journal does not parse");
    }
    if (event.has_transfer()) {
      ASSIGN_OR_RETURN(TransferUpdate update, ToUpdate(event.transfer()));
      parsed.transfers.push_back(std::move(update));
    } else if (event.has_checkpoint()) {
      parsed.progress[event.checkpoint().chain()] = ToProgress(event.checkpoint());
    } else if (event.has_chain_halt()) {
      parsed.halts.push_back(event.chain_halt());
    }
  }
  return parsed;
}

Status ApplyToPayments(pg::Transaction& tx, const Rules& rules,
                       const std::vector<TransferUpdate>& transfers, const OnChanges& on_changes) {
  if (transfers.empty()) return {};
  std::vector<std::string> addresses;
  for (const TransferUpdate& update : transfers) addresses.push_back(update.to_address);
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  std::map<std::string, std::string> owner;
  std::vector<std::string> ids;
  for (const AddressOwner& found : FindByAddress(tx, addresses)) {
    owner[found.deposit_address] = found.payment_id;
    ids.push_back(found.payment_id);
  }
  if (ids.empty()) return {};
  ASSIGN_OR_RETURN(PaymentBatch batch, PaymentBatch::Load(tx, rules, ids));
  for (const TransferUpdate& update : transfers) {
    const auto found = owner.find(update.to_address);
    if (found != owner.end()) RETURN_IF_ERROR(batch.Apply(found->second, update));
  }
  RETURN_IF_ERROR(batch.Save(tx));
  if (on_changes) on_changes(batch.changes());
  return {};
}

}  // namespace

Status ApplyTransfers(pg::Transaction& tx, const Rules& rules,
                      const std::vector<outbox::Entry>& entries, const OnChanges& on_changes) {
  ASSIGN_OR_RETURN(const Parsed parsed, Parse(entries));
  RETURN_IF_ERROR(ApplyToPayments(tx, rules, parsed.transfers, on_changes));
  for (const auto& [chain, progress] : parsed.progress) SaveProgress(tx, progress);
  for (const watcherpb::ChainHalt& halt : parsed.halts) {
    SaveHalt(tx, halt.chain(), halt.halted(), halt.reason());
  }
  return {};
}

}  // namespace paymesh::checkout
