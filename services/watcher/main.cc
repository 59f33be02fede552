// The watcher: follows the chains and is the mesh's only way to their nodes.
//
//   watcher --config FILE [--check-config | migrate]
//   watcher resume-chain --config FILE --chain eip155:1     an operator lets a halted chain go on
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/host/host.h"
#include "services/watcher/api/methods.h"
#include "services/watcher/service.h"

namespace {

using namespace paymesh;  // NOLINT: main knows everything

int Fail(const Error& error) {
  std::fprintf(stderr, "watcher: %s\n", error.ToString().c_str());
  return 1;
}

int ResumeChainCommand(int argc, char** argv) {
  std::string file, chain;
  for (int i = 2; i + 1 < argc; i += 2) {
    if (std::string_view(argv[i]) == "--config") file = argv[i + 1];
    if (std::string_view(argv[i]) == "--chain") chain = argv[i + 1];
  }
  if (file.empty() || chain.empty()) {
    std::fprintf(stderr, "usage: watcher resume-chain --config FILE --chain CHAIN\n");
    return 2;
  }
  const auto root = runtime::LoadConfig(file);
  if (!root.ok()) return Fail(root.error());
  const runtime::CommonConfig config = runtime::ReadCommonConfig(*root);
  watcher::ReadConfig(*root);
  if (const Status problems = root->Finish(); !problems.ok()) return Fail(problems.error());
  const char* user = std::getenv("USER");
  const Status done =
      watcher::ResumeHaltedChain(config, chain, user != nullptr ? user : "operator");
  if (!done.ok()) return Fail(done.error());
  std::fprintf(stderr,
               "%s goes on from where it stands; it halts again if the node still contradicts\n",
               chain.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "resume-chain")
    return ResumeChainCommand(argc, argv);
  watcher::Config config;
  runtime::ServiceSpec spec;
  spec.name = "watcher";
  spec.methods = watcher::Methods();
  spec.read_config = [&](const runtime::ConfigNode& root) { config = watcher::ReadConfig(root); };
  spec.build = [&](runtime::Host& host) { return watcher::Build(host, config); };
  spec.migrate = [](runtime::Host& host) { return watcher::MigrateSchema(host); };
  return runtime::RunService(argc, argv, std::move(spec));
}
