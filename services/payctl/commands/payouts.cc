// payouts create|approve|reject|cancel|resolve|get|list, plans set|list, destinations
// add|approve|list
#include "common/money/decimal.h"
#include "paymesh/settlement/v1/payout_service.pb.h"
#include "services/payctl/commands/command.h"
#include "services/payctl/parse.h"

namespace paymesh::payctl {
namespace {

namespace pb = settlement::v1;

void SetAmount(const Amount& amount, type::v1::Amount& target) {
  target.set_unit(amount.unit.ToString());
  target.set_value(amount.value.ToString());
}

Table PayoutTable(Session& session, const google::protobuf::RepeatedPtrField<pb::Payout>& list) {
  Table table{
      {"PAYOUT", "MERCHANT", "AMOUNT", "STATE", "TO", "BY", "TRANSACTION", "REASON", "CREATED"},
      {}};
  for (const pb::Payout& payout : list) {
    table.rows.push_back({payout.payout_id(), payout.merchant_id(), session.Money(payout.amount()),
                          EnumText(payout.state()), payout.address(), payout.creator(),
                          payout.transaction_hash(), payout.status_reason(),
                          TimeText(payout.create_time())});
  }
  return table;
}

void ShowPayout(Session& session, const pb::Payout& payout) {
  google::protobuf::RepeatedPtrField<pb::Payout> one;
  *one.Add() = payout;
  session.Show(payout, PayoutTable(session, one));
}

struct CreateArguments {
  std::string merchant, destination, unit, value, amount;
};

// --amount 12.5 in whole tokens, --value 12500000 in base units.
Result<Amount> AmountOf(Session& session, const CreateArguments& arguments) {
  if (arguments.amount.empty() == arguments.value.empty()) {
    return Error::InvalidField("--amount", "give either --amount or --value");
  }
  if (!arguments.value.empty()) return ParseRawAmount(arguments.unit, arguments.value);
  ASSIGN_OR_RETURN(const Amount zero, ParseRawAmount(arguments.unit, "0"));
  const auto look = session.Tokens().find(arguments.unit);
  if (look == session.Tokens().end()) {
    return Error::InvalidField("--unit", "the watcher knows no such token; use --value");
  }
  Result<U256> value = ParseMajor(arguments.amount, look->second.decimals);
  if (!value.ok()) return Error::InvalidField("--amount", value.error().message);
  return Amount{zero.unit, *value};
}

Status Create(Session& session, const CreateArguments& arguments) {
  pb::CreatePayoutRequest request;
  ASSIGN_OR_RETURN(const Amount amount, AmountOf(session, arguments));
  request.set_merchant_id(arguments.merchant);
  request.set_destination_id(arguments.destination);
  SetAmount(amount, *request.mutable_amount());
  pb::CreatePayoutResponse reply;
  RETURN_IF_ERROR(session.Change(request, reply));
  ShowPayout(session, reply.payout());
  return {};
}

struct DecisionArguments {
  std::string id, reason;
};

template <class Request, class Reply>
Status Decide(Session& session, Request& request, const DecisionArguments& arguments) {
  request.set_payout_id(arguments.id);
  Reply reply;
  RETURN_IF_ERROR(session.Change(request, reply));
  ShowPayout(session, reply.payout());
  return {};
}

Status Approve(Session& session, const DecisionArguments& arguments) {
  session.ActAs(Who::kApprover);
  pb::ApprovePayoutRequest request;
  return Decide<pb::ApprovePayoutRequest, pb::ApprovePayoutResponse>(session, request, arguments);
}

Status Reject(Session& session, const DecisionArguments& arguments) {
  session.ActAs(Who::kApprover);
  pb::RejectPayoutRequest request;
  request.set_reason(arguments.reason);
  return Decide<pb::RejectPayoutRequest, pb::RejectPayoutResponse>(session, request, arguments);
}

Status Cancel(Session& session, const DecisionArguments& arguments) {
  pb::CancelPayoutRequest request;
  request.set_reason(arguments.reason);
  return Decide<pb::CancelPayoutRequest, pb::CancelPayoutResponse>(session, request, arguments);
}

Status Resolve(Session& session, const DecisionArguments& arguments) {
  session.ActAs(Who::kApprover);
  pb::ResolvePayoutRequest request;
  request.set_reason(arguments.reason);
  return Decide<pb::ResolvePayoutRequest, pb::ResolvePayoutResponse>(session, request, arguments);
}

Status Get(Session& session, const DecisionArguments& arguments) {
  pb::GetPayoutRequest request;
  request.set_payout_id(arguments.id);
  pb::GetPayoutResponse reply;
  RETURN_IF_ERROR(session.Call(request, reply));
  ShowPayout(session, reply.payout());
  return {};
}

struct ListArguments {
  std::string merchant, payment;
  std::vector<std::string> states;
  int limit = kDefaultLimit;
};

Status List(Session& session, const ListArguments& arguments) {
  pb::ListPayoutsRequest request;
  request.set_merchant_id(arguments.merchant);
  request.set_payment_id(arguments.payment);
  for (const std::string& state : arguments.states) {
    ASSIGN_OR_RETURN(const auto value, ParseEnum<pb::PayoutState>("--state", state));
    request.add_states(value);
  }
  pb::ListPayoutsResponse reply;
  RETURN_IF_ERROR(session.List(request, reply, arguments.limit));
  session.Show(reply, PayoutTable(session, reply.payouts()));
  return {};
}

Table PlanTable(Session& session, const google::protobuf::RepeatedPtrField<pb::PayoutPlan>& list) {
  Table table{{"MERCHANT", "SCHEDULE", "MINIMUM", "DESTINATION", "UNIT", "SET"}, {}};
  for (const pb::PayoutPlan& plan : list) {
    table.rows.push_back({plan.merchant_id(), EnumText(plan.schedule()),
                          session.Money(plan.minimum()), plan.destination_id(), plan.unit(),
                          TimeText(plan.update_time())});
  }
  return table;
}

struct PlanArguments {
  std::string merchant, unit, destination, schedule;
  std::string minimum = "0";
};

Status SetPlan(Session& session, const PlanArguments& arguments) {
  pb::SetPayoutPlanRequest request;
  pb::PayoutPlan& plan = *request.mutable_plan();
  plan.set_merchant_id(arguments.merchant);
  plan.set_unit(arguments.unit);
  plan.set_destination_id(arguments.destination);
  ASSIGN_OR_RETURN(const auto schedule,
                   ParseEnum<pb::PayoutSchedule>("--schedule", arguments.schedule));
  plan.set_schedule(schedule);
  ASSIGN_OR_RETURN(const Amount minimum, ParseRawAmount(arguments.unit, arguments.minimum));
  SetAmount(minimum, *plan.mutable_minimum());
  pb::SetPayoutPlanResponse reply;
  RETURN_IF_ERROR(session.Change(request, reply));
  google::protobuf::RepeatedPtrField<pb::PayoutPlan> one;
  *one.Add() = reply.plan();
  session.Show(reply.plan(), PlanTable(session, one));
  return {};
}

Status ListPlans(Session& session, const ListArguments& arguments) {
  pb::ListPayoutPlansRequest request;
  request.set_merchant_id(arguments.merchant);
  pb::ListPayoutPlansResponse reply;
  RETURN_IF_ERROR(session.List(request, reply, arguments.limit));
  session.Show(reply, PlanTable(session, reply.plans()));
  return {};
}

Table DestinationTable(const google::protobuf::RepeatedPtrField<pb::PayoutDestination>& list) {
  Table table{{"DESTINATION", "MERCHANT", "STATE", "ADDRESS", "NAME", "BY", "APPROVED_BY",
               "USABLE_FROM", "UNIT"},
              {}};
  for (const pb::PayoutDestination& destination : list) {
    table.rows.push_back({destination.destination_id(), destination.merchant_id(),
                          EnumText(destination.state()), destination.address(),
                          destination.display_name(), destination.creator(), destination.approver(),
                          TimeText(destination.usable_time()), destination.unit()});
  }
  return table;
}

void ShowDestination(Session& session, const pb::PayoutDestination& destination) {
  google::protobuf::RepeatedPtrField<pb::PayoutDestination> one;
  *one.Add() = destination;
  session.Show(destination, DestinationTable(one));
}

struct DestinationArguments {
  std::string merchant, unit, address, name;
};

Status AddDestination(Session& session, const DestinationArguments& arguments) {
  pb::CreatePayoutDestinationRequest request;
  request.set_merchant_id(arguments.merchant);
  request.set_unit(arguments.unit);
  request.set_address(arguments.address);
  request.set_display_name(arguments.name);
  pb::CreatePayoutDestinationResponse reply;
  RETURN_IF_ERROR(session.Change(request, reply));
  ShowDestination(session, reply.destination());
  return {};
}

Status ApproveDestination(Session& session, const DecisionArguments& arguments) {
  session.ActAs(Who::kApprover);
  pb::ApprovePayoutDestinationRequest request;
  request.set_destination_id(arguments.id);
  pb::ApprovePayoutDestinationResponse reply;
  RETURN_IF_ERROR(session.Change(request, reply));
  ShowDestination(session, reply.destination());
  return {};
}

Status ListDestinations(Session& session, const ListArguments& arguments) {
  pb::ListPayoutDestinationsRequest request;
  request.set_merchant_id(arguments.merchant);
  pb::ListPayoutDestinationsResponse reply;
  RETURN_IF_ERROR(session.List(request, reply, arguments.limit));
  session.Show(reply, DestinationTable(reply.destinations()));
  return {};
}

void AddDecision(CLI::App& group, Session& session, const std::string& name,
                 const std::string& help, Status (*run)(Session&, const DecisionArguments&)) {
  auto [app, arguments] = AddCommand<DecisionArguments>(group, session, name, help, run);
  app->add_option("id", arguments->id, "its id")->required();
  if (name == "reject" || name == "cancel" || name == "resolve") {
    CLI::Option* reason = app->add_option("--reason", arguments->reason, "for people");
    if (name != "cancel") reason->required();
  }
}

void AddPlans(CLI::App& app, Session& session) {
  CLI::App& group = *AddGroup(app, "plans", "when money is paid out by itself");
  auto [set_app, set] =
      AddCommand<PlanArguments>(group, session, "set", "replaces the plan before", &SetPlan);
  set_app->add_option("--merchant", set->merchant, "mer_…")->required();
  set_app->add_option("--unit", set->unit, "the token")->required();
  set_app->add_option("--destination", set->destination, "dst_…, approved")->required();
  set_app->add_option("--schedule", set->schedule, "manual, on-final or daily")->required();
  set_app->add_option("--minimum", set->minimum, "base units of the token; 0 is any amount");
  auto [list_app, list] =
      AddCommand<ListArguments>(group, session, "list", "all plans", &ListPlans);
  list_app->add_option("--merchant", list->merchant, "only of this merchant");
  AddLimit(*list_app, list->limit);
}

void AddDestinations(CLI::App& app, Session& session) {
  CLI::App& group = *AddGroup(app, "destinations", "where merchants' money may go");
  auto [add_app, add] = AddCommand<DestinationArguments>(
      group, session, "add", "proposes one; a second person approves", &AddDestination);
  add_app->add_option("--merchant", add->merchant, "mer_…")->required();
  add_app->add_option("--unit", add->unit, "the token")->required();
  add_app->add_option("--to", add->address, "0x… of the wallet")->required();
  add_app->add_option("--name", add->name, "for people");
  AddDecision(group, session, "approve", "as the second person (the approver's certificate)",
              &ApproveDestination);
  auto [list_app, list] =
      AddCommand<ListArguments>(group, session, "list", "newest first", &ListDestinations);
  list_app->add_option("--merchant", list->merchant, "only of this merchant");
  AddLimit(*list_app, list->limit);
}

}  // namespace

void AddPayouts(CLI::App& app, Session& session) {
  CLI::App& group = *AddGroup(app, "payouts", "money out");
  auto [create_app, create] =
      AddCommand<CreateArguments>(group, session, "create", "asks for one", &Create);
  create_app->add_option("--merchant", create->merchant, "mer_…")->required();
  create_app->add_option("--destination", create->destination, "dst_…, approved")->required();
  create_app->add_option("--unit", create->unit, "the token")->required();
  create_app->add_option("--amount", create->amount, "in whole tokens, as 12.5");
  create_app->add_option("--value", create->value, "in base units, instead of --amount");
  AddDecision(group, session, "approve", "as the second person (the approver's certificate)",
              &Approve);
  AddDecision(group, session, "reject", "refuses it (the approver's certificate)", &Reject);
  AddDecision(group, session, "cancel", "before anything is signed for it", &Cancel);
  AddDecision(group, session, "resolve",
              "ends one that its final transaction left open, by the vault's word (the approver's)",
              &Resolve);
  AddDecision(group, session, "get", "shows one", &Get);
  auto [list_app, list] = AddCommand<ListArguments>(group, session, "list", "newest first", &List);
  list_app->add_option("--merchant", list->merchant, "only of this merchant");
  list_app->add_option("--payment", list->payment, "only those that settle this payment");
  list_app->add_option("--state", list->states, "only in this state; repeatable")
      ->allow_extra_args(false);
  AddLimit(*list_app, list->limit);
  AddPlans(app, session);
  AddDestinations(app, session);
}

}  // namespace paymesh::payctl
