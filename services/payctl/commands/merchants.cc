// merchants create|get|list, keys create|list|revoke
#include "paymesh/checkout/v1/merchant_service.pb.h"
#include "services/payctl/commands/command.h"
#include "services/payctl/parse.h"

namespace paymesh::payctl {
namespace {

namespace pb = checkout::v1;

Table MerchantTable(const google::protobuf::RepeatedPtrField<pb::Merchant>& list) {
  Table table{{"MERCHANT", "NAME", "ACCEPTS", "POLICY", "FEE_BASIS_POINTS", "CREATED"}, {}};
  for (const pb::Merchant& merchant : list) {
    table.rows.push_back({merchant.merchant_id(), merchant.display_name(),
                          std::to_string(merchant.accepted_units_size()) + " tokens",
                          EnumText(merchant.confirmation_policy()),
                          std::to_string(merchant.fee_plan().basis_points()),
                          TimeText(merchant.create_time())});
  }
  return table;
}

Table FactTable(Session& session, const pb::Merchant& merchant) {
  Table table{{"FIELD", "VALUE"}, {}};
  table.rows = {
      {"merchant", merchant.merchant_id()},
      {"name", merchant.display_name()},
      {"policy", EnumText(merchant.confirmation_policy())},
      {"fee basis points", std::to_string(merchant.fee_plan().basis_points())},
      {"tolerance basis points", std::to_string(merchant.underpayment_tolerance_basis_points())},
      {"created", TimeText(merchant.create_time())},
      {"revision", std::to_string(merchant.revision())}};
  for (const auto& fixed : merchant.fee_plan().fixed()) {
    table.rows.push_back({"fixed fee", session.Money(fixed)});
  }
  for (const std::string& unit : merchant.accepted_units()) table.rows.push_back({"accepts", unit});
  return table;
}

struct CreateArguments {
  std::string name, policy;
  std::vector<std::string> accepts, fixed_fees;
  unsigned basis_points = 0, tolerance = 0;
};

Status Create(Session& session, const CreateArguments& arguments) {
  pb::CreateMerchantRequest request;
  request.set_display_name(arguments.name);
  for (const std::string& unit : arguments.accepts) request.add_accepted_units(unit);
  if (!arguments.policy.empty()) {
    ASSIGN_OR_RETURN(const auto policy,
                     ParseEnum<type::v1::Finality>("--policy", arguments.policy));
    request.set_confirmation_policy(policy);
  }
  request.mutable_fee_plan()->set_basis_points(arguments.basis_points);
  ASSIGN_OR_RETURN(const auto fixed, ParsePairs("--fixed-fee", arguments.fixed_fees));
  for (const auto& [unit, value] : fixed) {
    ASSIGN_OR_RETURN(const Amount amount, ParseRawAmount(unit, value));
    auto* fee = request.mutable_fee_plan()->add_fixed();
    fee->set_unit(amount.unit.ToString());
    fee->set_value(amount.value.ToString());
  }
  request.set_underpayment_tolerance_basis_points(arguments.tolerance);
  if (request.accepted_units().empty()) {
    for (const std::string& unit : session.AcceptedUnits()) request.add_accepted_units(unit);
  }
  pb::CreateMerchantResponse reply;
  RETURN_IF_ERROR(session.Change(request, reply));
  session.Show(reply.merchant(), FactTable(session, reply.merchant()));
  return {};
}

struct IdArguments {
  std::string id;
};

Status Get(Session& session, const IdArguments& arguments) {
  pb::GetMerchantRequest request;
  request.set_merchant_id(arguments.id);
  pb::GetMerchantResponse reply;
  RETURN_IF_ERROR(session.Call(request, reply));
  session.Show(reply.merchant(), FactTable(session, reply.merchant()));
  return {};
}

struct ListArguments {
  int limit = kDefaultLimit;
};

Status List(Session& session, const ListArguments& arguments) {
  pb::ListMerchantsRequest request;
  pb::ListMerchantsResponse reply;
  RETURN_IF_ERROR(session.List(request, reply, arguments.limit));
  session.Show(reply, MerchantTable(reply.merchants()));
  return {};
}

Table KeyTable(const google::protobuf::RepeatedPtrField<pb::ApiKey>& list) {
  Table table{{"KEY", "MERCHANT", "NAME", "BEGINS", "CREATED", "REVOKED"}, {}};
  for (const pb::ApiKey& key : list) {
    table.rows.push_back({key.api_key_id(), key.merchant_id(), key.display_name(),
                          key.secret_prefix(), TimeText(key.create_time()),
                          TimeText(key.revoke_time())});
  }
  return table;
}

struct KeyArguments {
  std::string merchant, name;
};

Status CreateKey(Session& session, const KeyArguments& arguments) {
  pb::CreateApiKeyRequest request;
  request.set_merchant_id(arguments.merchant);
  request.set_display_name(arguments.name);
  pb::CreateApiKeyResponse reply;
  RETURN_IF_ERROR(session.Change(request, reply));
  Table table{{"KEY", "SECRET"}, {{reply.api_key().api_key_id(), reply.secret()}}};
  session.Note(reply.secret().empty() ? "this request was made before: the secret was shown then"
                                      : "the secret is shown this once: keep it");
  session.Show(reply, table);
  return {};
}

Status ListKeys(Session& session, const KeyArguments& arguments) {
  pb::ListApiKeysRequest request;
  request.set_merchant_id(arguments.merchant);
  pb::ListApiKeysResponse reply;
  RETURN_IF_ERROR(session.Call(request, reply));
  session.Show(reply, KeyTable(reply.api_keys()));
  return {};
}

Status RevokeKey(Session& session, const IdArguments& arguments) {
  pb::RevokeApiKeyRequest request;
  request.set_api_key_id(arguments.id);
  pb::RevokeApiKeyResponse reply;
  RETURN_IF_ERROR(session.Change(request, reply));
  google::protobuf::RepeatedPtrField<pb::ApiKey> one;
  *one.Add() = reply.api_key();
  session.Show(reply.api_key(), KeyTable(one));
  return {};
}

void AddKeys(CLI::App& app, Session& session) {
  CLI::App& group = *AddGroup(app, "keys", "API keys of merchants' systems");
  auto [create_app, create] =
      AddCommand<KeyArguments>(group, session, "create", "shows the secret once", &CreateKey);
  create_app->add_option("--merchant", create->merchant, "mer_…")->required();
  create_app->add_option("--name", create->name, "for people");
  auto [list_app, list] =
      AddCommand<KeyArguments>(group, session, "list", "revoked ones too", &ListKeys);
  list_app->add_option("--merchant", list->merchant, "mer_…")->required();
  auto [revoke_app, revoke] =
      AddCommand<IdArguments>(group, session, "revoke", "at once and for ever", &RevokeKey);
  revoke_app->add_option("key", revoke->id, "key_…")->required();
}

}  // namespace

void AddMerchants(CLI::App& app, Session& session) {
  CLI::App& group = *AddGroup(app, "merchants", "who gets paid");
  auto [create_app, create] =
      AddCommand<CreateArguments>(group, session, "create", "a new merchant", &Create);
  create_app->add_option("--name", create->name, "for people")->required();
  create_app
      ->add_option("--accept", create->accepts,
                   "unit of a token; repeatable; default: all that the mesh watches")
      ->allow_extra_args(false);
  create_app->add_option("--policy", create->policy, "included, safe (default) or finalized");
  create_app->add_option("--fee-basis-points", create->basis_points, "0 to 10000");
  create_app->add_option("--fixed-fee", create->fixed_fees, "UNIT=VALUE; repeatable")
      ->allow_extra_args(false);
  create_app->add_option("--tolerance-basis-points", create->tolerance, "0 to 500");
  auto [get_app, get] = AddCommand<IdArguments>(group, session, "get", "shows one", &Get);
  get_app->add_option("merchant", get->id, "mer_…")->required();
  auto [list_app, list] = AddCommand<ListArguments>(group, session, "list", "newest first", &List);
  AddLimit(*list_app, list->limit);
  AddKeys(app, session);
}

}  // namespace paymesh::payctl
