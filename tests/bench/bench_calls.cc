// Unary calls against the mesh's checkout (create) or the bare echo server (echo), by one client
// over one mTLS connection. Every tenth CreatePayment repeats an earlier one and must get the first
// answer. Prints one JSON object; with --ids it writes a line `request_id payment_id` for each
// payment.
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "common/rpc/credentials.h"
#include "paymesh/checkout/v1/payment_service.grpc.pb.h"
#include "tests/bench/echo.grpc.pb.h"
#include "tests/bench/load.h"

namespace {

namespace pb = paymesh::checkout::v1;
using Done = std::function<void(bool)>;
constexpr std::chrono::seconds kDeadline{10};

template <class Request, class Response>
struct CallState {
  grpc::ClientContext context;
  Request request;
  Response response;
};

// What went wrong, each kind once with its count.
class Troubles {
 public:
  void Add(const std::string& what) {
    std::lock_guard lock(mutex_);
    ++counts_[what];
  }
  void Print() {
    std::lock_guard lock(mutex_);
    for (const auto& [what, count] : counts_) {
      std::fprintf(stderr, "%d times: %s\n", count, what.c_str());
    }
  }

 private:
  std::mutex mutex_;
  std::map<std::string, int> counts_;
};

class Echo {
 public:
  Echo(const std::shared_ptr<grpc::Channel>& channel, Troubles& troubles)
      : stub_(paymesh::bench::EchoService::NewStub(channel)), troubles_(troubles) {}

  void Start(Done done) {
    auto call =
        std::make_shared<CallState<paymesh::bench::EchoRequest, paymesh::bench::EchoResponse>>();
    call->context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    call->request.set_payload(payload_);
    stub_->async()->Echo(&call->context, &call->request, &call->response,
                         [this, call, done = std::move(done)](const grpc::Status& status) {
                           const bool same = call->response.payload() == payload_;
                           if (!status.ok()) troubles_.Add(status.error_message());
                           if (status.ok() && !same) troubles_.Add("another payload came back");
                           done(status.ok() && same);
                         });
  }

 private:
  const std::string payload_ = std::string(200, 'x');
  std::unique_ptr<paymesh::bench::EchoService::Stub> stub_;
  Troubles& troubles_;
};

struct CreateOptions {
  std::string prefix;  // of this run's request ids, not used before
  std::string api_key;
  std::string unit = "iso4217/EUR";
  std::string value = "1250";
};

class Create {
 public:
  Create(const std::shared_ptr<grpc::Channel>& channel, CreateOptions options, Troubles& troubles)
      : options_(std::move(options)),
        stub_(pb::PaymentService::NewStub(channel)),
        troubles_(troubles) {}

  void Start(Done done) {
    const Choice choice = Choose();
    auto call = std::make_shared<CallState<pb::CreatePaymentRequest, pb::CreatePaymentResponse>>();
    call->context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    call->context.AddMetadata("authorization", "Bearer " + options_.api_key);
    call->request.set_request_id(choice.request_id);
    call->request.mutable_price()->set_unit(options_.unit);
    call->request.mutable_price()->set_value(options_.value);
    call->request.set_reference("order-" + choice.request_id);
    stub_->async()->CreatePayment(
        &call->context, &call->request, &call->response,
        [this, call, choice, done = std::move(done)](const grpc::Status& status) {
          done(Judge(choice, status, call->response));
        });
  }

  void WriteIds(const std::string& path) {
    std::ofstream out(path, std::ios::app);
    std::lock_guard lock(mutex_);
    for (const Made& made : made_) out << made.request_id << ' ' << made.payment_id << '\n';
    out.flush();
    if (!out) troubles_.Add("cannot write " + path);
  }
  std::size_t made() {
    std::lock_guard lock(mutex_);
    return made_.size();
  }
  std::size_t replayed() {
    std::lock_guard lock(mutex_);
    return replayed_;
  }

 private:
  static constexpr std::uint64_t kReplayEach = 10;
  struct Made {
    std::string request_id;
    std::string payment_id;
    std::size_t answer_hash = 0;
    bool repeating = false;  // the service refuses a request that it is just working on
  };
  struct Choice {
    std::string request_id;
    std::optional<std::size_t> first;  // set: a repetition of this one
  };

