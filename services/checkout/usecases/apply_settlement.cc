#include "services/checkout/usecases/apply_settlement.h"

#include <string>
#include <utility>

#include "paymesh/settlement/v1/event_service.pb.h"
#include "services/checkout/convert.h"

namespace paymesh::checkout {
namespace {
namespace settlementpb = ::paymesh::settlement::v1;

struct Words {
  const char* kind;
  const char* message;
};

Words WordsOf(settlementpb::PaymentMoneyStage stage) {
  switch (stage) {
    case settlementpb::PAYMENT_MONEY_STAGE_POSTED:
      return {"posted", "On the books"};
    case settlementpb::PAYMENT_MONEY_STAGE_AVAILABLE:
      return {"available", "Available for payout"};
    case settlementpb::PAYMENT_MONEY_STAGE_SWEPT:
      return {"swept", "Arrived in the vault"};
    case settlementpb::PAYMENT_MONEY_STAGE_PAYOUT_RESERVED:
      return {"payout_reserved", "Reserved for a payout"};
    case settlementpb::PAYMENT_MONEY_STAGE_PAYOUT_INCLUDED:
      return {"payout_included", "The payout is in a block"};
    case settlementpb::PAYMENT_MONEY_STAGE_PAID_OUT:
      return {"paid_out", "Paid out finally"};
    case settlementpb::PAYMENT_MONEY_STAGE_REVERSED:
      return {"posting_reversed", "Postings were reversed"};
    case settlementpb::PAYMENT_MONEY_STAGE_PAYOUT_RELEASED:
      return {"payout_released", "The payout ended without paying"};
    default:
      return {"money", "The money moved on"};
  }
}

MoneyMoved ToMoved(const settlementpb::PaymentMoney& money) {
  const Words words = WordsOf(money.stage());
  MoneyMoved moved{.kind = words.kind, .message = words.message};
  if (money.has_amount()) {
    moved.message += ": " + money.amount().value() + " " + money.amount().unit();
  }
  moved.transaction_hash = money.transaction_hash();
  moved.object_id = money.payout_id().empty() ? money.journal_id() : money.payout_id();
  moved.chain = money.chain();
  moved.settled = money.settled();
  return moved;
}

}  // namespace

Status ApplySettlement(pg::Transaction& tx, const Rules& rules,
                       const std::vector<outbox::Entry>& entries, const OnChanges& on_changes) {
  std::vector<std::string> ids;
  std::vector<settlementpb::PaymentMoney> steps;
  for (const outbox::Entry& entry : entries) {
    settlementpb::Event event;
    if (!event.ParseFromString(entry.payload)) {
      return Error::Internal("an entry of settlement's journal does not parse");
    }
    if (!event.has_payment_money()) continue;  // payouts are settlement's own affair
    ids.push_back(event.payment_money().payment_id());
    steps.push_back(event.payment_money());
  }
  if (ids.empty()) return {};
  ASSIGN_OR_RETURN(PaymentBatch batch, PaymentBatch::Load(tx, rules, ids));
  for (const settlementpb::PaymentMoney& money : steps) {
    if (batch.Has(money.payment_id())) {
      RETURN_IF_ERROR(batch.Apply(money.payment_id(), ToMoved(money)));
    }
  }
  RETURN_IF_ERROR(batch.Save(tx));
  if (on_changes) on_changes(batch.changes());
  return {};
}

}  // namespace paymesh::checkout
