#include "services/settlement/store/payout_convert.h"

#include <google/protobuf/util/time_util.h>

#include <chrono>

#include "services/settlement/store/payout_pause.h"

namespace paymesh::settlement {
namespace {

google::protobuf::Timestamp ToTimestamp(Time time) {
  return google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(time.time_since_epoch().count());
}

void SetAmount(type::v1::Amount& amount, const std::string& unit, const U256& value) {
  amount.set_unit(unit);
  amount.set_value(value.ToString());
}

}  // namespace

v1::PayoutDestination ToMessage(const DestinationRow& row) {
  v1::PayoutDestination out;
  out.set_destination_id(row.destination_id);
  out.set_merchant_id(row.merchant_id);
  out.set_unit(row.unit);
  out.set_address(row.address);
  out.set_display_name(row.display_name);
  out.set_state(row.state == DestinationState::kApproved ? v1::DESTINATION_STATE_APPROVED
                                                         : v1::DESTINATION_STATE_AWAITING_APPROVAL);
  out.set_creator(row.creator);
  out.set_approver(row.approver.value_or(""));
  *out.mutable_create_time() = ToTimestamp(row.create_time);
  if (row.approve_time) *out.mutable_approve_time() = ToTimestamp(*row.approve_time);
  if (row.usable_time) *out.mutable_usable_time() = ToTimestamp(*row.usable_time);
  return out;
}

v1::PayoutPlan ToMessage(const PlanRow& row) {
  v1::PayoutPlan out;
  out.set_merchant_id(row.merchant_id);
  out.set_unit(row.unit);
  out.set_destination_id(row.destination_id);
  out.set_schedule(static_cast<v1::PayoutSchedule>(static_cast<int>(row.schedule) + 1));
  SetAmount(*out.mutable_minimum(), row.unit, row.minimum);
  *out.mutable_update_time() = ToTimestamp(row.update_time);
  return out;
}

v1::ChainTransaction ToMessage(const SlotRow& row) {
  v1::ChainTransaction out;
  out.set_chain_transaction_id(row.slot.id);
  out.set_chain(row.wallet.chain);
  out.set_wallet(row.wallet.address);
  out.set_nonce(row.slot.nonce);
  out.set_state(std::string(SlotStateName(row.slot.state)));
  for (const Attempt& attempt : row.slot.attempts) {
    v1::TransactionAttempt& message = *out.add_attempts();
    message.set_transaction_hash(attempt.hash.ToHex());
    message.set_max_fee_per_gas(attempt.fees.max_fee.ToString());
    message.set_max_priority_fee_per_gas(attempt.fees.max_priority_fee.ToString());
    *message.mutable_sign_time() = ToTimestamp(attempt.sign_time);
    message.set_broadcast_count(attempt.broadcast_count);
  }
  return out;
}

namespace {

// What stops a reserved payout at this moment comes before what was found out about it earlier.
std::string StatusReason(pg::Transaction& tx, const PayoutRow& row) {
  if (row.state != PayoutState::kReserved) return row.status_reason;
  std::string pause = PauseReason(tx, row.chain, row.unit, row.merchant_id);
  return pause.empty() ? row.status_reason : pause;
}

}  // namespace

v1::Payout LoadPayoutMessage(pg::Transaction& tx, const PayoutRow& row) {
  v1::Payout out;
  out.set_payout_id(row.payout_id);
  out.set_merchant_id(row.merchant_id);
  out.set_destination_id(row.destination_id);
  out.set_address(row.address);
  SetAmount(*out.mutable_amount(), row.unit, row.amount);
  out.set_state(ToMessage(row.state));
  out.set_creator(row.creator);
  out.set_approver(row.approver.value_or(""));
  for (const PayoutLine& line : Lines(tx, row.payout_id)) {
    v1::PayoutLine& message = *out.add_lines();
    message.set_payment_id(line.payment_id);
    SetAmount(*message.mutable_amount(), row.unit, line.amount);
  }
  for (const SlotRow& slot : SlotsOfPayout(tx, row.payout_id)) {
    *out.add_transactions() = ToMessage(slot);
  }
  out.set_transaction_hash(row.transaction_hash);
  out.set_status_reason(StatusReason(tx, row));
  *out.mutable_create_time() = ToTimestamp(row.create_time);
  *out.mutable_update_time() = ToTimestamp(row.update_time);
  out.set_revision(row.revision);
  return out;
}

// The contract's numbers follow the states in order, after UNSPECIFIED.
v1::PayoutState ToMessage(PayoutState state) {
  return static_cast<v1::PayoutState>(static_cast<int>(state) + 1);
}

std::optional<PayoutState> FromMessage(v1::PayoutState state) {
  const int number = static_cast<int>(state) - 1;
  if (number < 0 || number >= static_cast<int>(kPayoutStates)) return std::nullopt;
  return static_cast<PayoutState>(number);
}

std::optional<PlanSchedule> FromMessage(v1::PayoutSchedule schedule) {
  const int number = static_cast<int>(schedule) - 1;
  if (number < 0 || number > static_cast<int>(PlanSchedule::kDaily)) return std::nullopt;
  return static_cast<PlanSchedule>(number);
}

}  // namespace paymesh::settlement
