// Keccak-256 as Ethereum uses it (the padding of the contest, not of FIPS 202).
// Pure functions; any thread.
#pragma once

#include <string_view>

#include "common/evm/bytes.h"

namespace paymesh::evm {

Hash32 Keccak256(ByteView data);
inline Hash32 Keccak256(std::string_view text) { return Keccak256(AsBytes(text)); }

}  // namespace paymesh::evm
