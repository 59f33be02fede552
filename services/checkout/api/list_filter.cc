#include "services/checkout/api/list_filter.h"

#include <algorithm>

#include "common/evm/bytes.h"
#include "common/money/address_text.h"
#include "services/checkout/api/fields.h"
#include "services/checkout/convert.h"

namespace paymesh::checkout {
namespace {

Result<std::vector<State>> StatesOf(const pb::ListPaymentsRequest& request) {
  std::vector<State> states;
  for (const int number : request.states()) {
    const std::optional<State> state = StateOf(number);
    if (!state) return Error::InvalidField("states", "must be known states");
    states.push_back(*state);
  }
  std::sort(states.begin(), states.end());
  states.erase(std::unique(states.begin(), states.end()), states.end());
  return states;
}

// Each part with its length in front, so that no two filters have one text.
void AddPart(std::string& scope, const std::string& part) {
  scope += std::to_string(part.size()) + ":" + part + ";";
}

}  // namespace

Result<PaymentFilter> ToFilter(const pb::ListPaymentsRequest& request, std::string merchant_id) {
  PaymentFilter filter{.merchant_id = std::move(merchant_id)};
  RETURN_IF_ERROR(CheckText(filter.merchant_id, {"merchant_id", 0, 64}));
  ASSIGN_OR_RETURN(filter.states, StatesOf(request));
  if (request.has_create_time_from()) {
    ASSIGN_OR_RETURN(filter.create_time_from,
                     CheckTime(request.create_time_from(), "create_time_from"));
  }
  if (request.has_create_time_until()) {
    ASSIGN_OR_RETURN(filter.create_time_until,
                     CheckTime(request.create_time_until(), "create_time_until"));
  }
  if (filter.create_time_from && filter.create_time_until &&
      *filter.create_time_until < *filter.create_time_from) {
    return Error::InvalidField("create_time_until", "must not be before create_time_from");
  }
  RETURN_IF_ERROR(CheckText(request.reference(), {"reference", 0, kMaxReference}));
  filter.reference = request.reference();
  if (!request.transaction_hash().empty()) {
    const Result<evm::Hash32> hash = evm::Hash32::Parse(request.transaction_hash());
    if (!hash.ok()) return Error::InvalidField("transaction_hash", hash.error().message);
    filter.transaction_hash = hash->ToHex();
  }
  if (!request.address().empty()) {
    Result<std::string> address = NormaliseAddress(request.address());
    if (!address.ok()) return Error::InvalidField("address", address.error().message);
    filter.address = *std::move(address);
  }
  return filter;
}

std::string ScopeOf(const std::string& method, const PaymentFilter& filter) {
  std::string scope;
  AddPart(scope, method);
  AddPart(scope, filter.merchant_id);
  std::string states;
  for (State state : filter.states) states += std::to_string(static_cast<int>(state)) + ",";
  AddPart(scope, states);
  const auto time = [](const std::optional<Time>& at) {
    return at ? std::to_string(at->time_since_epoch().count()) : std::string();
  };
  AddPart(scope, time(filter.create_time_from));
  AddPart(scope, time(filter.create_time_until));
  AddPart(scope, filter.reference);
  AddPart(scope, filter.transaction_hash);
  AddPart(scope, filter.address);
  return scope;
}

}  // namespace paymesh::checkout
