#include "services/watcher/api/methods.h"

namespace paymesh::watcher {

rpc::MethodTable Methods() {
  const std::string transfers = "/paymesh.watcher.v1.TransferService/";
  const std::string chains = "/paymesh.watcher.v1.ChainService/";
  const std::string transactions = "/paymesh.watcher.v1.TransactionService/";
  const auto people = [](std::vector<std::string> allowed) {
    for (const char* role : {"role:operator", "role:reader", "role:finance", "role:approver"}) {
      allowed.emplace_back(role);
    }
    return allowed;
  };
  return {
      {transfers + "WatchAddresses", {"service:checkout", "service:settlement", "role:operator"}},
      {transfers + "ListTransfers", people({"service:checkout", "service:settlement"})},
      {transfers + "StreamTransfers", people({"service:checkout", "service:settlement"})},
      {chains + "ListChains",
       people({"service:routing", "service:settlement", "service:checkout"})},
      {chains + "GetChain", people({"service:routing", "service:settlement", "service:checkout"})},
      {chains + "EstimateFees", people({"service:routing", "service:settlement"})},
      {chains + "GetBalances", people({"service:routing", "service:settlement"})},
      {chains + "CallContract", {"service:routing", "service:settlement", "role:operator"}},
      {transactions + "BroadcastTransaction", {"service:settlement"}},
      {transactions + "GetTransaction", people({"service:settlement"})},
      {transactions + "StreamTransactions", people({"service:settlement"})},
      {transactions + "GetAccountNonce", people({"service:settlement"})},
  };
}

}  // namespace paymesh::watcher
