// checkout --config FILE [--check-config | migrate]
// checkout waive-chain|unwaive-chain --config FILE --chain CHAIN --actor NAME --reason TEXT
// The service, its checks, and the operator's word on a halted chain. See README.md.
#include <string_view>

#include "common/host/host.h"
#include "services/checkout/api/methods.h"
#include "services/checkout/config.h"
#include "services/checkout/service.h"
#include "services/checkout/usecases/waive_chain.h"

int main(int argc, char** argv) {
  using namespace paymesh;
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "waive-chain" || command == "unwaive-chain") {
    return checkout::RunWaive(argc, argv);
  }
  checkout::Config config;
  runtime::ServiceSpec spec;
  spec.name = "checkout";
  spec.methods = checkout::Methods();
  spec.calls = checkout::Calls();
  spec.read_config = [&](const runtime::ConfigNode& root) { config = checkout::ReadConfig(root); };
  spec.build = [&](runtime::Host& host) { return checkout::Build(host, config); };
  spec.migrate = [](runtime::Host& host) { return checkout::MigrateDatabase(host); };
  return runtime::RunService(argc, argv, std::move(spec));
}
