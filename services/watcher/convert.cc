#include "services/watcher/convert.h"

namespace paymesh::watcher {
namespace {

std::string BytesOf(evm::ByteView bytes) { return {bytes.begin(), bytes.end()}; }

pb::TransferState ToProto(TransferState state) {
  switch (state) {
    case TransferState::kIncluded:
      return pb::TRANSFER_STATE_INCLUDED;
    case TransferState::kSafe:
      return pb::TRANSFER_STATE_SAFE;
    case TransferState::kFinalized:
      return pb::TRANSFER_STATE_FINALIZED;
    case TransferState::kOrphaned:
      return pb::TRANSFER_STATE_ORPHANED;
  }
  return pb::TRANSFER_STATE_UNSPECIFIED;
}

pb::TransactionState ToProto(TransactionState state) {
  switch (state) {
    case TransactionState::kPending:
      return pb::TRANSACTION_STATE_PENDING;
    case TransactionState::kIncluded:
      return pb::TRANSACTION_STATE_INCLUDED;
    case TransactionState::kSafe:
      return pb::TRANSACTION_STATE_SAFE;
    case TransactionState::kFinalized:
      return pb::TRANSACTION_STATE_FINALIZED;
    case TransactionState::kOrphaned:
      return pb::TRANSACTION_STATE_ORPHANED;
  }
  return pb::TRANSACTION_STATE_UNSPECIFIED;
}

}  // namespace

void ToProto(const BlockMark& block, ::paymesh::type::v1::BlockRef* out) {
  out->set_number(block.id.number);
  out->set_hash(block.id.hash.ToHex());
  out->mutable_time()->set_seconds(static_cast<std::int64_t>(block.time_seconds));
}

std::string TokenUnit(const std::string& chain, const evm::Address& token) {
  return "caip19/" + chain + "/erc20:" + token.ToHex();
}

pb::Transfer ToProto(const Transfer& transfer) {
  const Match& evidence = transfer.evidence;
  pb::Transfer out;
  out.set_transfer_id(transfer.id);
  out.set_chain(transfer.chain);
  out.set_transaction_hash(evidence.transaction_hash.ToHex());
  out.set_ordinal(evidence.ordinal);
  out.set_log_index(evidence.log_index);
  out.mutable_amount()->set_unit(TokenUnit(transfer.chain, evidence.token));
  out.mutable_amount()->set_value(evidence.amount.ToString());
  out.set_from_address(evidence.from.ToHex());
  out.set_to_address(evidence.to.ToHex());
  ToProto({evidence.block, evidence.block_time_seconds}, out.mutable_block());
  out.set_state(ToProto(transfer.state));
  out.set_revision(transfer.revision);
  out.set_reorg_count(transfer.reorg_count);
  return out;
}

pb::Receipt ToProto(const Receipt& receipt) {
  pb::Receipt out;
  out.set_success(receipt.success);
  out.set_gas_used(receipt.gas_used);
  out.set_effective_gas_price(receipt.effective_gas_price.ToString());
  out.set_data_fee(receipt.data_fee.ToString());
  std::uint32_t ordinal = 0;
  for (const ReceiptLog& log : receipt.logs) {
    pb::TransactionLog* entry = out.add_logs();
    entry->set_address(log.address.ToHex());
    for (const evm::Hash32& topic : log.topics) entry->add_topics(BytesOf(topic.view()));
    entry->set_data(BytesOf(log.data));
    entry->set_ordinal(ordinal++);
  }
  return out;
}

Result<Receipt> FromProto(const pb::Receipt& receipt) {
  Receipt out;
  out.success = receipt.success();
  out.gas_used = receipt.gas_used();
  ASSIGN_OR_RETURN(out.effective_gas_price, U256::FromDecimal(receipt.effective_gas_price()));
  ASSIGN_OR_RETURN(out.data_fee, U256::FromDecimal(receipt.data_fee()));
  for (const pb::TransactionLog& entry : receipt.logs()) {
    ReceiptLog log;
    ASSIGN_OR_RETURN(log.address, evm::Address::Parse(entry.address()));
    for (const std::string& topic : entry.topics()) {
      ASSIGN_OR_RETURN(const evm::Hash32 word, evm::Hash32::FromBytes(evm::AsBytes(topic)));
      log.topics.push_back(word);
    }
    const evm::ByteView data = evm::AsBytes(entry.data());
    log.data.assign(data.begin(), data.end());
    out.logs.push_back(std::move(log));
  }
  return out;
}

pb::Transaction ToProto(const TrackedTransaction& transaction) {
  pb::Transaction out;
  out.set_chain(transaction.chain);
  out.set_transaction_hash(transaction.hash.ToHex());
  out.set_from_address(transaction.from.ToHex());
  out.set_nonce(transaction.nonce);
  out.set_state(ToProto(transaction.state));
  if (transaction.block) {
    ToProto({*transaction.block, transaction.block_time_seconds}, out.mutable_block());
  }
  if (transaction.receipt) *out.mutable_receipt() = ToProto(*transaction.receipt);
  const std::int64_t micros = transaction.create_time.time_since_epoch().count();
  out.mutable_create_time()->set_seconds(micros / 1'000'000);
  out.mutable_create_time()->set_nanos(static_cast<std::int32_t>(micros % 1'000'000 * 1'000));
  out.set_revision(transaction.revision);
  return out;
}

std::string TransferPayload(const Transfer& transfer) {
  pb::TransferEvent event;
  *event.mutable_transfer() = ToProto(transfer);
  return event.SerializeAsString();
}

std::string TransactionPayload(const TrackedTransaction& transaction) {
  pb::TransactionEvent event;
  *event.mutable_transaction() = ToProto(transaction);
  return event.SerializeAsString();
}

std::string CheckpointPayload(const CheckpointFacts& facts) {
  pb::TransferEvent event;
  pb::Checkpoint* checkpoint = event.mutable_checkpoint();
  checkpoint->set_chain(facts.chain);
  ToProto(facts.head, checkpoint->mutable_block());
  ToProto(facts.safe, checkpoint->mutable_safe_block());
  ToProto(facts.finalized, checkpoint->mutable_finalized_block());
  checkpoint->set_reorg_depth(facts.reorg_depth);
  return event.SerializeAsString();
}

std::string ChainHaltPayload(const std::string& chain, Halt halt, const std::string& reason) {
  pb::TransferEvent event;
  event.mutable_chain_halt()->set_chain(chain);
  event.mutable_chain_halt()->set_halted(halt == Halt::kStopped);
  event.mutable_chain_halt()->set_reason(reason);
  return event.SerializeAsString();
}

}  // namespace paymesh::watcher
