// The contract's PaymentService: parse, call, render. Any thread.
#pragma once

#include <chrono>
#include <memory>

#include "common/pg/idempotency.h"
#include "common/rpc/server/server.h"
#include "paymesh/checkout/v1/payment_service.grpc.pb.h"
#include "services/checkout/config.h"
#include "services/checkout/usecases/create_payment.h"
#include "services/checkout/usecases/merchant_directory.h"

namespace paymesh::outbox {
class Hub;
}
namespace paymesh::rpc {
class PageTokens;
}

namespace paymesh::checkout {

class PaymentServiceApi final : public v1::PaymentService::CallbackService {
 public:
  struct Parts {
    rpc::CallRunner& calls;
    pg::Database& database;
    outbox::Hub& hub;
    PaymentCreator& creator;
    MerchantDirectory& merchants;
    const runtime::ChainsConfig& chains;
    const rpc::PageTokens& page_tokens;
    CheckoutMetrics& metrics;
    const Config& config;
  };
  explicit PaymentServiceApi(Parts parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* CreatePayment(grpc::CallbackServerContext* context,
                                          const v1::CreatePaymentRequest* request,
                                          v1::CreatePaymentResponse* response) override;
  grpc::ServerUnaryReactor* GetPayment(grpc::CallbackServerContext* context,
                                       const v1::GetPaymentRequest* request,
                                       v1::GetPaymentResponse* response) override;
  grpc::ServerUnaryReactor* ListPayments(grpc::CallbackServerContext* context,
                                         const v1::ListPaymentsRequest* request,
                                         v1::ListPaymentsResponse* response) override;
  grpc::ServerUnaryReactor* CancelPayment(grpc::CallbackServerContext* context,
                                          const v1::CancelPaymentRequest* request,
                                          v1::CancelPaymentResponse* response) override;
  grpc::ServerUnaryReactor* ResolvePayment(grpc::CallbackServerContext* context,
                                           const v1::ResolvePaymentRequest* request,
                                           v1::ResolvePaymentResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchPaymentResponse>* WatchPayment(
      grpc::CallbackServerContext* context, const v1::WatchPaymentRequest* request) override;

 private:
  Task<Status> DoCreate(rpc::Call& call, const v1::CreatePaymentRequest& request,
                        v1::CreatePaymentResponse* response);
  Task<Status> DoGet(rpc::Call& call, const v1::GetPaymentRequest& request,
                     v1::GetPaymentResponse* response);
  Task<Status> DoList(rpc::Call& call, const v1::ListPaymentsRequest& request,
                      v1::ListPaymentsResponse* response);
  Task<Status> DoCancel(rpc::Call& call, const v1::CancelPaymentRequest& request,
                        v1::CancelPaymentResponse* response);
  Task<Status> DoResolve(rpc::Call& call, const v1::ResolvePaymentRequest& request,
                         v1::ResolvePaymentResponse* response);
  Task<Status> DoWatch(rpc::Call& call, const v1::WatchPaymentRequest& request,
                       rpc::Writer<v1::WatchPaymentResponse>& writer);
  template <class Response>
  Task<Status> ChangeOne(rpc::Call& call, pg::IdempotencyKey key, std::string payment_id,
                         Event event, Response* response);

  Parts parts_;
  pg::InFlight in_flight_;
};

}  // namespace paymesh::checkout
