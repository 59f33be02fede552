// The 2,048-bit bloom filter of a block's logs (yellow paper, 4.3.1): may an address or a topic be
// in it? Used to doubt an empty answer, never to believe one. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "common/evm/address.h"
#include "common/evm/keccak.h"

namespace paymesh::watcher {

using Bloom = std::array<std::uint8_t, 256>;

inline bool MayContain(const Bloom& bloom, evm::ByteView item) {
  const evm::Hash32 hash = evm::Keccak256(item);
  for (std::size_t i = 0; i < 6; i += 2) {
    const unsigned bit = ((hash.bytes()[i] & 7U) << 8U) | hash.bytes()[i + 1];
    if ((bloom[255 - bit / 8] & (1U << (bit % 8))) == 0) return false;
  }
  return true;
}

inline void AddTo(Bloom& bloom, evm::ByteView item) {
  const evm::Hash32 hash = evm::Keccak256(item);
  for (std::size_t i = 0; i < 6; i += 2) {
    const unsigned bit = ((hash.bytes()[i] & 7U) << 8U) | hash.bytes()[i + 1];
    bloom[255 - bit / 8] = static_cast<std::uint8_t>(bloom[255 - bit / 8] | (1U << (bit % 8)));
  }
}

// Whether any of `tokens` may have logged `topic` in the block.
inline bool MayHold(const Bloom& bloom, std::span<const evm::Address> tokens,
                    const evm::Hash32& topic) {
  if (!MayContain(bloom, topic.view())) return false;
  for (const evm::Address& token : tokens) {
    if (MayContain(bloom, token.view())) return true;
  }
  return false;
}

}  // namespace paymesh::watcher
