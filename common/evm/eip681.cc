#include "common/evm/eip681.h"

#include <algorithm>
#include <charconv>

#include "common/evm/abi.h"
#include "common/money/decimal.h"

namespace paymesh::evm {
namespace {

constexpr std::size_t kMaxParameters = 16;

Error BadUri(std::string why) { return Error::InvalidArgument("INVALID_URI", std::move(why)); }

bool SkipPrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Takes what lies before the first of `delimiters`, and leaves the delimiter.
std::string_view TakeUntil(std::string_view& text, std::string_view delimiters) {
  const std::string_view head = text.substr(0, text.find_first_of(delimiters));
  text.remove_prefix(head.size());
  return head;
}

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsIdentifier(std::string_view text) {
  return !text.empty() && text.size() <= 64 && IsLetter(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return IsLetter(c) || IsDigit(c); });
}

Result<std::uint64_t> ParseChainNumber(std::string_view digits) {
  if (!std::all_of(digits.begin(), digits.end(), IsDigit)) return BadUri("the chain is no number");
  const Result<ChainId> chain = ChainId::Parse(std::string("eip155:").append(digits));
  if (!chain.ok()) return BadUri(chain.error().message);
  return chain->number();
}

// The rules for one parameter, by its name.
Status CheckParameter(std::string_view name, std::string_view value) {
  if (name == "value" || name == "gas" || name == "gasLimit" || name == "gasPrice") {
    const Result<U256> number = ParseUriNumber(value);
    return number.ok() ? Status() : Status(number.error());
  }
  const Result<AbiType> type = AbiType::Parse(name);
  if (!type.ok()) return BadUri("has a parameter that is neither a known name nor a type");
  if (type->kind() == AbiType::Kind::kAddress) {
    const Result<Address> address = Address::Parse(value);
    if (!address.ok()) return BadUri(address.error().message);
  } else if (type->kind() == AbiType::Kind::kUint) {
    const Result<U256> number = ParseUriNumber(value);
    if (!number.ok()) return number.error();
    if (number->BitLength() > type->size()) return BadUri("has a number too large for its type");
  }
  return {};
}

Status ParseParameters(std::string_view text, Eip681Uri& uri) {
  do {
    const std::string_view name = TakeUntil(text, "=&");
    if (!SkipPrefix(text, "=")) return BadUri("has a parameter without a value");
    const std::string_view value = TakeUntil(text, "&");
    RETURN_IF_ERROR(CheckParameter(name, value));
    if (uri.Find(name) != nullptr) return BadUri("repeats a parameter");
    uri.parameters.emplace_back(name, value);
    if (uri.parameters.size() > kMaxParameters) return BadUri("has too many parameters");
  } while (SkipPrefix(text, "&"));
  return {};
}

bool IsPlain(char c) { return c > 0x20 && c < 0x7f && c != '#'; }

}  // namespace

const std::string* Eip681Uri::Find(std::string_view name) const {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [name](const auto& entry) { return entry.first == name; });
  return found == parameters.end() ? nullptr : &found->second;
}

std::string BuildUri(const TokenTransferUri& transfer) {
  return "ethereum:" + transfer.token.ToChecksum() + "@" + std::to_string(transfer.chain_id) +
         "/transfer?address=" + transfer.recipient.ToChecksum() +
         "&uint256=" + transfer.value.ToString();
}

Result<Eip681Uri> ParseUri(std::string_view text) {
  if (text.size() > kMaxUriBytes) return BadUri("is longer than 2,048 bytes");
  if (!std::all_of(text.begin(), text.end(), IsPlain)) return BadUri("has a forbidden character");
  if (!SkipPrefix(text, "ethereum:")) return BadUri("does not begin with ethereum:");
  Eip681Uri uri;
  uri.has_pay_prefix = SkipPrefix(text, "pay-");
  const Result<Address> target = Address::Parse(TakeUntil(text, "@/?"));
  if (!target.ok()) return BadUri(target.error().message);
  uri.target = *target;
  if (SkipPrefix(text, "@")) {
    ASSIGN_OR_RETURN(uri.chain_id, ParseChainNumber(TakeUntil(text, "/?")));
  }
  if (SkipPrefix(text, "/")) {
    uri.function = std::string(TakeUntil(text, "?"));
    if (!IsIdentifier(uri.function)) return BadUri("has a malformed function name");
  }
  if (SkipPrefix(text, "?")) RETURN_IF_ERROR(ParseParameters(text, uri));
  return uri;
}

Result<TokenTransferUri> ParseTokenTransferUri(std::string_view text) {
  ASSIGN_OR_RETURN(const Eip681Uri uri, ParseUri(text));
  const std::string* recipient = uri.Find("address");
  const std::string* value = uri.Find("uint256");
  if (uri.function != "transfer" || !uri.chain_id || recipient == nullptr || value == nullptr ||
      uri.parameters.size() != 2) {
    return BadUri("is not a token transfer on a named chain");
  }
  ASSIGN_OR_RETURN(const Address to, Address::Parse(*recipient));
  ASSIGN_OR_RETURN(const U256 amount, ParseUriNumber(*value));
  return TokenTransferUri{uri.target, *uri.chain_id, to, amount};
}

Result<U256> ParseUriNumber(std::string_view text) {
  const std::string_view mantissa = text.substr(0, text.find_first_of("eE"));
  unsigned exponent = 0;
  if (mantissa.size() < text.size()) {
    const std::string_view digits = text.substr(mantissa.size() + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (error != std::errc() || end != digits.data() + digits.size() || exponent > kMaxExponent) {
      return BadUri("has a malformed exponent");
    }
  }
  const Result<U256> number = ParseMajor(mantissa, exponent);
  if (!number.ok()) return BadUri("a number " + number.error().message);
  return *number;
}

}  // namespace paymesh::evm
