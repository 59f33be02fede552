#include "services/settlement/workers/posting_convert.h"

#include <algorithm>
#include <cctype>

#include "common/evm/create2.h"
#include "common/evm/keccak.h"
#include "common/money/amount.h"

namespace paymesh::settlement {
namespace {

Time ToTime(const google::protobuf::Timestamp& time) {
  return Time(std::chrono::seconds(time.seconds()) +
              std::chrono::microseconds(time.nanos() / 1'000));
}

Error BadEvent(const std::string& what) { return Error::Internal("BAD_EVENT: " + what); }

BlockEvidence ToBlock(const std::string& chain, const type::v1::BlockRef& block) {
  return {chain, block.number(), block.hash(), ToTime(block.time())};
}

std::optional<EvidenceState> ToState(watcher::v1::TransferState state) {
  switch (state) {
    case watcher::v1::TRANSFER_STATE_INCLUDED:
      return EvidenceState::kIncluded;
    case watcher::v1::TRANSFER_STATE_SAFE:
      return EvidenceState::kSafe;
    case watcher::v1::TRANSFER_STATE_FINALIZED:
      return EvidenceState::kFinalized;
    case watcher::v1::TRANSFER_STATE_ORPHANED:
      return EvidenceState::kOrphaned;
    default:
      return std::nullopt;
  }
}

// Anything else than the three levels is read as the strictest.
EvidenceState ToPolicy(type::v1::Finality finality) {
  switch (finality) {
    case type::v1::FINALITY_INCLUDED:
      return EvidenceState::kIncluded;
    case type::v1::FINALITY_SAFE:
      return EvidenceState::kSafe;
    default:
      return EvidenceState::kFinalized;
  }
}

Disposition ToDisposition(checkout::v1::TransferDisposition disposition) {
  switch (disposition) {
    case checkout::v1::TRANSFER_DISPOSITION_EXTRA:
      return Disposition::kExtra;
    case checkout::v1::TRANSFER_DISPOSITION_LATE:
      return Disposition::kLate;
    case checkout::v1::TRANSFER_DISPOSITION_WRONG_ASSET:
      return Disposition::kWrongAsset;
    default:
      return Disposition::kMatched;
  }
}

// An absent amount is zero.
Result<U256> ToValue(const type::v1::Amount& amount) {
  if (amount.value().empty()) return U256();
  return U256::FromDecimal(amount.value());
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Why the address is not believed; empty when it is.
std::string WhyRefused(const checkout::v1::Payment& payment, const KnownFactories& factories) {
  const std::string factory = Lower(payment.factory_address());
  const std::string init_code = Lower(payment.factory_init_code_hash());
  if (!factories.contains({factory, init_code})) return "the factory is not one of ours";
  const Result<evm::Address> deployer = evm::Address::Parse(factory);
  const Result<evm::Hash32> hash = evm::Hash32::Parse(init_code);
  if (!deployer.ok() || !hash.ok()) return "the factory is malformed";
  const evm::Hash32 salt = evm::Keccak256(payment.payment_id());
  if (evm::Create2Address(*deployer, salt, *hash).ToHex() != Lower(payment.deposit_address())) {
    return "the address is not what the factory makes of the payment's id";
  }
  return "";
}

Result<Allocation> ToAllocation(const checkout::v1::PaymentTransfer& transfer) {
  Allocation one;
  one.transfer_id = transfer.transfer_id();
  one.block_hash = transfer.block().hash();
  one.disposition = ToDisposition(transfer.disposition());
  one.decided = transfer.decided();
  one.orphaned = transfer.orphaned();
  ASSIGN_OR_RETURN(one.accepted, ToValue(transfer.accepted()));
  ASSIGN_OR_RETURN(one.refundable, ToValue(transfer.refundable()));
  return one;
}

}  // namespace

Result<Evidence> ToEvidence(const watcher::v1::Transfer& transfer) {
  const std::optional<EvidenceState> state = ToState(transfer.state());
  if (!state) return BadEvent(transfer.transfer_id() + " has no state");
  ASSIGN_OR_RETURN(const Amount amount,
                   Amount::Parse(transfer.amount().unit(), transfer.amount().value()));
  if (transfer.transfer_id().empty() || transfer.block().hash().empty()) {
    return BadEvent("a transfer without id or block");
  }
  Evidence one;
  one.transfer_id = transfer.transfer_id();
  one.revision = transfer.revision();
  one.state = *state;
  one.ordinal = transfer.ordinal();
  one.transaction_hash = transfer.transaction_hash();
  one.unit = amount.unit.ToString();
  one.amount = amount.value;
  one.from_address = transfer.from_address();
  one.to_address = transfer.to_address();
  one.block = ToBlock(transfer.chain(), transfer.block());
  return one;
}

ChainProgress ToProgress(const watcher::v1::Checkpoint& checkpoint) {
  ChainProgress progress;
  progress.chain = checkpoint.chain();
  progress.block_number = checkpoint.block().number();
  progress.block_hash = checkpoint.block().hash();
  progress.finalized_number = checkpoint.finalized_block().number();
  progress.finalized_hash = checkpoint.finalized_block().hash();
  progress.finalized_time = ToTime(checkpoint.finalized_block().time());
  return progress;
}

DepositRow ToDeposit(const checkout::v1::Payment& payment, const KnownFactories& factories) {
  DepositRow row;
  row.payment_id = payment.payment_id();
  row.merchant_id = payment.merchant_id();
  row.factory = Lower(payment.factory_address());
  row.revision = payment.revision();
  row.state = checkout::v1::PaymentState_Name(payment.state());
  if (!payment.deposit_address().empty()) {
    row.refused = WhyRefused(payment, factories);
    if (row.refused.empty()) row.address = Lower(payment.deposit_address());
  }
  checkout::v1::Payment kept;
  kept.set_state(payment.state());
  *kept.mutable_flags() = payment.flags();
  *kept.mutable_transfers() = payment.transfers();
  kept.set_confirmation_policy(payment.confirmation_policy());
  *kept.mutable_fee_plan() = payment.fee_plan();
  if (payment.has_gross()) *kept.mutable_gross() = payment.gross();
  if (payment.has_fee()) *kept.mutable_fee() = payment.fee();
  row.terms = kept.SerializeAsString();
  return row;
}

Result<Terms> ToTerms(const DepositRow& row) {
  checkout::v1::Payment payment;
  if (!payment.ParseFromString(row.terms)) return BadEvent("terms of " + row.payment_id);
  Terms terms;
  terms.payment_id = row.payment_id;
  terms.merchant_id = row.merchant_id;
  terms.address = row.address.value_or("");
  terms.revision = row.revision;
  terms.policy = ToPolicy(payment.confirmation_policy());
  terms.in_review = payment.state() == checkout::v1::PAYMENT_STATE_REQUIRES_REVIEW;
  terms.reversed = payment.state() == checkout::v1::PAYMENT_STATE_REVERSED;
  terms.on_hold = std::any_of(payment.flags().begin(), payment.flags().end(),
                              [](int flag) { return flag == checkout::v1::PAYMENT_FLAG_ON_HOLD; });
  terms.fee_plan.basis_points = payment.fee_plan().basis_points();
  for (const type::v1::Amount& fixed : payment.fee_plan().fixed()) {
    ASSIGN_OR_RETURN(terms.fee_plan.fixed[fixed.unit()], ToValue(fixed));
  }
  for (const checkout::v1::PaymentTransfer& transfer : payment.transfers()) {
    ASSIGN_OR_RETURN(Allocation one, ToAllocation(transfer));
    terms.allocations.push_back(std::move(one));
  }
  if (payment.has_gross()) {
    terms.gross_unit = payment.gross().unit();
    ASSIGN_OR_RETURN(terms.gross, ToValue(payment.gross()));
  }
  if (payment.has_fee()) {
    ASSIGN_OR_RETURN(terms.fee, ToValue(payment.fee()));
  }
  return terms;
}

}  // namespace paymesh::settlement