  Choice Choose() {
    std::lock_guard lock(mutex_);
    if (++started_ % kReplayEach == 0 && !made_.empty()) {
      const std::size_t index = random_() % made_.size();
      if (!std::exchange(made_[index].repeating, true)) return {made_[index].request_id, index};
    }
    return {options_.prefix + "-" + std::to_string(started_), std::nullopt};
  }

  bool Judge(const Choice& choice, const grpc::Status& status,
             const pb::CreatePaymentResponse& response) {
    if (choice.first) {
      std::lock_guard lock(mutex_);
      made_[*choice.first].repeating = false;
    }
    if (!status.ok()) {
      troubles_.Add(status.error_message());
      return false;
    }
    const pb::Payment& payment = response.payment();
    if (payment.options().empty() || payment.deposit_address().empty()) {
      troubles_.Add("a payment without options or without a watched address");
      return false;
    }
    const Made made{choice.request_id, payment.payment_id(),
                    std::hash<std::string>()(response.SerializeAsString()), false};
    std::lock_guard lock(mutex_);
    if (!choice.first) {
      made_.push_back(made);
      return true;
    }
    ++replayed_;
    const Made& first = made_[*choice.first];
    if (first.payment_id == made.payment_id && first.answer_hash == made.answer_hash) return true;
    troubles_.Add("a repeated request got another answer than the first");
    return false;
  }

  const CreateOptions options_;
  std::unique_ptr<pb::PaymentService::Stub> stub_;
  Troubles& troubles_;
  std::mutex mutex_;
  std::mt19937_64 random_{1};
  std::uint64_t started_ = 0;
  std::size_t replayed_ = 0;
  std::vector<Made> made_;
};

struct Arguments {
  std::string what, target, spiffe_id, ids;
  paymesh::rpc::TlsFiles tls;
  paymesh::bench::LoadOptions load;
  CreateOptions create;
};

int Run(const Arguments& arguments) {
  Troubles troubles;
  paymesh::rpc::ChannelOptions options{.target = arguments.target, .retry = false};
  if (!arguments.spiffe_id.empty()) options.expected_spiffe_id = arguments.spiffe_id;
  const auto channel = paymesh::rpc::MakeChannel(arguments.tls, options);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + kDeadline)) {
    std::fprintf(stderr, "no connection to %s\n", arguments.target.c_str());
    return 1;
  }
  paymesh::bench::LoadResult result;
  std::string more;
  if (arguments.what == "echo") {
    Echo echo(channel, troubles);
    result = RunLoad(arguments.load, [&](Done done) { echo.Start(std::move(done)); });
  } else {
    Create create(channel, arguments.create, troubles);
    result = RunLoad(arguments.load, [&](Done done) { create.Start(std::move(done)); });
    if (!arguments.ids.empty()) create.WriteIds(arguments.ids);
    more = ",\"made\":" + std::to_string(create.made()) +
           ",\"replayed\":" + std::to_string(create.replayed());
  }
  std::printf("%s\n", ToJson(result, more).c_str());
  troubles.Print();
  return result.failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("unary calls, and what they take");
  Arguments arguments;
  int milliseconds = 2'000;
  int warm_up = 300;
  app.add_option("what", arguments.what, "create or echo")
      ->required()
      ->check(CLI::IsMember({"create", "echo"}));
  app.add_option("--target", arguments.target)->required();
  app.add_option("--spiffe-id", arguments.spiffe_id, "whom the server must be");
  app.add_option("--certificate", arguments.tls.certificate)->required();
  app.add_option("--key", arguments.tls.key)->required();
  app.add_option("--ca", arguments.tls.ca)->required();
  app.add_option("--outstanding", arguments.load.outstanding);
  app.add_option("--rate", arguments.load.calls_per_second, "an open loop of so many a second");
  app.add_option("--milliseconds", milliseconds);
  app.add_option("--warm-up", warm_up);
  app.add_option("--prefix", arguments.create.prefix);
  app.add_option("--api-key", arguments.create.api_key);
  app.add_option("--unit", arguments.create.unit);
  app.add_option("--value", arguments.create.value);
  app.add_option("--ids", arguments.ids);
  CLI11_PARSE(app, argc, argv);
  arguments.load.measured = std::chrono::milliseconds(milliseconds);
  arguments.load.warm_up = std::chrono::milliseconds(warm_up);
  return Run(arguments);
}
