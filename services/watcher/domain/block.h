// A block as the follower thinks of it: where it stands and what it stands on.
// Plain values; any thread.
#pragma once

#include <cstdint>

#include "common/evm/bytes.h"
#include "common/money/u256.h"

namespace paymesh::watcher {

struct BlockId {
  std::uint64_t number = 0;
  evm::Hash32 hash;
  friend bool operator==(const BlockId&, const BlockId&) = default;
};

struct Header {
  std::uint64_t number = 0;
  evm::Hash32 hash;
  evm::Hash32 parent;
  std::uint64_t timestamp_seconds = 0;
  U256 base_fee_per_gas;  // wei; zero where the chain has none

  BlockId id() const { return {number, hash}; }
  friend bool operator==(const Header&, const Header&) = default;
};

// Up to which heights blocks count as safe and as final.
struct Levels {
  std::uint64_t safe = 0;
  std::uint64_t finalized = 0;
  friend bool operator==(const Levels&, const Levels&) = default;
};

}  // namespace paymesh::watcher
