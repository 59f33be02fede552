// What an amount counts: minor units of a fiat currency ("iso4217/USD") or base units of a token
// ("caip19/eip155:8453/erc20:0x…"), or wei of a chain's native coin
// ("caip19/eip155:8453/slip44:60", whatever the coin is called). A token's decimals are
// configuration, not part of its unit. Immutable values; any thread.
#pragma once

#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/error/error.h"
#include "common/money/caip.h"

namespace paymesh {

class Unit {
 public:
  // INVALID_UNIT unless one of the three forms; the currency must be a listed one in upper case.
  static Result<Unit> Parse(std::string_view text);
  static Result<Unit> Fiat(std::string_view currency);
  static Unit Token(AssetId asset);
  static Unit Native(ChainId chain);

  bool IsFiat() const { return !asset_.has_value() && !native_chain_.has_value(); }
  // The three letters; empty for a token or coin.
  std::string_view currency() const;
  // Engaged for a token only.
  const std::optional<AssetId>& asset() const { return asset_; }
  // Engaged for a native coin only.
  const std::optional<ChainId>& native_chain() const { return native_chain_; }
  // Digits after the point of the currency's major unit (ISO 4217); empty for a token.
  std::optional<unsigned> exponent() const;

  const std::string& ToString() const { return text_; }  // the form on the wire
  friend bool operator==(const Unit& a, const Unit& b) { return a.text_ == b.text_; }
  friend auto operator<=>(const Unit& a, const Unit& b) { return a.text_ <=> b.text_; }

 private:
  Unit(std::string text, std::optional<AssetId> asset, std::optional<ChainId> native_chain)
      : text_(std::move(text)), asset_(std::move(asset)), native_chain_(native_chain) {}
  std::string text_;
  std::optional<AssetId> asset_;
  std::optional<ChainId> native_chain_;
};

// The exponent of a currency in ISO 4217's list of active codes that have one; else empty.
std::optional<unsigned> CurrencyExponent(std::string_view currency);

}  // namespace paymesh

template <>
struct std::hash<paymesh::Unit> {
  std::size_t operator()(const paymesh::Unit& unit) const noexcept {
    return std::hash<std::string>()(unit.ToString());
  }
};
