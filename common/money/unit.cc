#include "common/money/unit.h"

#include <algorithm>
#include <array>
#include <utility>

namespace paymesh {
namespace {

constexpr std::string_view kFiat = "iso4217/";
constexpr std::string_view kToken = "caip19/";
constexpr std::string_view kNative = "/slip44:60";

// ISO 4217, list one: the national currencies with 0, 3 and 4 digits, then all those with 2.
constexpr std::string_view kZeroDigits =
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
constexpr std::string_view kThreeDigits = "BHD IQD JOD KWD LYD OMR TND";
constexpr std::string_view kFourDigits = "CLF UYW";
constexpr std::string_view kTwoDigits =
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD "
    "CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS "
    "GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD "
    "LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB "
    "PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP "
    "SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW "
    "ZWG";

bool Lists(std::string_view codes, std::string_view currency) {
  for (std::size_t at = 0; at + 3 <= codes.size(); at += 4) {
    if (codes.substr(at, 3) == currency) return true;
  }
  return false;
}

}  // namespace

std::optional<unsigned> CurrencyExponent(std::string_view currency) {
  if (Lists(kTwoDigits, currency)) return 2;
  if (Lists(kZeroDigits, currency)) return 0;
  if (Lists(kThreeDigits, currency)) return 3;
  if (Lists(kFourDigits, currency)) return 4;
  return std::nullopt;
}

namespace {

Result<Unit> ParseCaip19(std::string_view text) {
  if (text.ends_with(kNative)) {
    const Result<ChainId> chain = ChainId::Parse(text.substr(0, text.size() - kNative.size()));
    if (!chain.ok()) return Error::InvalidArgument("INVALID_UNIT", chain.error().message);
    return Unit::Native(*chain);
  }
  const Result<AssetId> asset = AssetId::Parse(text);
  if (!asset.ok()) return Error::InvalidArgument("INVALID_UNIT", asset.error().message);
  return Unit::Token(*asset);
}

}  // namespace

Result<Unit> Unit::Parse(std::string_view text) {
  if (text.starts_with(kFiat)) return Fiat(text.substr(kFiat.size()));
  if (text.starts_with(kToken)) return ParseCaip19(text.substr(kToken.size()));
  return Error::InvalidArgument(
      "INVALID_UNIT", "a unit is iso4217/<currency> or caip19/eip155:<number>/erc20:<address>");
}

Result<Unit> Unit::Fiat(std::string_view currency) {
  if (!CurrencyExponent(currency)) {
    return Error::InvalidArgument("INVALID_UNIT",
                                  "not a currency of ISO 4217 in three upper-case letters");
  }
  return Unit(std::string(kFiat).append(currency), std::nullopt, std::nullopt);
}

Unit Unit::Token(AssetId asset) {
  std::string text = std::string(kToken) + asset.ToString();
  return Unit(std::move(text), std::move(asset), std::nullopt);
}

Unit Unit::Native(ChainId chain) {
  std::string text = std::string(kToken).append(chain.ToString()).append(kNative);
  return Unit(std::move(text), std::nullopt, chain);
}

std::string_view Unit::currency() const {
  return IsFiat() ? std::string_view(text_).substr(kFiat.size()) : std::string_view();
}

std::optional<unsigned> Unit::exponent() const {
  return IsFiat() ? CurrencyExponent(currency()) : std::nullopt;
}

}  // namespace paymesh
