#include "services/settlement/methods.h"

namespace paymesh::settlement {

rpc::MethodTable Methods() {
  const std::string ledger = "/paymesh.settlement.v1.LedgerService/";
  const std::string payouts = "/paymesh.settlement.v1.PayoutService/";
  const std::string pauses = "/paymesh.settlement.v1.PauseService/";
  const std::string events = "/paymesh.settlement.v1.EventService/";
  const std::vector<std::string> people = {"role:operator", "role:reader", "role:finance",
                                           "role:approver"};
  const std::vector<std::string> asks = {"role:operator", "role:finance"};
  const std::vector<std::string> approves = {"role:approver"};
  const std::vector<std::string> operators = {"role:operator"};
  return {
      {ledger + "GetJournal", people},
      {ledger + "ListJournals", people},
      {ledger + "GetAccount", people},
      {ledger + "ListAccounts", people},
      {ledger + "ProveBalances", people},
      {payouts + "CreatePayoutDestination", asks},
      {payouts + "ApprovePayoutDestination", approves},
      {payouts + "ListPayoutDestinations", people},
      {payouts + "SetPayoutPlan", asks},
      {payouts + "ListPayoutPlans", people},
      {payouts + "CreatePayout", asks},
      {payouts + "ApprovePayout", approves},
      {payouts + "RejectPayout", approves},
      {payouts + "CancelPayout", asks},
      {payouts + "ResolvePayout", approves},
      {payouts + "GetPayout", people},
      {payouts + "ListPayouts", people},
      {pauses + "PausePayouts", operators},
      {pauses + "ResumePayouts", operators},
      {pauses + "ListPauses", people},
      {events + "ListEvents", people},
      {events + "StreamEvents",
       {"service:checkout", "role:operator", "role:reader", "role:finance", "role:approver"}},
  };
}

std::vector<std::string> Calls() {
  return {"/paymesh.watcher.v1.TransferService/WatchAddresses",
          "/paymesh.watcher.v1.TransferService/StreamTransfers",
          "/paymesh.watcher.v1.TransactionService/StreamTransactions",
          "/paymesh.watcher.v1.TransactionService/GetAccountNonce",
          "/paymesh.watcher.v1.TransactionService/BroadcastTransaction",
          "/paymesh.watcher.v1.TransactionService/GetTransaction",
          "/paymesh.watcher.v1.ChainService/EstimateFees",
          "/paymesh.watcher.v1.ChainService/GetBalances",
          "/paymesh.watcher.v1.ChainService/CallContract",
          "/paymesh.checkout.v1.EventService/StreamEvents"};
}

}  // namespace paymesh::settlement
