#include "services/checkout/convert.h"

#include <utility>

#include "common/evm/address.h"
#include "common/evm/eip681.h"

namespace paymesh::checkout {
namespace {

constexpr std::int64_t kMicrosecondsOfSecond = 1'000'000;

typepb::Rate RateToProto(const QuotedRate& rate) {
  typepb::Rate out;
  out.set_base_unit(rate.base_unit);
  out.set_quote_unit(rate.quote_unit);
  out.set_numerator(rate.numerator);
  out.set_denominator(rate.denominator);
  out.set_source(rate.source);
  *out.mutable_observe_time() = ToProto(rate.observe_time);
  return out;
}

QuotedRate RateFromProto(const typepb::Rate& rate) {
  return {rate.base_unit(),   rate.quote_unit(), rate.numerator(),
          rate.denominator(), rate.source(),     FromProto(rate.observe_time())};
}

std::string PaymentUri(const Terms& terms, const Option& option) {
  const Result<evm::Address> recipient = evm::Address::Parse(terms.deposit_address);
  if (!recipient.ok() || !option.due.unit.asset()) return "";
  const AssetId& asset = *option.due.unit.asset();
  return evm::BuildUri({.token = evm::Address::Of(asset),
                        .chain_id = asset.chain().number(),
                        .recipient = *recipient,
                        .value = option.due.value});
}

pb::PaymentOption OptionTerms(const Option& option) {
  pb::PaymentOption out;
  out.set_option_id(option.option_id);
  out.set_chain(option.chain);
  *out.mutable_due() = ToProto(option.due);
  if (option.rate) *out.mutable_rate() = RateToProto(*option.rate);
  out.set_rank(option.rank);
  for (const std::string& reason : option.reasons) out.add_reasons(reason);
  const std::int64_t ms = option.confirm_time.count();
  out.mutable_confirm_time()->set_seconds(ms / 1000);
  out.mutable_confirm_time()->set_nanos(static_cast<std::int32_t>(ms % 1000) * 1'000'000);
  out.set_symbol(option.symbol);
  out.set_decimals(option.decimals);
  return out;
}

void FillOption(const Payment& payment, const Option& option, pb::PaymentOption* out) {
  const Unit& unit = option.due.unit;
  const Arrived arrived = ArrivedIn(payment, unit);
  *out->mutable_seen() = ToProto(unit, arrived.seen);
  *out->mutable_confirmed() = ToProto(unit, arrived.confirmed);
  *out->mutable_finalized() = ToProto(unit, arrived.finalized);
  *out->mutable_remaining() = ToProto(unit, SaturatingSub(option.due.value, arrived.seen));
  out->set_bound(option.option_id == payment.bound_option_id);
  if (!payment.registered) return;
  out->set_deposit_address(payment.terms.deposit_address);
  out->set_payment_uri(PaymentUri(payment.terms, option));
}

pb::TimelineEntry EntryToProto(const TimelineEntry& entry) {
  pb::TimelineEntry out;
  out.set_kind(entry.kind);
  *out.mutable_time() = ToProto(entry.time);
  out.set_message(entry.message);
  out.set_transaction_hash(entry.transaction_hash);
  out.set_object_id(entry.object_id);
  out.set_chain(entry.chain);
  return out;
}

pb::PaymentTransfer TransferToProto(const Transfer& transfer) {
  pb::PaymentTransfer out;
  const Unit& unit = transfer.amount.unit;
  out.set_transfer_id(transfer.transfer_id);
  out.set_chain(transfer.chain);
  out.set_transaction_hash(transfer.transaction_hash);
  *out.mutable_amount() = ToProto(transfer.amount);
  out.set_from_address(transfer.from_address);
  out.set_to_address(transfer.to_address);
  out.set_finality(static_cast<typepb::Finality>(transfer.finality));
  out.mutable_block()->set_number(transfer.block.number);
  out.mutable_block()->set_hash(transfer.block.hash);
  *out.mutable_block()->mutable_time() = ToProto(transfer.block.time);
  out.set_disposition(static_cast<pb::TransferDisposition>(transfer.disposition));
  *out.mutable_accepted() = ToProto(unit, transfer.accepted);
  *out.mutable_refundable() = ToProto(unit, transfer.refundable);
  out.set_decided(transfer.decided);
  out.set_orphaned(transfer.orphaned);
  return out;
}

// What both forms of a payment have in common.
pb::Payment Common(const Payment& payment) {
  const Terms& terms = payment.terms;
  pb::Payment out;
  out.set_payment_id(terms.payment_id);
  out.set_merchant_id(terms.merchant_id);
  out.set_reference(terms.reference);
  out.set_description(terms.description);
  out.mutable_metadata()->insert(terms.metadata.begin(), terms.metadata.end());
  *out.mutable_price() = ToProto(terms.price);
  *out.mutable_create_time() = ToProto(terms.create_time);
  out.set_confirmation_policy(static_cast<typepb::Finality>(terms.policy));
  *out.mutable_fee_plan() = ToProto(terms.fee_plan);
  out.set_underpayment_tolerance_basis_points(terms.tolerance_basis_points);
  out.set_decision_id(terms.decision_id);
  out.set_factory_address(terms.factory_address);
  out.set_factory_init_code_hash(terms.factory_init_code_hash);
  for (const Option& option : terms.options) *out.add_options() = OptionTerms(option);
  return out;
}

Result<FeePlan> FeePlanFromProto(const pb::FeePlan& plan) {
  FeePlan out{.basis_points = plan.basis_points()};
  for (const typepb::Amount& fixed : plan.fixed()) {
    ASSIGN_OR_RETURN(const Amount amount, FromProto(fixed, "fee_plan.fixed"));
    out.fixed[amount.unit] = amount.value;
  }
  return out;
}

Result<Option> OptionFromProto(const pb::PaymentOption& stored) {
  ASSIGN_OR_RETURN(const Amount due, FromProto(stored.due(), "due"));
  Option option{.option_id = stored.option_id(), .chain = stored.chain(), .due = due};
  if (stored.has_rate()) option.rate = RateFromProto(stored.rate());
  option.rank = stored.rank();
  option.reasons.assign(stored.reasons().begin(), stored.reasons().end());
  option.confirm_time = std::chrono::milliseconds(stored.confirm_time().seconds() * 1000 +
                                                  stored.confirm_time().nanos() / 1'000'000);
  option.symbol = stored.symbol();
  option.decimals = stored.decimals();
  return option;
}

}  // namespace

google::protobuf::Timestamp ToProto(Time time) {
  google::protobuf::Timestamp out;
  const std::int64_t microseconds = time.time_since_epoch().count();
  std::int64_t seconds = microseconds / kMicrosecondsOfSecond;
  std::int64_t rest = microseconds % kMicrosecondsOfSecond;
  if (rest < 0) {
    rest += kMicrosecondsOfSecond;
    --seconds;
  }
  out.set_seconds(seconds);
  out.set_nanos(static_cast<std::int32_t>(rest * 1000));
  return out;
}

Time FromProto(const google::protobuf::Timestamp& time) {
  return Time(
      std::chrono::microseconds(time.seconds() * kMicrosecondsOfSecond + time.nanos() / 1000));
}

typepb::Amount ToProto(const Unit& unit, const U256& value) {
  typepb::Amount out;
  out.set_unit(unit.ToString());
  out.set_value(value.ToString());
  return out;
}

typepb::Amount ToProto(const Amount& amount) { return ToProto(amount.unit, amount.value); }

Result<Amount> FromProto(const typepb::Amount& amount, std::string_view field) {
  const Result<Unit> unit = Unit::Parse(amount.unit());
  if (!unit.ok()) {
    return Error::InvalidField(std::string(field) + ".unit", unit.error().message);
  }
  const Result<U256> value = U256::FromDecimal(amount.value());
  if (!value.ok()) {
    return Error::InvalidField(std::string(field) + ".value", value.error().message);
  }
  return Amount{*unit, *value};
}

pb::FeePlan ToProto(const FeePlan& plan) {
  pb::FeePlan out;
  out.set_basis_points(plan.basis_points);
  for (const auto& [unit, value] : plan.fixed) *out.add_fixed() = ToProto(unit, value);
  return out;
}

pb::Merchant ToProto(const Merchant& merchant) {
  pb::Merchant out;
  out.set_merchant_id(merchant.merchant_id);
  out.set_display_name(merchant.display_name);
  for (const Unit& unit : merchant.accepted_units) out.add_accepted_units(unit.ToString());
  out.set_confirmation_policy(static_cast<typepb::Finality>(merchant.policy));
  *out.mutable_fee_plan() = ToProto(merchant.fee_plan);
  out.set_underpayment_tolerance_basis_points(merchant.tolerance_basis_points);
  *out.mutable_create_time() = ToProto(merchant.create_time);
  out.set_revision(merchant.revision);
  return out;
}

pb::ApiKey ToProto(const ApiKey& key) {
  pb::ApiKey out;
  out.set_api_key_id(key.api_key_id);
  out.set_merchant_id(key.merchant_id);
  out.set_display_name(key.display_name);
  out.set_secret_prefix(key.secret_prefix);
  *out.mutable_create_time() = ToProto(key.create_time);
  if (key.revoke_time) *out.mutable_revoke_time() = ToProto(*key.revoke_time);
  return out;
}

pb::Payment ToProto(const Payment& payment) {
  pb::Payment out = Common(payment);
  out.set_state(static_cast<pb::PaymentState>(payment.state));
  for (int flag = 1; flag <= kLastFlag; ++flag) {
    if (payment.flags.Has(static_cast<Flag>(flag))) {
      out.add_flags(static_cast<pb::PaymentFlag>(flag));
    }
  }
  out.set_finality(static_cast<typepb::Finality>(FinalityOf(payment)));
  out.set_revision(payment.revision);
  *out.mutable_update_time() = ToProto(payment.update_time);
  *out.mutable_expire_time() = ToProto(payment.expire_time);
  out.set_expiry_deferred(payment.expiry_deferred);
  out.set_cancel_reason(payment.cancel_reason);
  for (std::size_t i = 0; i < payment.terms.options.size(); ++i) {
    FillOption(payment, payment.terms.options[i], out.mutable_options(static_cast<int>(i)));
  }
  for (const Transfer& transfer : payment.transfers) {
    *out.add_transfers() = TransferToProto(transfer);
  }
  out.set_transfers_left_out(payment.transfers_left_out);
  if (payment.registered) out.set_deposit_address(payment.terms.deposit_address);
  if (const std::optional<Outcome> outcome = OutcomeOf(payment)) {
    *out.mutable_gross() = ToProto(outcome->unit, outcome->gross);
    *out.mutable_fee() = ToProto(outcome->unit, outcome->fee);
    *out.mutable_net() = ToProto(outcome->unit, outcome->net);
  }
  for (const auto& [unit, value] : RefundableOf(payment)) {
    *out.add_refundable() = ToProto(unit, value);
  }
  for (const TimelineEntry& entry : ShownTimeline(payment)) {
    *out.add_timeline() = EntryToProto(entry);
  }
  return out;
}

pb::Payment TermsToProto(const Payment& payment) {
  pb::Payment out = Common(payment);
  out.set_deposit_address(payment.terms.deposit_address);
  for (const TimelineEntry& entry : payment.timeline) *out.add_timeline() = EntryToProto(entry);
  return out;
}

Result<Payment> FromTerms(const pb::Payment& stored) {
  ASSIGN_OR_RETURN(const Amount price, FromProto(stored.price(), "price"));
  Terms terms{.payment_id = stored.payment_id(),
              .merchant_id = stored.merchant_id(),
              .reference = stored.reference(),
              .description = stored.description(),
              .metadata = {stored.metadata().begin(), stored.metadata().end()},
              .price = price};
  for (const pb::PaymentOption& option : stored.options()) {
    ASSIGN_OR_RETURN(Option parsed, OptionFromProto(option));
    terms.options.push_back(std::move(parsed));
  }
  terms.deposit_address = stored.deposit_address();
  terms.factory_address = stored.factory_address();
  terms.factory_init_code_hash = stored.factory_init_code_hash();
  terms.policy = static_cast<Finality>(stored.confirmation_policy());
  ASSIGN_OR_RETURN(terms.fee_plan, FeePlanFromProto(stored.fee_plan()));
  terms.tolerance_basis_points = stored.underpayment_tolerance_basis_points();
  terms.decision_id = stored.decision_id();
  terms.create_time = FromProto(stored.create_time());
  Payment payment{.terms = std::move(terms)};
  for (const pb::TimelineEntry& entry : stored.timeline()) {
    AddTimeline(payment, {.kind = entry.kind(),
                          .time = FromProto(entry.time()),
                          .message = entry.message(),
                          .transaction_hash = entry.transaction_hash(),
                          .object_id = entry.object_id(),
                          .chain = entry.chain()});
  }
  return payment;
}

pb::Event PaymentEvent(const Payment& payment, std::string_view kind) {
  pb::Event event;
  event.set_type(std::string(kind));
  event.set_merchant_id(payment.terms.merchant_id);
  *event.mutable_payment() = ToProto(payment);
  return event;
}

pb::Event MerchantEvent(const Merchant& merchant, std::string_view kind) {
  pb::Event event;
  event.set_type(std::string(kind));
  event.set_merchant_id(merchant.merchant_id);
  *event.mutable_merchant() = ToProto(merchant);
  return event;
}

}  // namespace paymesh::checkout
