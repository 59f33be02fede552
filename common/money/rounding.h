// How a division that does not come out even is rounded. Every function that may round takes one of
// these by name, so that who gains the fraction is visible at the call.
// Immutable; any thread.
#pragma once

namespace paymesh {

enum class Rounding {
  kDown,      // towards zero: what we grant, fees that we take
  kUp,        // away from zero: what a payer owes us
  kHalfUp,    // to nearest, ties up: display only
  kHalfEven,  // to nearest, ties to the even neighbour: statistics, fair splits
};

}  // namespace paymesh
