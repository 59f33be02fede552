// settlement --config FILE [--check-config | migrate]
// Keeps the books, holds the keys and moves the money. See README.md.
#include "common/aws/credential_source.h"
#include "common/host/host.h"
#include "services/settlement/config.h"
#include "services/settlement/methods.h"
#include "services/settlement/service.h"

int main(int argc, char** argv) {
  using namespace paymesh;
  settlement::Config config;
  runtime::ServiceSpec spec;
  spec.name = "settlement";
  spec.methods = settlement::Methods();
  spec.calls = settlement::Calls();
  spec.read_config = [&](const runtime::ConfigNode& root) {
    config = settlement::ReadConfig(root);
    config.money_out.aws_environment = aws::ProcessEnvironment();
  };
  spec.build = [&](runtime::Host& host) { return settlement::Build(host, config); };
  spec.migrate = [](runtime::Host& host) { return settlement::MigrateDatabase(host); };
  return runtime::RunService(argc, argv, std::move(spec));
}
