// Configurations of chains for tests, written as short as chains.yaml allows. Any thread.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "common/config/chains.h"

namespace paymesh::checkout::testing {

inline std::string Chain(int number, char factory, char hash, const std::string& tokens = "[]") {
  const std::string id = "eip155:" + std::to_string(number);
  return "  - chain: " + id + "\n    name: chain" + std::to_string(number) +
         "\n    block_time: 1s\n    finality: {safe_min_depth: 1, finalized_min_depth: 2}\n"
         "    endpoints: [http://127.0.0.1:1]\n    contracts: {vault: \"0x" +
         std::string(40, 'a') + "\", factory: \"0x" + std::string(40, factory) +
         "\", factory_init_code_hash: \"0x" + std::string(64, hash) +
         "\"}\n    start_block: 0\n    native: {symbol: ETH, decimals: 18}\n    tokens: " + tokens +
         "\n";
}

inline std::string Token(int chain, char digit, int decimals, const std::string& currency) {
  return "{asset: \"eip155:" + std::to_string(chain) + "/erc20:0x" + std::string(40, digit) +
         "\", symbol: T" + std::string(1, digit) + ", decimals: " + std::to_string(decimals) +
         ", currency: " + currency + ", accepted: true}";
}

inline runtime::ChainsConfig Parse(const std::string& chains) {
  auto parsed = runtime::ParseChains("chains:\n" + chains, "chains.yaml");
  EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.error().ToString());
  return *std::move(parsed);
}

}  // namespace paymesh::checkout::testing
