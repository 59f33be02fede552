#include "services/settlement/api/ledger_convert.h"

#include "common/money/unit.h"

namespace paymesh::settlement {
namespace {

v1::NormalSide ToProto(Side side) {
  return side == Side::kDebit ? v1::NORMAL_SIDE_DEBIT : v1::NORMAL_SIDE_CREDIT;
}

}  // namespace

void ToProto(Time time, google::protobuf::Timestamp* message) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  message->set_seconds(seconds.time_since_epoch().count());
  message->set_nanos(static_cast<std::int32_t>((time - seconds).count() * 1'000));
}

void ToProto(const std::string& unit, const U256& value, type::v1::Amount* message) {
  message->set_unit(unit);
  message->set_value(value.ToString());
}

void ToProto(const Journal& journal, v1::Journal* message) {
  message->set_journal_id(journal.journal_id);
  message->set_sequence(journal.sequence);
  message->set_rule(journal.rule);
  message->set_event_id(journal.event_id);
  for (const Leg& leg : journal.legs) {
    v1::Leg& out = *message->add_legs();
    out.set_account_id(leg.account.ToString());
    out.set_side(ToProto(leg.side));
    ToProto(leg.account.unit, leg.amount, out.mutable_amount());
  }
  ToProto(journal.post_time, message->mutable_post_time());
  message->set_payment_id(journal.payment_id);
  message->set_merchant_id(journal.merchant_id);
  message->set_payout_id(journal.payout_id);
  message->set_reverses_journal_id(journal.reverses_journal_id);
  message->set_description(journal.description);
  message->set_transaction_hash(journal.transaction_hash);
  if (journal.block) {
    message->mutable_block()->set_number(journal.block->number);
    message->mutable_block()->set_hash(journal.block->hash);
    ToProto(journal.block->time, message->mutable_block()->mutable_time());
  }
}

void ToProto(const AccountRow& row, v1::Account* message) {
  message->set_account_id(row.key.ToString());
  message->set_code(static_cast<std::uint32_t>(row.key.code));
  message->set_name(std::string(AccountName(row.key.code)));
  message->set_owner(row.key.owner);
  const Side normal = NormalSide(row.key.code);
  message->set_normal_side(ToProto(normal));
  ToProto(row.key.unit, row.debits, message->mutable_debits());
  ToProto(row.key.unit, row.credits, message->mutable_credits());
  const bool debit_heavy = row.debits > row.credits;
  const U256 balance =
      debit_heavy ? SaturatingSub(row.debits, row.credits) : SaturatingSub(row.credits, row.debits);
  ToProto(row.key.unit, balance, message->mutable_balance());
  message->set_negative(!balance.IsZero() && debit_heavy != (normal == Side::kDebit));
  message->set_leg_count(row.leg_count);
}

void ToProto(const PauseRow& row, v1::Pause* message) {
  switch (row.kind) {
    case PauseKind::kChain:
      message->mutable_scope()->set_chain(row.value);
      break;
    case PauseKind::kUnit:
      message->mutable_scope()->set_unit(row.value);
      break;
    case PauseKind::kMerchant:
      message->mutable_scope()->set_merchant_id(row.value);
      break;
  }
  message->set_reason(row.reason);
  message->set_creator(row.creator);
  ToProto(row.create_time, message->mutable_create_time());
}

Result<PauseRow> FromProto(const v1::PauseScope& scope) {
  PauseRow row;
  if (scope.has_chain()) {
    const Result<ChainId> chain = ChainId::Parse(scope.chain());
    if (!chain.ok()) return Error::InvalidField("scope.chain", chain.error().message);
    row.kind = PauseKind::kChain;
    row.value = chain->ToString();
  } else if (scope.has_unit()) {
    const Result<Unit> unit = Unit::Parse(scope.unit());
    if (!unit.ok()) return Error::InvalidField("scope.unit", unit.error().message);
    row.kind = PauseKind::kUnit;
    row.value = unit->ToString();
  } else if (scope.has_merchant_id()) {
    if (scope.merchant_id().empty() || scope.merchant_id().size() > 64) {
      return Error::InvalidField("scope.merchant_id", "must be a merchant's id");
    }
    row.kind = PauseKind::kMerchant;
    row.value = scope.merchant_id();
  } else {
    return Error::InvalidField("scope", "must name a chain, a unit or a merchant");
  }
  return row;
}

}  // namespace paymesh::settlement
