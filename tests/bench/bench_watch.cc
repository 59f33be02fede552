// Watches payments and says when each revision arrives. Reads `payment_id` lines, opens a
// WatchPayment stream for each, and prints `payment_id revision STATE transfers nanoseconds` for
// every message, by the system's monotonic clock, which other processes of the machine read too.
// Ends with its input.
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <condition_variable>
#include <cstdio>
#include <iostream>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "common/rpc/credentials.h"
#include "paymesh/checkout/v1/payment_service.grpc.pb.h"

namespace {

namespace pb = paymesh::checkout::v1;

// How many streams are open, and whether one broke.
struct Open {
  std::mutex mutex;
  std::condition_variable changed;
  int count = 0;
  bool leaving = false;
  bool broken = false;
};

class Watch final : public grpc::ClientReadReactor<pb::WatchPaymentResponse> {
 public:
  Watch(pb::PaymentService::Stub& stub, const std::string& api_key, const std::string& payment_id,
        Open& open)
      : open_(open) {
    {
      std::lock_guard lock(open_.mutex);
      ++open_.count;
    }
    if (!api_key.empty()) context_.AddMetadata("authorization", "Bearer " + api_key);
    request_.set_payment_id(payment_id);
    stub.async()->WatchPayment(&context_, &request_, this);
    StartRead(&response_);
    StartCall();
  }
  void Cancel() { context_.TryCancel(); }

 private:
  void OnReadDone(bool ok) override {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    if (!ok) return;
    const pb::Payment& payment = response_.payment();
    std::printf("%s %lld %s %d %lld\n", payment.payment_id().c_str(),
                static_cast<long long>(payment.revision()),
                pb::PaymentState_Name(payment.state()).c_str(), payment.transfers_size(),
                static_cast<long long>(std::chrono::nanoseconds(now).count()));
    std::fflush(stdout);
    StartRead(&response_);
  }
  void OnDone(const grpc::Status& status) override {
    Open& open = open_;
    {
      std::lock_guard lock(open.mutex);
      --open.count;
      if (!open.leaving) {
        open.broken = true;
        std::fprintf(stderr, "a watch ended: %s\n", status.error_message().c_str());
      }
    }
    open.changed.notify_all();
  }

  Open& open_;
  grpc::ClientContext context_;
  pb::WatchPaymentRequest request_;
  pb::WatchPaymentResponse response_;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("says when payments change");
  paymesh::rpc::TlsFiles tls;
  paymesh::rpc::ChannelOptions options;
  std::string spiffe_id, api_key;
  app.add_option("--target", options.target)->required();
  app.add_option("--spiffe-id", spiffe_id)->required();
  app.add_option("--certificate", tls.certificate)->required();
  app.add_option("--key", tls.key)->required();
  app.add_option("--ca", tls.ca)->required();
  app.add_option("--api-key", api_key);
  CLI11_PARSE(app, argc, argv);
  options.expected_spiffe_id = spiffe_id;
  const auto stub = pb::PaymentService::NewStub(paymesh::rpc::MakeChannel(tls, options));
  Open open;
  std::list<Watch> watches;
  std::string payment_id;
  while (std::getline(std::cin, payment_id)) {
    if (payment_id == "clear") {  // the payments so far are done with
      std::unique_lock lock(open.mutex);
      open.leaving = true;
      for (Watch& watch : watches) watch.Cancel();
      open.changed.wait(lock, [&] { return open.count == 0; });
      open.leaving = false;
      lock.unlock();
      watches.clear();
    } else {
      watches.emplace_back(*stub, api_key, payment_id, open);
    }
  }
  std::unique_lock lock(open.mutex);
  open.leaving = true;
  for (Watch& watch : watches) watch.Cancel();
  open.changed.wait(lock, [&] { return open.count == 0; });
  return open.broken ? 1 : 0;
}
