// The part of the payment's machine that computes what follows from the facts: which option is
// bound, what each transfer means, the flags and the state. Pure functions; any thread.
#pragma once

#include "services/checkout/domain/machine.h"

namespace paymesh::checkout {

// Recomputes bound option, dispositions, allocation (when the payment is paid now), flags and
// state.
void AssessTransfers(const Rules& rules, Payment& payment);

// Splits every live, undecided transfer into accepted and refundable: MATCHED ones, and with a
// person's word LATE and EXTRA ones in the bound unit too, are accepted up to what is due. Those
// that are as certain as the policy asks come first, then the order of arrival decides.
enum class Authority { kRules, kPerson };
void Decide(Payment& payment, Authority authority);

// What the merchant would have with a person's acceptance, in the bound unit.
U256 Acceptable(const Payment& payment);

}  // namespace paymesh::checkout
