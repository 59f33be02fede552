// The smallest service that the run loop can run; host_test.cc starts it as a process.
#include "common/host/host.h"
#include "common/rpc/server/server.h"
#include "common/rpc/testing/echo_test.grpc.pb.h"

namespace {

namespace echo = paymesh::echotest::v1;
namespace rpc = paymesh::rpc;
using paymesh::Result;
using paymesh::Status;
using paymesh::Task;

class Service final : public echo::EchoService::CallbackService {
 public:
  explicit Service(rpc::CallRunner& calls) : calls_(calls) {}
  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context,
                                 const echo::EchoRequest* request,
                                 echo::EchoResponse* response) override {
    return rpc::Unary(calls_, context, request, response,
                      [this](auto&&... args) { return DoEcho(args...); });
  }
  grpc::ServerWriteReactor<echo::CountResponse>* Count(grpc::CallbackServerContext* context,
                                                       const echo::CountRequest* request) override {
    return rpc::Stream<echo::CountResponse>(calls_, context, request,
                                            [this](auto&&... args) { return DoCount(args...); });
  }

 private:
  // The text is how many milliseconds the answer takes.
  Task<Status> DoEcho(rpc::Call&, const echo::EchoRequest& request, echo::EchoResponse* response) {
    co_await paymesh::runtime::SleepFor(std::chrono::milliseconds(std::stoi(request.text())));
    response->set_text(request.text());
    co_return Status();
  }
  Task<Status> DoCount(rpc::Call&, const echo::CountRequest&,
                       rpc::Writer<echo::CountResponse>& writer) {
    co_await writer.Write(echo::CountResponse());
    co_await paymesh::runtime::SleepFor(std::chrono::hours(1));
    co_return Status();
  }
  rpc::CallRunner& calls_;
};

class Parts final : public paymesh::runtime::ServiceParts {
 public:
  Parts(paymesh::runtime::Host& host, std::chrono::milliseconds lifetime)
      : service_(host.calls()), lifetime_(lifetime) {}
  std::vector<rpc::ServedService> Services() override {
    return {rpc::Serve<echo::EchoService>(service_)};
  }
  std::vector<paymesh::runtime::Worker> Workers() override {
    return {{"idler", [this] { return paymesh::runtime::SleepFor(lifetime_); }}};
  }
  Task<Status> CheckReady() override { co_return Status(); }

 private:
  Service service_;
  std::chrono::milliseconds lifetime_;
};

}  // namespace

int main(int argc, char** argv) {
  std::chrono::milliseconds lifetime{0};
  paymesh::runtime::ServiceSpec spec;
  spec.name = "echo";
  spec.methods = {{"/paymesh.echotest.v1.EchoService/Echo", {"role:service"}},
                  {"/paymesh.echotest.v1.EchoService/Relay", {}},
                  {"/paymesh.echotest.v1.EchoService/Count", {"role:service"}}};
  spec.read_config = [&lifetime](const paymesh::runtime::ConfigNode& root) {
    lifetime = root.Optional<std::chrono::milliseconds>("worker_lifetime", std::chrono::hours(1));
  };
  spec.build =
      [&lifetime](
          paymesh::runtime::Host& host) -> Result<std::unique_ptr<paymesh::runtime::ServiceParts>> {
    return std::unique_ptr<paymesh::runtime::ServiceParts>(new Parts(host, lifetime));
  };
  spec.migrate = [](paymesh::runtime::Host&) { return Status(); };
  return paymesh::runtime::RunService(argc, argv, std::move(spec));
}
