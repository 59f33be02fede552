// chains, pause on|off|list, health
#include "paymesh/settlement/v1/pause_service.pb.h"
#include "paymesh/watcher/v1/chain_service.pb.h"
#include "services/payctl/commands/command.h"
#include "services/payctl/connection.h"

namespace paymesh::payctl {
namespace {

Status Chains(Session& session, const NoArguments&) {
  watcher::v1::ListChainsResponse reply;
  RETURN_IF_ERROR(session.Call(watcher::v1::ListChainsRequest(), reply));
  Table table{
      {"CHAIN", "NAME", "STATE", "HEAD", "SAFE", "FINAL", "NODE", "TOKENS", "REORGS_24H", "REASON"},
      {}};
  for (const watcher::v1::Chain& chain : reply.chains()) {
    std::string tokens;
    for (const auto& token : chain.tokens()) tokens += (tokens.empty() ? "" : ",") + token.symbol();
    table.rows.push_back(
        {chain.chain(), chain.display_name(), EnumText(chain.state()),
         std::to_string(chain.head_block().number()), std::to_string(chain.safe_block().number()),
         std::to_string(chain.finalized_block().number()), std::to_string(chain.node_head_number()),
         tokens, std::to_string(chain.reorgs_last_day()), chain.status_reason()});
  }
  session.Show(reply, table);
  return {};
}

struct PauseArguments {
  std::string chain, unit, merchant, reason;
};

Status SetScope(const PauseArguments& arguments, settlement::v1::PauseScope& scope) {
  const int given = (arguments.chain.empty() ? 0 : 1) + (arguments.unit.empty() ? 0 : 1) +
                    (arguments.merchant.empty() ? 0 : 1);
  if (given != 1) {
    return Error::InvalidField("--chain", "give exactly one of --chain, --unit and --merchant");
  }
  if (!arguments.chain.empty()) scope.set_chain(arguments.chain);
  if (!arguments.unit.empty()) scope.set_unit(arguments.unit);
  if (!arguments.merchant.empty()) scope.set_merchant_id(arguments.merchant);
  return {};
}

Table PauseTable(const google::protobuf::RepeatedPtrField<settlement::v1::Pause>& list) {
  Table table{{"KIND", "WHAT", "REASON", "BY", "SINCE"}, {}};
  for (const settlement::v1::Pause& pause : list) {
    const auto& scope = pause.scope();
    std::vector<std::string> row =
        scope.has_chain()  ? std::vector<std::string>{"chain", scope.chain()}
        : scope.has_unit() ? std::vector<std::string>{"unit", scope.unit()}
                           : std::vector<std::string>{"merchant", scope.merchant_id()};
    row.insert(row.end(), {pause.reason(), pause.creator(), TimeText(pause.create_time())});
    table.rows.push_back(std::move(row));
  }
  return table;
}

Status PauseOn(Session& session, const PauseArguments& arguments) {
  settlement::v1::PausePayoutsRequest request;
  RETURN_IF_ERROR(SetScope(arguments, *request.mutable_scope()));
  request.set_reason(arguments.reason);
  settlement::v1::PausePayoutsResponse reply;
  RETURN_IF_ERROR(session.Change(request, reply));
  google::protobuf::RepeatedPtrField<settlement::v1::Pause> one;
  *one.Add() = reply.pause();
  session.Show(reply.pause(), PauseTable(one));
  return {};
}

Status PauseOff(Session& session, const PauseArguments& arguments) {
  settlement::v1::ResumePayoutsRequest request;
  RETURN_IF_ERROR(SetScope(arguments, *request.mutable_scope()));
  request.set_reason(arguments.reason);
  settlement::v1::ResumePayoutsResponse reply;
  RETURN_IF_ERROR(session.Change(request, reply));
  session.Note("payouts go on");
  return {};
}

Status ListPauses(Session& session, const NoArguments&) {
  settlement::v1::ListPausesResponse reply;
  RETURN_IF_ERROR(session.Call(settlement::v1::ListPausesRequest(), reply));
  session.Show(reply, PauseTable(reply.pauses()));
  return {};
}

// The contracts have no message for this: one JSON object a line and service.
std::string HealthJson(const Table& table) {
  std::string text;
  for (const auto& row : table.rows) {
    text += "{\"service\":\"" + row[0] + "\",\"address\":\"" + row[1] + "\",\"liveness\":\"" +
            row[2] + "\",\"readiness\":\"" + row[3] + "\"}\n";
  }
  return text;
}

Status Health(Session& session, const NoArguments&) {
  ASSIGN_OR_RETURN(const auto addresses, session.HealthAddresses());
  ASSIGN_OR_RETURN(const auto timeout, session.Timeout());
  Table table{{"SERVICE", "ADDRESS", "LIVENESS", "READINESS"}, {}};
  std::string unwell;
  for (const auto& [name, address] : addresses) {
    const auto check = [&address, timeout](const char* service) {
      const Result<std::string> state = CheckHealth(address, service, timeout);
      return state.ok() ? *state : std::string("UNREACHABLE");
    };
    table.rows.push_back({name, address, check("liveness"), check("readiness")});
    if (table.rows.back()[3] != "SERVING") unwell += (unwell.empty() ? "" : ", ") + name;
  }
  session.ShowText(table, HealthJson(table));
  if (unwell.empty()) return {};
  return Error::Unavailable("NOT_READY", "not ready: " + unwell);
}

void AddPause(CLI::App& app, Session& session) {
  CLI::App& group = *AddGroup(app, "pause", "stops money out; deposits go on being taken");
  const auto scope = [](NewCommand<PauseArguments> command) {
    command.app->add_option("--chain", command.arguments->chain, "CAIP-2 chain");
    command.app->add_option("--unit", command.arguments->unit, "token");
    command.app->add_option("--merchant", command.arguments->merchant, "mer_…");
    command.app->add_option("--reason", command.arguments->reason, "kept on record")->required();
  };
  scope(AddCommand<PauseArguments>(group, session, "on", "stops one scope", &PauseOn));
  scope(AddCommand<PauseArguments>(group, session, "off", "lets it go on", &PauseOff));
  AddCommand<NoArguments>(group, session, "list", "what is paused", &ListPauses);
}

}  // namespace

void AddChains(CLI::App& app, Session& session) {
  AddCommand<NoArguments>(app, session, "chains", "how far each chain is read", &Chains);
  AddPause(app, session);
  AddCommand<NoArguments>(app, session, "health", "whether each service is ready; exit 6 if not",
                          &Health);
}

}  // namespace paymesh::payctl
