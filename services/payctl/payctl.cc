#include "services/payctl/payctl.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>

#include "services/payctl/commands/commands.h"
#include "services/payctl/error_text.h"
#include "services/payctl/exit_code.h"

namespace paymesh::payctl {
namespace {

constexpr char kFooter[] =
    "Data goes to stdout, everything else to stderr. Exit codes: 0 ok, 1 failure, 2 usage,\n"
    "3 not found, 4 not allowed, 5 conflict or precondition, 6 unavailable or timeout,\n"
    "130 interrupted.";

void AddOptions(CLI::App& app, Options& options) {
  const std::map<std::string, OutputFormat> formats = {
      {"table", OutputFormat::kTable}, {"json", OutputFormat::kJson}, {"csv", OutputFormat::kCsv}};
  app.add_option("-o,--output", options.output, "table, json or csv")
      ->transform(CLI::CheckedTransformer(formats).description(""))
      ->type_name("FORMAT")
      ->group("Global");
  const auto add = [&app](const char* name, auto& value, const char* help) {
    return app.add_option(name, value, help)->group("Global");
  };
  add("--mesh", options.mesh,
      "mesh.json (or PAYMESH_MESH; else .local/mesh.json upwards from here)");
  add("--as", options.as, "operator, approver, reader or edge: whose certificate to come with");
  add("--timeout", options.timeout, "for one call, as 10s");
  add("--request-id", options.request_id, "repeat an earlier command instead of a new one");
  add("--api-key", options.api_key, "for --as edge (or PAYMESH_API_KEY)");
  add("--address", options.addresses, "SERVICE=HOST:PORT instead of the mesh file's; repeatable")
      ->allow_extra_args(false);
  add("--health-address", options.health_addresses, "SERVICE=HOST:PORT; repeatable")
      ->allow_extra_args(false);
  add("--ca", options.ca, "CA bundle instead of the mesh file's");
  add("--cert", options.certificate, "client certificate instead of the mesh file's");
  add("--key", options.key, "its key");
  add("--identity", options.identities,
      "SERVICE=SPIFFE_URI that it must prove; without, by its host name; repeatable")
      ->allow_extra_args(false);
}

void Report(const Session& session, const Error& error) {
  std::string text = ErrorText(error);
  if (session.colour_err()) {
    constexpr std::string_view kWord = "error:";
    text = "\x1b[31m" + text.substr(0, kWord.size()) + "\x1b[0m" + text.substr(kWord.size());
  }
  session.environment().err << text << std::flush;
}

}  // namespace

int RunPayctl(const std::vector<std::string>& arguments, Environment environment) {
  Session session(std::move(environment));
  std::ostream& out = session.environment().out;
  std::ostream& err = session.environment().err;
  CLI::App app("Operates a Paymesh.", "payctl");
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(kFooter);
  AddOptions(app, session.options());
  AddPayments(app, session);
  AddMerchants(app, session);
  AddEvents(app, session);
  AddLedger(app, session);
  AddPayouts(app, session);
  AddChains(app, session);
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 wants it
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  const Status done = session.Run();
  if (done.ok()) return static_cast<int>(ExitCode::kOk);
  Report(session, done.error());
  return static_cast<int>(ExitCodeOf(done.error()));
}

}  // namespace paymesh::payctl
