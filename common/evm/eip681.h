// Payment request URIs (EIP-681), built for wallets and parsed strictly. Names (ENS) are refused.
// Immutable values and pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error/error.h"
#include "common/evm/address.h"
#include "common/money/u256.h"

namespace paymesh::evm {

// ethereum:<token>@<chain>/transfer?address=<recipient>&uint256=<value>
struct TokenTransferUri {
  Address token;
  std::uint64_t chain_id = 0;
  Address recipient;
  U256 value;
  friend bool operator==(const TokenTransferUri&, const TokenTransferUri&) = default;
};
// Addresses with their checksum, the value in full decimal: both are what all wallets read.
std::string BuildUri(const TokenTransferUri& transfer);

// Any EIP-681 URI.
struct Eip681Uri {
  bool has_pay_prefix = false;
  Address target;
  std::optional<std::uint64_t> chain_id;
  std::string function;  // empty: a transfer of the native coin
  // In the order of the URI, names not repeated. Values are checked by name or type (value, gas,
  // gasLimit, gasPrice, uintN are numbers, address is an address) and kept as written.
  std::vector<std::pair<std::string, std::string>> parameters;

  const std::string* Find(std::string_view name) const;
};
inline constexpr std::size_t kMaxUriBytes = 2'048;
Result<Eip681Uri> ParseUri(std::string_view uri);  // INVALID_URI
// The URI as a token transfer: INVALID_URI unless it names the chain, the function transfer, and
// exactly its two arguments.
Result<TokenTransferUri> ParseTokenTransferUri(std::string_view uri);

// A number by the grammar of EIP-681 ("1.5e6"), which must be a whole one. INVALID_URI otherwise.
Result<U256> ParseUriNumber(std::string_view text);

}  // namespace paymesh::evm
