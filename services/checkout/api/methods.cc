#include "services/checkout/api/methods.h"

#include <string>
#include <utility>
#include <vector>

namespace paymesh::checkout {
namespace {

using Allowed = std::vector<std::string>;

const Allowed kEdgeOrOperator{"role:edge", "role:operator"};
const Allowed kOperator{"role:operator"};
const Allowed kPeople{"role:operator", "role:reader", "role:finance", "role:approver"};
const Allowed kEdgeOrPeople{"role:edge", "role:operator", "role:reader", "role:finance",
                            "role:approver"};
const Allowed kFollowers{"role:edge",     "role:operator",      "role:reader",    "role:finance",
                         "role:approver", "service:settlement", "service:routing"};

rpc::MethodRule Rule(const char* method, Allowed allowed) {
  return {std::string("/paymesh.checkout.v1.") + method, std::move(allowed)};
}

}  // namespace

rpc::MethodTable Methods() {
  return {
      Rule("PaymentService/CreatePayment", kEdgeOrOperator),
      Rule("PaymentService/GetPayment", kEdgeOrPeople),
      Rule("PaymentService/ListPayments", kEdgeOrPeople),
      Rule("PaymentService/CancelPayment", kEdgeOrOperator),
      Rule("PaymentService/ResolvePayment", kOperator),
      Rule("PaymentService/WatchPayment", kEdgeOrPeople),
      Rule("MerchantService/CreateMerchant", kOperator),
      Rule("MerchantService/GetMerchant", kPeople),
      Rule("MerchantService/ListMerchants", kPeople),
      Rule("MerchantService/CreateApiKey", kOperator),
      Rule("MerchantService/ListApiKeys", kPeople),
      Rule("MerchantService/RevokeApiKey", kOperator),
      Rule("EventService/ListEvents", kEdgeOrPeople),
      Rule("EventService/StreamEvents", kFollowers),
  };
}

std::vector<std::string> Calls() {
  return {"/paymesh.routing.v1.RoutingService/Decide",
          "/paymesh.watcher.v1.TransferService/WatchAddresses",
          "/paymesh.watcher.v1.TransferService/StreamTransfers",
          "/paymesh.settlement.v1.EventService/StreamEvents"};
}

}  // namespace paymesh::checkout
