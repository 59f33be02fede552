// An amount as a metric shows it: a double is near enough for a gauge, and nothing else is done
// with it. Pure; any thread.
#pragma once

#include <cstddef>

#include "common/money/u256.h"

namespace paymesh::settlement {

inline double GaugeValue(const U256& value) {
  double out = 0;
  for (std::size_t i = 4; i-- > 0;) {
    out = out * 18446744073709551616.0 + static_cast<double>(value.limbs()[i]);
  }
  return out;
}

}  // namespace paymesh::settlement
