// Events of payments' money in the journal `events`.
#include "common/outbox/append.h"
#include "paymesh/settlement/v1/event_service.pb.h"
#include "services/settlement/store/ledger_store.h"

namespace paymesh::settlement {
namespace pb = paymesh::settlement::v1;
namespace {

pb::PaymentMoneyStage ToProto(MoneyStage stage) {
  switch (stage) {
    case MoneyStage::kPosted:
      return pb::PAYMENT_MONEY_STAGE_POSTED;
    case MoneyStage::kAvailable:
      return pb::PAYMENT_MONEY_STAGE_AVAILABLE;
    case MoneyStage::kSwept:
      return pb::PAYMENT_MONEY_STAGE_SWEPT;
    case MoneyStage::kPayoutReserved:
      return pb::PAYMENT_MONEY_STAGE_PAYOUT_RESERVED;
    case MoneyStage::kPayoutIncluded:
      return pb::PAYMENT_MONEY_STAGE_PAYOUT_INCLUDED;
    case MoneyStage::kPaidOut:
      return pb::PAYMENT_MONEY_STAGE_PAID_OUT;
    case MoneyStage::kReversed:
      return pb::PAYMENT_MONEY_STAGE_REVERSED;
    case MoneyStage::kPayoutReleased:
      return pb::PAYMENT_MONEY_STAGE_PAYOUT_RELEASED;
  }
  return pb::PAYMENT_MONEY_STAGE_UNSPECIFIED;
}

}  // namespace

void AppendMoneyEvent(pg::Transaction& tx, const MoneyEvent& event, const std::string& trace) {
  pb::Event message;
  message.set_type(std::string(MoneyStageType(event.stage)));
  message.set_merchant_id(event.merchant_id);
  pb::PaymentMoney& money = *message.mutable_payment_money();
  money.set_payment_id(event.payment_id);
  money.set_stage(ToProto(event.stage));
  money.mutable_amount()->set_unit(event.unit);
  money.mutable_amount()->set_value(event.amount.ToString());
  money.set_journal_id(event.journal_id);
  money.set_payout_id(event.payout_id);
  money.set_transaction_hash(event.transaction_hash);
  money.set_chain(event.chain);
  money.set_settled(event.settled);
  outbox::Entry entry;
  entry.subject = event.payment_id;
  entry.owner = event.merchant_id;
  entry.kind = message.type();
  entry.payload = message.SerializeAsString();
  entry.trace = trace;
  outbox::Append(tx, "events", std::move(entry));
}

}  // namespace paymesh::settlement
