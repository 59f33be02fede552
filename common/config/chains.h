// chains.yaml: the chains, contracts and tokens of the mesh, one file mounted into all services.
// deploy/chains.example.yaml explains every key to those who write one.
// Immutable after loading; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/error/error.h"
#include "common/money/caip.h"
#include "common/money/unit.h"

namespace paymesh::runtime {

struct TokenConfig {
  AssetId asset;
  std::string symbol;
  unsigned decimals = 0;  // at most 36
  std::string currency;   // the fiat currency it is pegged to, "USD"
  bool accepted = false;  // offered to payers; if not, it is only watched and booked
  Unit unit() const { return Unit::Token(asset); }
};

struct ChainConfig {
  ChainId chain;
  std::string name = {};
  std::chrono::milliseconds block_time{0};
  std::uint32_t safe_min_depth = 0;  // blocks on top, besides the node's tags
  std::uint32_t finalized_min_depth = 0;
  std::vector<std::string> endpoints = {};  // JSON-RPC; used by the watcher alone
  // Addresses in lower case with 0x; empty where the file gives none.
  std::string vault = {};
  std::string factory = {};
  std::string factory_init_code_hash = {};  // 0x and 64 lower-case hex digits
  std::string relay = {};
  std::uint64_t start_block = 0;
  std::string native_symbol = {};
  unsigned native_decimals = 18;
  std::vector<TokenConfig> tokens = {};

  const TokenConfig* FindToken(const AssetId& asset) const;
};

struct ChainsConfig {
  std::vector<ChainConfig> chains;
  std::string hash;  // SHA-256 of the file, hex; exported as a metric's label

  const ChainConfig* Find(const ChainId& chain) const;
  const TokenConfig* FindToken(const AssetId& asset) const;
};

// INVALID_ARGUMENT INVALID_CONFIG lists every problem with file:line. Chains, and assets within
// one, are there once; a token's asset is on its chain.
Result<ChainsConfig> LoadChains(const std::string& path);
Result<ChainsConfig> ParseChains(const std::string& text, const std::string& name);

}  // namespace paymesh::runtime
