// Chain-agnostic ids, EVM only: CAIP-2 chains ("eip155:8453"), CAIP-10 accounts
// ("eip155:8453:0x…") and CAIP-19 ERC-20 assets ("eip155:8453/erc20:0x…").
// Addresses are accepted in lower case or with a right EIP-55 checksum, and written in lower case.
// Immutable values; any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/error/error.h"

namespace paymesh {

class ChainId {
 public:
  // INVALID_CHAIN unless "eip155:" and a number from 1 to 2^63-1 without leading zeros.
  static Result<ChainId> Parse(std::string_view text);
  // The EIP-155 number; zero is refused.
  static Result<ChainId> FromNumber(std::uint64_t number);

  std::uint64_t number() const { return number_; }
  std::string ToString() const;
  friend auto operator<=>(const ChainId&, const ChainId&) = default;

 private:
  explicit ChainId(std::uint64_t number) : number_(number) {}
  std::uint64_t number_;
};

class AccountId {
 public:
  static Result<AccountId> Parse(std::string_view text);  // INVALID_ACCOUNT
  static Result<AccountId> Create(ChainId chain, std::string_view address);

  ChainId chain() const { return chain_; }
  const std::string& address() const { return address_; }  // lower case
  std::string ToString() const;
  friend auto operator<=>(const AccountId&, const AccountId&) = default;

 private:
  AccountId(ChainId chain, std::string address) : chain_(chain), address_(std::move(address)) {}
  ChainId chain_;
  std::string address_;
};

class AssetId {
 public:
  static Result<AssetId> Parse(std::string_view text);  // INVALID_ASSET
  static Result<AssetId> Create(ChainId chain, std::string_view token_address);

  ChainId chain() const { return chain_; }
  const std::string& token() const { return token_; }  // contract address, lower case
  std::string ToString() const;
  friend auto operator<=>(const AssetId&, const AssetId&) = default;

 private:
  AssetId(ChainId chain, std::string token) : chain_(chain), token_(std::move(token)) {}
  ChainId chain_;
  std::string token_;
};

}  // namespace paymesh

template <>
struct std::hash<paymesh::ChainId> {
  std::size_t operator()(const paymesh::ChainId& id) const noexcept {
    return std::hash<std::uint64_t>()(id.number());
  }
};
template <>
struct std::hash<paymesh::AssetId> {
  std::size_t operator()(const paymesh::AssetId& id) const noexcept {
    return std::hash<std::string>()(id.token()) ^ (std::hash<paymesh::ChainId>()(id.chain()) << 1);
  }
};
