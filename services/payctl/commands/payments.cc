// payments create|get|list|watch|cancel|resolve|timeline
#include <algorithm>

#include "paymesh/checkout/v1/payment_service.pb.h"
#include "services/payctl/commands/command.h"
#include "services/payctl/parse.h"
#include "services/payctl/qr.h"

namespace paymesh::payctl {
namespace {

namespace pb = checkout::v1;

std::string Flags(const pb::Payment& payment) {
  std::string text;
  for (const int flag : payment.flags()) {
    text += (text.empty() ? "" : ",") + EnumText(static_cast<pb::PaymentFlag>(flag));
  }
  return text;
}

void LearnTokens(Session& session, const pb::Payment& payment) {
  for (const pb::PaymentOption& option : payment.options()) {
    session.AddToken(option.due().unit(), {option.symbol(), option.decimals()});
  }
}

Table PaymentTable(Session& session, const google::protobuf::RepeatedPtrField<pb::Payment>& list) {
  Table table{{"PAYMENT", "MERCHANT", "PRICE", "STATE", "FINALITY", "FLAGS", "REVISION",
               "REFERENCE", "CREATED"},
              {}};
  for (const pb::Payment& payment : list) {
    table.rows.push_back(
        {payment.payment_id(), payment.merchant_id(), session.Money(payment.price()),
         EnumText(payment.state()), EnumText(payment.finality()), Flags(payment),
         std::to_string(payment.revision()), payment.reference(), TimeText(payment.create_time())});
  }
  return table;
}

// A payment as a person reads it: its facts, then its options and transfers.
Table FactTable(Session& session, const pb::Payment& payment) {
  Table table{{"FIELD", "VALUE"}, {}};
  const auto add = [&table](const std::string& name, const std::string& value) {
    if (!value.empty()) table.rows.push_back({name, value});
  };
  add("payment", payment.payment_id());
  add("merchant", payment.merchant_id());
  add("reference", payment.reference());
  add("description", payment.description());
  add("price", session.Money(payment.price()));
  add("state", EnumText(payment.state()));
  add("finality", EnumText(payment.finality()));
  add("flags", Flags(payment));
  add("revision", std::to_string(payment.revision()));
  add("created", TimeText(payment.create_time()));
  add("expires", TimeText(payment.expire_time()));
  add("address", payment.deposit_address());
  add("gross", session.Money(payment.gross()));
  add("fee", session.Money(payment.fee()));
  add("net", session.Money(payment.net()));
  for (const auto& amount : payment.refundable()) add("refundable", session.Money(amount));
  add("cancelled because", payment.cancel_reason());
  for (const pb::PaymentOption& option : payment.options()) {
    add("option " + std::to_string(option.rank()),
        session.Money(option.due()) + " on " + option.chain() + ", seen " +
            session.Money(option.seen()) + (option.bound() ? ", bound" : ""));
    add("  pay with", option.payment_uri());
  }
  for (const pb::PaymentTransfer& transfer : payment.transfers()) {
    add("transfer", session.Money(transfer.amount()) + " on " + transfer.chain() + ", " +
                        EnumText(transfer.disposition()) + ", " +
                        (transfer.orphaned() ? "ORPHANED" : EnumText(transfer.finality())) + ", " +
                        transfer.transaction_hash());
  }
  return table;
}

Status ShowQr(Session& session, const pb::Payment& payment, const std::string& chain) {
  for (const pb::PaymentOption& option : payment.options()) {
    if (!chain.empty() && option.chain() != chain) continue;
    if (option.payment_uri().empty()) break;
    ASSIGN_OR_RETURN(
        const std::string picture,
        RenderQr(option.payment_uri(), session.colour_err() ? QrColour::kAnsi : QrColour::kPlain));
    session.Note("\nScan, or copy: " + option.payment_uri());
    session.Note(picture);
    return {};
  }
  return Error::FailedPrecondition("NOTHING_TO_SCAN",
                                   "there is no option with an address" +
                                       (chain.empty() ? std::string() : " on " + chain) + " yet");
}

struct CreateArguments {
  std::string merchant, price, currency, unit, value, reference, description, time_to_live;
  std::vector<std::string> metadata;
  bool qr = false;
  std::string qr_chain;
};

Result<Amount> PriceOf(const CreateArguments& arguments) {
  const bool fiat = !arguments.price.empty() || !arguments.currency.empty();
  const bool raw = !arguments.unit.empty() || !arguments.value.empty();
  if (fiat == raw) {
    return Error::InvalidField("--price", "give --price and --currency, or --unit and --value");
  }
  return fiat ? ParsePrice(arguments.price, arguments.currency)
              : ParseRawAmount(arguments.unit, arguments.value);
}

Status Create(Session& session, const CreateArguments& arguments) {
  pb::CreatePaymentRequest request;
  ASSIGN_OR_RETURN(const Amount price, PriceOf(arguments));
  request.set_merchant_id(arguments.merchant);
  request.mutable_price()->set_unit(price.unit.ToString());
  request.mutable_price()->set_value(price.value.ToString());
  request.set_reference(arguments.reference);
  request.set_description(arguments.description);
  ASSIGN_OR_RETURN(const auto metadata, ParsePairs("--metadata", arguments.metadata));
  for (const auto& [key, value] : metadata) (*request.mutable_metadata())[key] = value;
  if (!arguments.time_to_live.empty()) {
    ASSIGN_OR_RETURN(const auto seconds, ParseDuration("--ttl", arguments.time_to_live));
    request.mutable_time_to_live()->set_seconds(seconds.count());
  }
  pb::CreatePaymentResponse reply;
  RETURN_IF_ERROR(session.Change(request, reply));
  LearnTokens(session, reply.payment());
  session.Show(reply.payment(), FactTable(session, reply.payment()));
  return arguments.qr ? ShowQr(session, reply.payment(), arguments.qr_chain) : Status();
}

struct GetArguments {
  std::string payment;
  bool qr = false;
  std::string qr_chain;
};

Result<pb::Payment> Fetch(Session& session, const std::string& payment_id) {
  pb::GetPaymentRequest request;
  request.set_payment_id(payment_id);
  pb::GetPaymentResponse reply;
  RETURN_IF_ERROR(session.Call(request, reply));
  LearnTokens(session, reply.payment());
  return reply.payment();
}

Status Get(Session& session, const GetArguments& arguments) {
  ASSIGN_OR_RETURN(const pb::Payment payment, Fetch(session, arguments.payment));
  session.Show(payment, FactTable(session, payment));
  return arguments.qr ? ShowQr(session, payment, arguments.qr_chain) : Status();
}

Status Timeline(Session& session, const GetArguments& arguments) {
  ASSIGN_OR_RETURN(const pb::Payment payment, Fetch(session, arguments.payment));
  Table table{{"TIME", "WHAT", "MESSAGE", "OBJECT", "CHAIN", "TRANSACTION"}, {}};
  pb::Payment story;  // the same as JSON: the id and the entries
  story.set_payment_id(payment.payment_id());
  *story.mutable_timeline() = payment.timeline();
  for (const pb::TimelineEntry& entry : payment.timeline()) {
    table.rows.push_back({TimeText(entry.time()), entry.kind(), entry.message(), entry.object_id(),
                          entry.chain(), entry.transaction_hash()});
  }
  session.Show(story, table);
  return {};
}

struct ListArguments {
  std::string merchant, reference, transaction, address, from, until;
  std::vector<std::string> states;
  int limit = kDefaultLimit;
};

Status List(Session& session, const ListArguments& arguments) {
  pb::ListPaymentsRequest request;
  request.set_merchant_id(arguments.merchant);
  request.set_reference(arguments.reference);
  request.set_transaction_hash(arguments.transaction);
  request.set_address(arguments.address);
  for (const std::string& state : arguments.states) {
    ASSIGN_OR_RETURN(const auto value, ParseEnum<pb::PaymentState>("--state", state));
    request.add_states(value);
  }
  if (!arguments.from.empty()) {
    ASSIGN_OR_RETURN(*request.mutable_create_time_from(),
                     ParseTimeOption("--from", arguments.from));
  }
  if (!arguments.until.empty()) {
    ASSIGN_OR_RETURN(*request.mutable_create_time_until(),
                     ParseTimeOption("--until", arguments.until));
  }
  pb::ListPaymentsResponse reply;
  RETURN_IF_ERROR(session.List(request, reply, arguments.limit));
  session.Show(reply, PaymentTable(session, reply.payments()));
  return {};
}

struct WatchArguments {
  std::string payment;
  std::string until = "closed";
};

// Whether a watch has seen what it waits for.
Result<std::function<bool(const pb::Payment&)>> GoalOf(const std::string& until) {
  using Goal = std::function<bool(const pb::Payment&)>;
  if (until == "never") return Goal([](const pb::Payment&) { return false; });
  if (until == "closed") {
    return Goal(
        [](const pb::Payment& payment) { return payment.state() >= pb::PAYMENT_STATE_SUCCEEDED; });
  }
  if (until == "settled") {
    return Goal([](const pb::Payment& payment) {
      const auto& flags = payment.flags();
      return std::find(flags.begin(), flags.end(), pb::PAYMENT_FLAG_SETTLED_TO_MERCHANT) !=
             flags.end();
    });
  }
  ASSIGN_OR_RETURN(const auto state, ParseEnum<pb::PaymentState>("--until", until));
  return Goal([state](const pb::Payment& payment) { return payment.state() == state; });
}

Status Watch(Session& session, const WatchArguments& arguments) {
  ASSIGN_OR_RETURN(const auto reached, GoalOf(arguments.until));
  session.BeginRows(
      {{"UPDATED", 27}, {"REVISION", 8}, {"STATE", 16}, {"FINALITY", 9}, {"FLAGS", 5}});
  pb::WatchPaymentRequest request;
  request.set_payment_id(arguments.payment);
  pb::WatchPaymentResponse reply;
  const auto show = [&] {
    const pb::Payment& payment = reply.payment();
    request.set_after_revision(payment.revision());
    session.ShowRow(payment,
                    {TimeText(payment.update_time()), std::to_string(payment.revision()),
                     EnumText(payment.state()), EnumText(payment.finality()), Flags(payment)});
    return !reached(payment);
  };
  return session.Follow(request, reply, show);
}

struct CancelArguments {
  std::string payment, reason;
};

Status Cancel(Session& session, const CancelArguments& arguments) {
  pb::CancelPaymentRequest request;
  request.set_payment_id(arguments.payment);
  request.set_reason(arguments.reason);
  pb::CancelPaymentResponse reply;
  RETURN_IF_ERROR(session.Change(request, reply));
  LearnTokens(session, reply.payment());
  session.Show(reply.payment(), FactTable(session, reply.payment()));
  return {};
}

struct ResolveArguments {
  std::string payment, action, reason;
  std::int64_t revision = 0;
};

Status Resolve(Session& session, const ResolveArguments& arguments) {
  pb::ResolvePaymentRequest request;
  request.set_payment_id(arguments.payment);
  ASSIGN_OR_RETURN(const auto action, ParseEnum<pb::ResolveAction>("--action", arguments.action));
  request.set_action(action);
  request.set_reason(arguments.reason);
  request.set_expected_revision(arguments.revision);
  pb::ResolvePaymentResponse reply;
  RETURN_IF_ERROR(session.Change(request, reply));
  LearnTokens(session, reply.payment());
  session.Show(reply.payment(), FactTable(session, reply.payment()));
  return {};
}

void AddCreate(CLI::App& group, Session& session) {
  auto [app, create] =
      AddCommand<CreateArguments>(group, session, "create", "asks for money", &Create);
  app->add_option("--merchant", create->merchant, "mer_…; the edge may leave it out");
  app->add_option("--price", create->price, "exact, as 12.50; with --currency");
  app->add_option("--currency", create->currency, "ISO 4217, as EUR");
  app->add_option("--unit", create->unit,
                  "iso4217/… or caip19/…; with --value, instead of a price");
  app->add_option("--value", create->value, "minor units, a whole number");
  app->add_option("--reference", create->reference, "the merchant's own reference");
  app->add_option("--description", create->description, "for people");
  app->add_option("--metadata", create->metadata, "KEY=VALUE; repeatable")->allow_extra_args(false);
  app->add_option("--ttl", create->time_to_live, "how long the payer has, as 15m");
  app->add_flag("--qr", create->qr, "show the best option as a QR code on stderr");
  app->add_option("--qr-chain", create->qr_chain, "the best option on this chain instead");
}

void AddReads(CLI::App& group, Session& session) {
  auto [get_app, get] = AddCommand<GetArguments>(group, session, "get", "shows a payment", &Get);
  get_app->add_option("payment", get->payment, "pay_…")->required();
  get_app->add_flag("--qr", get->qr, "show the best option as a QR code on stderr");
  get_app->add_option("--qr-chain", get->qr_chain, "the best option on this chain instead");
  auto [story_app, story] =
      AddCommand<GetArguments>(group, session, "timeline", "shows its story", &Timeline);
  story_app->add_option("payment", story->payment, "pay_…")->required();
  auto [app, list] = AddCommand<ListArguments>(group, session, "list", "newest first", &List);
  app->add_option("--merchant", list->merchant, "only of this merchant");
  app->add_option("--state", list->states, "only in this state; repeatable")
      ->allow_extra_args(false);
  app->add_option("--from", list->from, "created at or after, RFC 3339");
  app->add_option("--until", list->until, "created before, RFC 3339");
  app->add_option("--reference", list->reference, "with exactly this reference");
  app->add_option("--tx", list->transaction, "with a transfer of this transaction");
  app->add_option("--to-or-from", list->address, "with this deposit address or payer");
  AddLimit(*app, list->limit);
}

}  // namespace

void AddPayments(CLI::App& app, Session& session) {
  CLI::App& group = *AddGroup(app, "payments", "payments from price to proof");
  AddCreate(group, session);
  AddReads(group, session);
  auto [watch_app, watch] =
      AddCommand<WatchArguments>(group, session, "watch", "shows each change as it comes", &Watch);
  watch_app->add_option("payment", watch->payment, "pay_…")->required();
  watch_app->add_option("--until", watch->until,
                        "closed (default), settled, never, or a state such as succeeded");
  auto [cancel_app, cancel] =
      AddCommand<CancelArguments>(group, session, "cancel", "before any money was seen", &Cancel);
  cancel_app->add_option("payment", cancel->payment, "pay_…")->required();
  cancel_app->add_option("--reason", cancel->reason, "for people");
  auto [app_resolve, resolve] = AddCommand<ResolveArguments>(
      group, session, "resolve", "a person's decision on a payment in review", &Resolve);
  app_resolve->add_option("payment", resolve->payment, "pay_…")->required();
  app_resolve->add_option("--action", resolve->action, "accept or hold")->required();
  app_resolve->add_option("--reason", resolve->reason, "kept on record")->required();
  app_resolve->add_option("--revision", resolve->revision, "that the decision was made on")
      ->required();
}

}  // namespace paymesh::payctl
