// The run loop of a service: configuration, logs, metrics, health, the gRPC server, workers,
// signals and the order of drain. A service says what it is made of (ServiceSpec); main is short:
//
//   int main(int argc, char** argv) {
//     checkout::Config config;
//     runtime::ServiceSpec spec;
//     spec.name = "checkout";
//     spec.methods = checkout::Methods();
//     spec.read_config = [&](const runtime::ConfigNode& root) { config = checkout::Read(root); };
//     spec.build = [&](runtime::Host& host) { return checkout::Build(host, config); };
//     spec.migrate = [&](runtime::Host& host) { return checkout::Migrate(host.config()); };
//     return runtime::RunService(argc, argv, std::move(spec));
//   }
//
//   checkout --config FILE [--check-config | migrate]
//
// Exit codes: 0 ended by SIGTERM or SIGINT, 1 failed while running, 2 failed to start.
#pragma once

#include "common/host/service_spec.h"

namespace paymesh::runtime {

int RunService(int argc, char** argv, ServiceSpec spec);

}  // namespace paymesh::runtime
