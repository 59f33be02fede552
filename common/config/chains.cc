#include "common/config/chains.h"

#include <fstream>
#include <set>
#include <sstream>

#include "common/base/hex.h"
#include "common/base/sha256.h"

namespace paymesh::runtime {
namespace {

constexpr unsigned kMaxDecimals = 36;

// Lower-case 0x-hex of exactly `bytes` bytes, or a problem at `key`; empty when absent.
std::string ReadHex(const ConfigNode& node, std::string_view key, std::size_t bytes) {
  std::string text = node.Optional<std::string>(key, "");
  if (text.empty()) return text;
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (text.size() != 2 + 2 * bytes || !text.starts_with("0x") ||
      text.find_first_not_of(kHexDigits, 2) != std::string::npos) {
    node.AddError(key, "must be 0x and " + std::to_string(2 * bytes) + " hex digits");
    return "";
  }
  return text;
}

std::uint32_t ReadDepth(const ConfigNode& node, std::string_view key) {
  const auto depth = node.Optional<std::uint64_t>(key, 0);
  if (depth <= 1'000'000) return static_cast<std::uint32_t>(depth);
  node.AddError(key, "must be at most 1000000");
  return 0;
}

unsigned ReadDecimals(const ConfigNode& node, std::uint64_t otherwise) {
  const auto decimals = node.Optional<std::uint64_t>("decimals", otherwise);
  if (decimals <= kMaxDecimals) return static_cast<unsigned>(decimals);
  node.AddError("decimals", "must be at most 36");
  return 0;
}

void ReadToken(const ConfigNode& node, ChainConfig& chain) {
  const auto asset = AssetId::Parse(node.Required<std::string>("asset"));
  const std::string symbol = node.Required<std::string>("symbol");
  if (!node.Has("decimals")) node.Required<std::uint64_t>("decimals");
  const unsigned decimals = ReadDecimals(node, 0);
  const std::string currency = node.Required<std::string>("currency");
  const bool accepted = node.Optional("accepted", false);
  if (!CurrencyExponent(currency)) node.AddError("currency", "is no ISO 4217 code");
  if (!asset.ok()) {
    node.AddError("asset", asset.error().message);
    return;
  }
  if (asset->chain() != chain.chain) node.AddError("asset", "is on another chain");
  if (chain.FindToken(*asset) != nullptr) node.AddError("asset", "is there twice");
  chain.tokens.push_back({*asset, symbol, decimals, currency, accepted});
}

void ReadChain(const ConfigNode& node, ChainsConfig& config) {
  const auto id = ChainId::Parse(node.Required<std::string>("chain"));
  if (!id.ok()) node.AddError("chain", id.error().message);
  // Read on with a stand-in, so that every other problem of the entry is reported as well.
  ChainConfig chain{.chain = id.ok() ? *id : *ChainId::FromNumber(1)};
  chain.name = node.Required<std::string>("name");
  chain.block_time = node.Required<std::chrono::milliseconds>("block_time");
  const ConfigNode finality = node.Child("finality");
  chain.safe_min_depth = ReadDepth(finality, "safe_min_depth");
  chain.finalized_min_depth = ReadDepth(finality, "finalized_min_depth");
  if (chain.finalized_min_depth < chain.safe_min_depth) {
    finality.AddError("finalized_min_depth", "must not be below safe_min_depth");
  }
  chain.endpoints = node.Optional<std::vector<std::string>>("endpoints", {});
  const ConfigNode contracts = node.Child("contracts");
  chain.vault = ReadHex(contracts, "vault", 20);
  chain.factory = ReadHex(contracts, "factory", 20);
  chain.factory_init_code_hash = ReadHex(contracts, "factory_init_code_hash", 32);
  chain.relay = ReadHex(contracts, "relay", 20);
  chain.start_block = node.Optional<std::uint64_t>("start_block", 0);
  const ConfigNode native = node.Child("native");
  chain.native_symbol = native.Optional<std::string>("symbol", "ETH");
  chain.native_decimals = ReadDecimals(native, 18);
  for (const ConfigNode& token : node.List("tokens")) ReadToken(token, chain);
  if (id.ok() && config.Find(*id) != nullptr) node.AddError("chain", "is there twice");
  config.chains.push_back(std::move(chain));
}

}  // namespace

const TokenConfig* ChainConfig::FindToken(const AssetId& asset) const {
  for (const TokenConfig& token : tokens) {
    if (token.asset == asset) return &token;
  }
  return nullptr;
}

const ChainConfig* ChainsConfig::Find(const ChainId& chain) const {
  for (const ChainConfig& candidate : chains) {
    if (candidate.chain == chain) return &candidate;
  }
  return nullptr;
}

const TokenConfig* ChainsConfig::FindToken(const AssetId& asset) const {
  const ChainConfig* chain = Find(asset.chain());
  return chain == nullptr ? nullptr : chain->FindToken(asset);
}

Result<ChainsConfig> ParseChains(const std::string& text, const std::string& name) {
  ASSIGN_OR_RETURN(const ConfigNode root, ParseConfig(text, name));
  ChainsConfig config;
  config.hash = ToHex(Sha256(text));
  for (const ConfigNode& chain : root.List("chains")) ReadChain(chain, config);
  if (config.chains.empty()) root.AddError("chains", "must name at least one chain");
  RETURN_IF_ERROR(root.Finish());
  return config;
}

Result<ChainsConfig> LoadChains(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  if (!file || !(content << file.rdbuf())) {
    return Error::NotFound("INVALID_CONFIG", path + ": cannot be read");
  }
  return ParseChains(content.str(), path);
}

}  // namespace paymesh::runtime
