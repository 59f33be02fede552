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

}  // namespace paymesh::settlement
