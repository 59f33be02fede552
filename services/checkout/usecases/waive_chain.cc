#include "services/checkout/usecases/waive_chain.h"

#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "common/config/chains.h"
#include "common/host/common_config.h"
#include "common/pg/database.h"
#include "services/checkout/config.h"
#include "services/checkout/reasons.h"
#include "services/checkout/store/chain_store.h"

namespace paymesh::checkout {
namespace {

constexpr int kRefused = 2;

Result<std::map<std::string, std::string>> Parse(int argc, char** argv) {
  std::map<std::string, std::string> values;
  for (int i = 2; i + 1 < argc; i += 2) values[argv[i]] = argv[i + 1];
  for (const char* name : {"--config", "--chain", "--actor", "--reason"}) {
    if (values[name].empty())
      return Error::InvalidArgument(std::string(reasons::kUsage),
                                    std::string(name) + " is missing");
  }
  if (values.size() != 4 || argc % 2 != 0) {
    return Error::InvalidArgument(std::string(reasons::kUsage),
                                  "only --config, --chain, --actor and --reason are known");
  }
  return values;
}

Status Waive(int argc, char** argv) {
  ASSIGN_OR_RETURN(auto values, Parse(argc, argv));
  ASSIGN_OR_RETURN(const runtime::ConfigNode root, runtime::LoadConfig(values["--config"]));
  const runtime::CommonConfig common = runtime::ReadCommonConfig(root);
  ReadConfig(root);
  RETURN_IF_ERROR(root.Finish());
  ASSIGN_OR_RETURN(const runtime::ChainsConfig chains, runtime::LoadChains(common.chains_file));
  ASSIGN_OR_RETURN(const ChainId chain, ChainId::Parse(values["--chain"]));
  if (chains.Find(chain) == nullptr) {
    return Error::InvalidArgument(std::string(reasons::kUsage),
                                  chain.ToString() + " is not one of our chains");
  }
  pg::DatabaseOptions options;
  options.conninfo = common.database_conninfo;
  options.pool_size = 1;
  pg::Database database(options);
  const bool waive = std::string_view(argv[1]) == "waive-chain";
  auto write = [&](pg::Transaction& tx) -> Status {
    const std::string& actor = values.at("--actor");
    const std::string& reason = values.at("--reason");
    waive ? WaiveChain(tx, chain.ToString(), actor, reason)
          : UnwaiveChain(tx, chain.ToString(), actor, reason);
    return {};
  };
  return database.TransactBlocking({.name = "waive", .idempotent = true}, write);
}

}  // namespace

int RunWaive(int argc, char** argv) {
  const Status done = Waive(argc, argv);
  if (done.ok()) return 0;
  std::fprintf(stderr, "checkout: %s\n", done.error().ToString().c_str());
  return kRefused;
}

}  // namespace paymesh::checkout
