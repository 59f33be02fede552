// The least that a gRPC server here can cost: callback API, mutual TLS with the mesh's
// certificates, bytes back as they came. Prints its port; ends when its input does.
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include "common/rpc/credentials.h"
#include "tests/bench/echo.grpc.pb.h"

namespace {

class EchoService final : public paymesh::bench::EchoService::CallbackService {
  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context,
                                 const paymesh::bench::EchoRequest* request,
                                 paymesh::bench::EchoResponse* response) override {
    response->set_payload(request->payload());
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("a bare gRPC server");
  paymesh::rpc::TlsFiles tls;
  app.add_option("--certificate", tls.certificate)->required();
  app.add_option("--key", tls.key)->required();
  app.add_option("--ca", tls.ca)->required();
  CLI11_PARSE(app, argc, argv);
  EchoService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", paymesh::rpc::MakeServerCredentials(tls), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) return 1;
  std::printf("%d\n", port);
  std::fflush(stdout);
  std::string line;
  while (std::getline(std::cin, line)) {
  }
  server->Shutdown(std::chrono::system_clock::now());
  return 0;
}
