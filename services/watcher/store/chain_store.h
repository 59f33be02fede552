// Rows of `chain`, `block` and `reorg`. One thread (the transaction's).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/error/error.h"
#include "common/evm/address.h"
#include "common/pg/transaction.h"
#include "services/watcher/domain/head_machine.h"

namespace paymesh::watcher {

enum class ChainState { kSyncing, kFollowing, kUnreachable, kHalted };
std::string_view StateName(ChainState state);

// The lease that the follower of a chain holds; every write below is made under its epoch.
std::string LeaseName(const std::string& chain);

struct StoredChain {
  std::string chain;
  evm::Hash32 genesis_hash;
  BlockId head;
  Levels levels;
  TagsSeen tags_seen;
  U256 base_fee_per_gas;
  ChainState state = ChainState::kSyncing;
  std::string status_reason;
  std::uint64_t node_head_number = 0;
  std::optional<pg::Time> contact_time;
  std::uint32_t reorgs_last_day = 0;
  // Times of the marks, for the contract.
  std::optional<Header> head_header, safe_header, finalized_header;
};

// Nothing until the chain has been anchored.
std::optional<StoredChain> LoadChain(pg::Transaction& tx, const std::string& chain);
std::vector<StoredChain> LoadChains(pg::Transaction& tx);
std::optional<Header> LoadHeader(pg::Transaction& tx, const std::string& chain,
                                 std::uint64_t number);
// The header chain from the final block to the head, as the machine wants it.
HeadState LoadHeadState(pg::Transaction& tx, const StoredChain& chain);

// Begins a chain at a header that counts as final and is not read itself. Harmless when it has
// begun.
void StoreAnchor(pg::Transaction& tx, const std::string& chain, const evm::Hash32& genesis_hash,
                 const Header& anchor);

struct ChainStatus {
  ChainState state = ChainState::kSyncing;
  std::string reason;
  std::uint64_t node_head_number = 0;
  bool contact = false;  // a node has just answered usefully
};
// Leaves a halted chain as it is.
void StoreStatus(pg::Transaction& tx, const std::string& chain, const ChainStatus& status);

// Stops a chain, or lets it go on, with the journal's entry. False: it was so already.
bool StoreHalt(pg::Transaction& tx, const std::string& chain, const std::string& reason);
bool StoreResume(pg::Transaction& tx, const std::string& chain, const std::string& reason);

inline pg::Time TimeOf(std::uint64_t seconds) {
  return pg::Time(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}
inline std::uint64_t SecondsOf(pg::Time time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
}
inline pg::Bytea BytesOf(const evm::Hash32& hash) { return pg::Bytea(hash.view()); }
inline pg::Bytea BytesOf(const evm::Address& address) { return pg::Bytea(address.view()); }
// Throw SqlError when a stored value has not its length.
evm::Hash32 HashOf(const pg::Bytea& bytes);
evm::Address AddressOf(const pg::Bytea& bytes);

}  // namespace paymesh::watcher
