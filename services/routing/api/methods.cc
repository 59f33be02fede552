#include "services/routing/api/methods.h"

namespace paymesh::routing {

rpc::MethodTable Methods() {
  const std::string service = "/paymesh.routing.v1.RoutingService/";
  return {
      {service + "Decide", {"service:checkout"}},
      {service + "GetDecision", {"role:operator", "role:reader", "role:finance", "role:approver"}},
      {service + "GetRate",
       {"service:checkout", "role:operator", "role:reader", "role:finance", "role:approver"}},
  };
}

std::vector<std::string> Calls() {
  return {"/paymesh.watcher.v1.ChainService/ListChains",
          "/paymesh.watcher.v1.ChainService/EstimateFees",
          "/paymesh.watcher.v1.ChainService/CallContract",
          "/paymesh.checkout.v1.EventService/StreamEvents"};
}

}  // namespace paymesh::routing
