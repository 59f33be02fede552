#include "services/payctl/session.h"

#include <algorithm>
#include <ostream>
#include <thread>

#include "common/runtime/clock.h"
#include "common/runtime/ids.h"
#include "paymesh/watcher/v1/chain_service.pb.h"
#include "services/payctl/connection.h"
#include "services/payctl/parse.h"

namespace paymesh::payctl {
namespace {

namespace pb = google::protobuf;

constexpr int kPageSize = 500;  // the most that a server gives

std::string NewRequestId() {
  const runtime::SystemClock clock;
  runtime::SystemRandom random;
  return runtime::IdSource(clock, random).Next("req");
}

const pb::FieldDescriptor* Field(const pb::Message& message, const std::string& name) {
  return message.GetDescriptor()->FindFieldByName(name);
}

void SetText(pb::Message& message, const std::string& field, const std::string& value) {
  message.GetReflection()->SetString(&message, Field(message, field), value);
}

// The one repeated field of a page.
const pb::FieldDescriptor* ListOf(const pb::Message& reply) {
  const pb::Descriptor* type = reply.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    if (type->field(i)->is_repeated()) return type->field(i);
  }
  return nullptr;
}

}  // namespace

std::string Environment::Variable(const std::string& name) const {
  const auto found = variables.find(name);
  return found == variables.end() ? std::string() : found->second;
}

Session::Session(Environment environment) : environment_(std::move(environment)) {}
Session::~Session() = default;

Status Session::Run() {
  if (!action_) return Error::InvalidArgument("NO_COMMAND", "no command is given; see --help");
  return action_(*this);
}

Result<MeshFile> Session::Mesh() {
  std::string given = options_.mesh;
  if (given.empty()) given = environment_.Variable("PAYMESH_MESH");
  const std::optional<std::string> path = FindMeshFile(given, environment_.directory);
  if (path) return ReadMeshFile(*path);
  if (!options_.ca.empty() || !options_.health_addresses.empty()) return MeshFile{};
  return Error::InvalidArgument(
      "NO_MESH",
      "no .local/mesh.json here or in a folder above: start a mesh with deploy/local/up, "
      "or give --mesh FILE, or --address, --ca, --cert and --key");
}

Result<std::map<std::string, std::string>> Session::Addresses(const MeshFile& mesh,
                                                              bool health) const {
  std::map<std::string, std::string> addresses;
  for (const auto& [name, service] : mesh.services) {
    addresses[name] = health ? service.health : service.grpc;
  }
  ASSIGN_OR_RETURN(const auto given, health
                                         ? ParsePairs("--health-address", options_.health_addresses)
                                         : ParsePairs("--address", options_.addresses));
  for (const auto& [name, address] : given) addresses[name] = address;
  return addresses;
}

Result<std::map<std::string, std::string>> Session::Identities(const MeshFile& mesh) const {
  std::map<std::string, std::string> identities;
  for (const auto& [name, service] : mesh.services) identities[name] = service.identity;
  ASSIGN_OR_RETURN(const auto given, ParsePairs("--identity", options_.identities));
  for (const auto& [name, identity] : given) identities[name] = identity;
  return identities;
}

Result<std::map<std::string, std::string>> Session::HealthAddresses() {
  ASSIGN_OR_RETURN(const MeshFile mesh, Mesh());
  return Addresses(mesh, true);
}

Result<std::chrono::milliseconds> Session::Timeout() const {
  ASSIGN_OR_RETURN(const std::chrono::seconds timeout,
                   ParseDuration("--timeout", options_.timeout));
  return std::chrono::milliseconds(timeout);
}

Status Session::Connect() {
  if (connection_ != nullptr) return {};
  ASSIGN_OR_RETURN(const MeshFile mesh, Mesh());
  std::string role = options_.as;
  if (role.empty()) {
    const bool approve = who_ == Who::kApprover && mesh.clients.contains("approver");
    role = approve ? "approver" : "operator";
  }
  const auto client = mesh.clients.find(role);
  if (client == mesh.clients.end() && (options_.certificate.empty() || !options_.as.empty())) {
    return Error::InvalidField("--as", "the mesh file has no certificate for \"" + role + "\"");
  }
  ConnectionOptions connection;
  if (client != mesh.clients.end()) {
    connection.tls.certificate = client->second.certificate;
    connection.tls.key = client->second.key;
  }
  connection.tls.ca = options_.ca.empty() ? mesh.ca : options_.ca;
  if (!options_.certificate.empty()) connection.tls.certificate = options_.certificate;
  if (!options_.key.empty()) connection.tls.key = options_.key;
  ASSIGN_OR_RETURN(connection.timeout, Timeout());
  ASSIGN_OR_RETURN(connection.addresses, Addresses(mesh, false));
  ASSIGN_OR_RETURN(connection.identities, Identities(mesh));
  connection.api_key = options_.api_key;
  if (connection.api_key.empty()) connection.api_key = environment_.Variable("PAYMESH_API_KEY");
  if (connection.api_key.empty() && role == "edge") connection.api_key = mesh.api_key;
  ASSIGN_OR_RETURN(connection_, Connection::Open(std::move(connection)));
  return {};
}

