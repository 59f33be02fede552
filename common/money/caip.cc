#include "common/money/caip.h"

#include <charconv>
#include <limits>
#include <utility>

#include "common/money/address_text.h"

namespace paymesh {
namespace {

constexpr std::string_view kNamespace = "eip155:";
// Databases keep chain numbers as BIGINT.
constexpr std::uint64_t kMaxChainNumber = std::numeric_limits<std::int64_t>::max();

Error BadChain(std::string why) { return Error::InvalidArgument("INVALID_CHAIN", std::move(why)); }

}  // namespace

Result<ChainId> ChainId::Parse(std::string_view text) {
  if (!text.starts_with(kNamespace)) return BadChain("a chain is eip155:<number> (CAIP-2)");
  const std::string_view digits = text.substr(kNamespace.size());
  if (digits.empty() || digits.front() < '1' || digits.front() > '9') {
    return BadChain("the chain's number must be positive, without sign or leading zeros");
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return BadChain("the chain's number is malformed or too large");
  }
  return FromNumber(number);
}

Result<ChainId> ChainId::FromNumber(std::uint64_t number) {
  if (number == 0 || number > kMaxChainNumber) {
    return BadChain("the chain's number must be from 1 to 2^63 - 1");
  }
  return ChainId(number);
}

std::string ChainId::ToString() const { return std::string(kNamespace) + std::to_string(number_); }

Result<AccountId> AccountId::Parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return Error::InvalidArgument("INVALID_ACCOUNT",
                                  "an account is eip155:<number>:<address> (CAIP-10)");
  }
  const Result<ChainId> chain = ChainId::Parse(text.substr(0, colon));
  if (!chain.ok()) return Error::InvalidArgument("INVALID_ACCOUNT", chain.error().message);
  return Create(*chain, text.substr(colon + 1));
}

Result<AccountId> AccountId::Create(ChainId chain, std::string_view address) {
  Result<std::string> lower = NormaliseAddress(address);
  if (!lower.ok()) return Error::InvalidArgument("INVALID_ACCOUNT", lower.error().message);
  return AccountId(chain, *std::move(lower));
}

std::string AccountId::ToString() const { return chain_.ToString() + ":" + address_; }

Result<AssetId> AssetId::Parse(std::string_view text) {
  constexpr std::string_view kErc20 = "/erc20:";
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || !text.substr(slash).starts_with(kErc20)) {
    return Error::InvalidArgument("INVALID_ASSET",
                                  "an asset is eip155:<number>/erc20:<address> (CAIP-19)");
  }
  const Result<ChainId> chain = ChainId::Parse(text.substr(0, slash));
  if (!chain.ok()) return Error::InvalidArgument("INVALID_ASSET", chain.error().message);
  return Create(*chain, text.substr(slash + kErc20.size()));
}

Result<AssetId> AssetId::Create(ChainId chain, std::string_view token_address) {
  Result<std::string> lower = NormaliseAddress(token_address);
  if (!lower.ok()) return Error::InvalidArgument("INVALID_ASSET", lower.error().message);
  return AssetId(chain, *std::move(lower));
}

std::string AssetId::ToString() const { return chain_.ToString() + "/erc20:" + token_; }

}  // namespace paymesh
