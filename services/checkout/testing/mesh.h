// A whole checkout in the test's process: real PostgreSQL, real gRPC on ports of the system's
// choice, fake peers, no TLS. The caller's identity comes from a header. One thread.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "paymesh/checkout/v1/event_service.grpc.pb.h"
#include "paymesh/checkout/v1/merchant_service.grpc.pb.h"
#include "paymesh/checkout/v1/payment_service.grpc.pb.h"
#include "services/checkout/testing/fakes.h"

namespace paymesh::pg {
class TestDatabase;
}

namespace paymesh::checkout::testing {

namespace pb = ::paymesh::checkout::v1;

inline const std::string kUsdA = "caip19/eip155:31337/erc20:0x" + std::string(40, '1');
inline const std::string kUsdB = "caip19/eip155:31338/erc20:0x" + std::string(40, '1');
inline const std::string kOldA = "caip19/eip155:31337/erc20:0x" + std::string(40, '9');

class Mesh {
 public:
  Mesh();
  ~Mesh();

  FakeRouting& routing();
  FakeWatcher& watcher();
  FakeSettlement& settlement();
  pg::TestDatabase& database();

  pb::PaymentService::Stub& payments();
  pb::MerchantService::Stub& merchants();
  pb::EventService::Stub& events();

  // Says who calls: "operator", "reader", "service:settlement", or "edge" with a key.
  static void As(grpc::ClientContext& context, const std::string& who, const std::string& key = "");

  // A merchant who accepts the dollar on both chains, and a key of theirs.
  std::string MakeMerchant();
  std::string MakeKey(const std::string& merchant_id);
  pb::CreatePaymentRequest NewPayment(const std::string& merchant_id, const std::string& cents);
  pb::Payment CreatePayment(const std::string& merchant_id, const std::string& cents = "1250");
  pb::Payment Get(const std::string& payment_id);
  // Polls until `holds`; fails the test after ten seconds.
  pb::Payment Await(const std::string& payment_id, std::function<bool(const pb::Payment&)> holds);

  // The watcher's news.
  void Transfer(const pb::Payment& payment, const std::string& id, const std::string& value,
                watcher::v1::TransferState state, const std::string& unit = kUsdA);
  // Both chains were read until this many seconds from now.
  void Checkpoint(std::chrono::seconds from_now);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The reason in a status's ErrorInfo, and the fields of its BadRequest.
std::string ReasonOf(const grpc::Status& status);
std::string FieldOf(const grpc::Status& status);

}  // namespace paymesh::checkout::testing