Status Session::Call(const pb::Message& request, pb::Message& reply) {
  RETURN_IF_ERROR(Connect());
  return connection_->Call(request, reply);
}

Status Session::Change(pb::Message& request, pb::Message& reply) {
  if (options_.request_id.empty()) options_.request_id = NewRequestId();
  SetText(request, "request_id", options_.request_id);
  Note("request id: " + options_.request_id);
  return Call(request, reply);
}

Status Session::List(pb::Message& request, pb::Message& reply, int limit) {
  const pb::FieldDescriptor* list = ListOf(reply);
  reply.Clear();
  const std::unique_ptr<pb::Message> page(reply.New());
  while (true) {
    const int have = reply.GetReflection()->FieldSize(reply, list);
    request.GetReflection()->SetInt32(&request, Field(request, "page_size"),
                                      std::min(limit - have, kPageSize));
    RETURN_IF_ERROR(Call(request, *page));
    reply.MergeFrom(*page);
    const std::string token =
        page->GetReflection()->GetString(*page, Field(*page, "next_page_token"));
    SetText(reply, "next_page_token", token);
    SetText(request, "page_token", token);
    if (token.empty()) return {};
    if (reply.GetReflection()->FieldSize(reply, list) >= limit) break;
  }
  Note("there is more; --limit shows it");
  return {};
}

Status Session::Follow(const pb::Message& request, pb::Message& reply,
                       const std::function<bool()>& on_reply) {
  RETURN_IF_ERROR(Connect());
  constexpr int kMostFailures = 8;  // in a row; with the waits below about twenty seconds
  constexpr std::chrono::seconds kHealthy{10};  // a stream that lasted this long was no failure
  const runtime::SystemClock clock;
  int failures = 0;
  bool wanted = true;
  while (true) {
    const auto start = clock.Steady();
    const Status status = connection_->Stream(request, reply, [&] {
      failures = 0;
      wanted = on_reply();
      return wanted;
    });
    if (!wanted) return {};
    if (!status.ok()) {
      if (clock.Steady() - start > kHealthy) failures = 0;
      if (status.error().code != ErrorCode::kUnavailable || ++failures == kMostFailures) {
        return status;
      }
      Note("the stream ended (" + status.error().message + "); opening it again");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100) * (1 << std::min(failures, 6)));
  }
}

void Session::Show(const pb::Message& message, const Table& table) {
  ShowText(table, ToJson(message, JsonStyle::kPretty));
}

void Session::ShowText(const Table& table, const std::string& json) {
  switch (options_.output) {
    case OutputFormat::kJson:
      environment_.out << json;
      break;
    case OutputFormat::kCsv:
      environment_.out << RenderCsv(table);
      break;
    case OutputFormat::kTable:
      environment_.out << RenderTable(table,
                                      colour_out() ? Emphasis::kBoldHeader : Emphasis::kNone);
      break;
  }
  environment_.out.flush();
}

void Session::BeginRows(const std::vector<std::pair<std::string, std::size_t>>& columns) {
  std::vector<std::string> names;
  for (const auto& [name, width] : columns) {
    names.push_back(name);
    widths_.push_back(width);
  }
  if (options_.output == OutputFormat::kTable) environment_.out << RenderRow(names, widths_);
  if (options_.output == OutputFormat::kCsv) environment_.out << RenderCsvRow(names);
  environment_.out.flush();
}

void Session::ShowRow(const pb::Message& message, const std::vector<std::string>& cells) {
  switch (options_.output) {
    case OutputFormat::kJson:
      environment_.out << ToJson(message, JsonStyle::kLine);
      break;
    case OutputFormat::kCsv:
      environment_.out << RenderCsvRow(cells);
      break;
    case OutputFormat::kTable:
      environment_.out << RenderRow(cells, widths_);
      break;
  }
  // A reader at the other end of a pipe sees each row as it comes, and an interruption loses none.
  environment_.out.flush();
}

void Session::Note(std::string_view line) { environment_.err << line << "\n" << std::flush; }

std::string Session::Money(const paymesh::type::v1::Amount& amount) {
  if (options_.output != OutputFormat::kTable) return RawAmountText(amount);
  const bool token = amount.unit().starts_with("caip19/");
  if (token && !looks_.contains(amount.unit())) return AmountText(amount, Tokens());
  return AmountText(amount, looks_);
}

const TokenLooks& Session::Tokens() {
  if (asked_for_tokens_) return looks_;
  asked_for_tokens_ = true;
  watcher::v1::ListChainsResponse chains;
  if (!Call(watcher::v1::ListChainsRequest(), chains).ok()) return looks_;
  for (const auto& chain : chains.chains()) {
    for (const auto& token : chain.tokens()) {
      looks_[token.unit()] = {token.symbol(), token.decimals()};
      if (token.accepted()) accepted_units_.push_back(token.unit());
    }
  }
  return looks_;
}

const std::vector<std::string>& Session::AcceptedUnits() {
  Tokens();
  return accepted_units_;
}

bool Session::colour_out() const {
  return environment_.out_is_terminal && environment_.Variable("NO_COLOR").empty();
}
bool Session::colour_err() const {
  return environment_.err_is_terminal && environment_.Variable("NO_COLOR").empty();
}

}  // namespace paymesh::payctl
