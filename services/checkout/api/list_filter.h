// What ListPayments was asked for, checked; and the text that a page token is bound to. Pure
// functions; any thread.
#pragma once

#include <string>

#include "paymesh/checkout/v1/payment_service.pb.h"
#include "services/checkout/store/payment_store.h"

namespace paymesh::checkout {

// `merchant_id` is the caller's where an API key binds one.
Result<PaymentFilter> ToFilter(const v1::ListPaymentsRequest& request, std::string merchant_id);
// The same for equal filters only.
std::string ScopeOf(const std::string& method, const PaymentFilter& filter);

}  // namespace paymesh::checkout
