// The text of an EVM address: checked (EIP-55) and brought to the lower-case form that Paymesh
// writes everywhere. Here, below evm/, because units and CAIP ids contain addresses.
// Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "common/error/error.h"

namespace paymesh {

// Accepts "0x" and 40 hex digits in lower case, in upper case, or in mixed case with the right
// EIP-55 checksum. Answers the lower-case form. INVALID_ADDRESS otherwise.
Result<std::string> NormaliseAddress(std::string_view text);

// The EIP-55 form of an address in the lower-case form.
std::string ChecksumAddress(std::string_view lower_case);

}  // namespace paymesh
