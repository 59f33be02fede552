// routing: decides in which tokens on which chains a payment may be made. See README.md.
#include "common/host/host.h"
#include "services/routing/api/methods.h"
#include "services/routing/config.h"
#include "services/routing/service.h"

int main(int argc, char** argv) {
  using namespace paymesh;
  routing::Config config;
  runtime::ServiceSpec spec;
  spec.name = "routing";
  spec.methods = routing::Methods();
  spec.calls = routing::Calls();
  spec.read_config = [&](const runtime::ConfigNode& root) { config = routing::ReadConfig(root); };
  spec.build = [&](runtime::Host& host) { return routing::Build(host, config); };
  spec.migrate = [](runtime::Host& host) { return routing::MigrateDatabase(host); };
  return runtime::RunService(argc, argv, std::move(spec));
}
