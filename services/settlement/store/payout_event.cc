#include "services/settlement/store/payout_event.h"

#include <map>
#include <string>

#include "common/outbox/append.h"
#include "paymesh/settlement/v1/event_service.pb.h"
#include "services/settlement/store/payout_convert.h"
#include "services/settlement/store/payout_ledger.h"

namespace paymesh::settlement {
namespace {

namespace pb = paymesh::settlement::v1;

constexpr std::string_view kJournal = "events";

std::string_view Kind(PayoutState state) {
  switch (state) {
    case PayoutState::kAwaitingApproval:
      return "payout.awaiting_approval";
    case PayoutState::kReserved:
      return "payout.reserved";
    case PayoutState::kSubmitted:
      return "payout.submitted";
    case PayoutState::kIncluded:
      return "payout.included";
    case PayoutState::kFinalized:
      return "payout.finalized";
    case PayoutState::kFailed:
      return "payout.failed";
    case PayoutState::kCanceled:
      return "payout.canceled";
    case PayoutState::kRejected:
      return "payout.rejected";
  }
  return "payout";
}

struct StepName {
  std::string_view kind;
  pb::PaymentMoneyStage stage;
};

StepName NameOf(MoneyStep step) {
  switch (step) {
    case MoneyStep::kReserved:
      return {"payment.payout_reserved", pb::PAYMENT_MONEY_STAGE_PAYOUT_RESERVED};
    case MoneyStep::kIncluded:
      return {"payment.payout_included", pb::PAYMENT_MONEY_STAGE_PAYOUT_INCLUDED};
    case MoneyStep::kPaidOut:
      return {"payment.paid_out", pb::PAYMENT_MONEY_STAGE_PAID_OUT};
    case MoneyStep::kReleased:
      return {"payment.payout_released", pb::PAYMENT_MONEY_STAGE_PAYOUT_RELEASED};
  }
  return {"payment", pb::PAYMENT_MONEY_STAGE_UNSPECIFIED};
}

void Append(pg::Transaction& tx, std::string_view kind, std::string_view subject,
            std::string_view owner, pb::Event event) {
  event.set_type(std::string(kind));
  event.set_merchant_id(std::string(owner));
  outbox::Entry entry;
  entry.subject = std::string(subject);
  entry.owner = std::string(owner);
  entry.kind = std::string(kind);
  entry.payload = event.SerializeAsString();
  outbox::Append(tx, kJournal, std::move(entry));
}

// Payouts that changed in this transaction, by id.
struct Changed {
  bool registered = false;
  std::map<std::string, PayoutRow> payouts;
};

void AppendSnapshots(pg::Transaction& tx) {
  for (const auto& [payout_id, row] : tx.Local<Changed>().payouts) {
    pb::Event event;
    *event.mutable_payout() = LoadPayoutMessage(tx, row);
    Append(tx, Kind(row.state), payout_id, row.merchant_id, std::move(event));
  }
}

}  // namespace

void AppendPayoutEvent(pg::Transaction& tx, const PayoutRow& row) {
  Changed& changed = tx.Local<Changed>();
  changed.payouts.insert_or_assign(row.payout_id, row);
  if (changed.registered) return;
  changed.registered = true;
  tx.BeforeCommit(AppendSnapshots);
}

void AppendLineEvents(pg::Transaction& tx, const PayoutRow& row, MoneyStep step,
                      std::string_view journal_id) {
  const StepName name = NameOf(step);
  for (const PayoutLine& line : Lines(tx, row.payout_id)) {
    pb::Event event;
    pb::PaymentMoney& money = *event.mutable_payment_money();
    money.set_payment_id(line.payment_id);
    money.set_stage(name.stage);
    money.mutable_amount()->set_unit(row.unit);
    money.mutable_amount()->set_value(line.amount.ToString());
    money.set_journal_id(std::string(journal_id));
    money.set_payout_id(row.payout_id);
    money.set_transaction_hash(row.transaction_hash);
    money.set_chain(row.chain);
    if (step == MoneyStep::kPaidOut) money.set_settled(IsSettled(tx, line.payment_id, row.unit));
    Append(tx, name.kind, line.payment_id, row.merchant_id, std::move(event));
  }
}

}  // namespace paymesh::settlement
