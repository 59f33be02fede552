#include "services/watcher/usecases/index_blocks.h"

#include <map>
#include <set>
#include <utility>

namespace paymesh::watcher {
namespace {

std::vector<const ReadBlockResult*> PointersTo(const std::vector<ReadBlockResult>& blocks) {
  std::vector<const ReadBlockResult*> out;
  for (const ReadBlockResult& block : blocks) out.push_back(&block);
  return out;
}

}  // namespace

Task<Result<IndexedTransfers>> BlockIndexer::Prove(std::vector<const ReadBlockResult*> blocks,
                                                   Filter wanted) {
  IndexedTransfers found;
  for (const ReadBlockResult* block : blocks) {
    std::vector<Candidate> candidates;
    for (const Candidate& candidate : block->transfers) {
      if (wanted(candidate)) candidates.push_back(candidate);
    }
    if (candidates.empty()) continue;
    Result<std::vector<Match>> proved =
        co_await reader_.Prove(block->block.header, std::move(candidates));
    if (!proved.ok()) co_return proved.error();
    found.matches.insert(found.matches.end(), proved->begin(), proved->end());
  }
  co_return found;
}

Task<Result<IndexedTransfers>> BlockIndexer::MatchNew(const ChainMemory& memory,
                                                      const std::vector<ReadBlockResult>& blocks) {
  Filter wanted = [this, &memory](const Candidate& candidate) {
    return Wanted(memory, candidate.event.to);
  };
  co_return co_await Prove(PointersTo(blocks), std::move(wanted));
}

Task<Result<IndexedTransfers>> BlockIndexer::LookBack(const ChainMemory& memory,
                                                      std::uint64_t up_to) {
  // Where every transfer is recorded, none depends on when an address was registered.
  if (memory.added.empty() || match_ == MatchMode::kAll) co_return IndexedTransfers();
  std::vector<const ReadBlockResult*> blocks;
  for (const auto& [number, block] : memory.recent) {
    if (number <= up_to) blocks.push_back(&block);
  }
  Filter wanted = [&memory](const Candidate& candidate) {
    return memory.added.contains(candidate.event.to);
  };
  co_return co_await Prove(std::move(blocks), std::move(wanted));
}

Task<Result<std::vector<ReadBlockResult>>> BlockIndexer::ReadAgain(const ChainMemory& memory,
                                                                   std::vector<Header> headers) {
  std::vector<NodeBlock> blocks;
  for (const Header& header : headers) {
    const auto known = memory.recent.find(header.number);
    if (known != memory.recent.end() && known->second.block.header.hash == header.hash) {
      blocks.push_back(known->second.block);
      continue;
    }
    Result<std::optional<NodeBlock>> block = co_await node_.BlockByHash(header.hash);
    if (!block.ok()) co_return block.error();
    if (!*block) co_return BadAnswer("a block that becomes final is unknown to the node");
    blocks.push_back(**block);
  }
  co_return co_await reader_.Read(std::move(blocks), ReadBy::kHash);
}

Task<Result<SecondLook>> BlockIndexer::LookAgain(const ChainMemory& memory,
                                                 std::vector<Header> blocks,
                                                 std::vector<Transfer> live) {
  SecondLook look;
  if (blocks.empty()) co_return look;
  Result<std::vector<ReadBlockResult>> again = co_await ReadAgain(memory, std::move(blocks));
  if (!again.ok()) co_return again.error();
  std::map<std::pair<std::uint64_t, std::uint32_t>, const Transfer*> recorded;
  for (const Transfer& transfer : live) {
    if (transfer.evidence.amount.IsZero()) continue;  // of a time when those were recorded
    recorded[{transfer.evidence.block.number, transfer.evidence.log_index}] = &transfer;
  }
  // Each recorded transfer that is there is ticked off; what stays in `recorded` is gone.
  Filter overlooked = [this, &memory, &recorded](const Candidate& candidate) {
    return Wanted(memory, candidate.event.to) &&
           recorded.erase({candidate.block_number, candidate.log_index}) == 0;
  };
  Result<IndexedTransfers> missed = co_await Prove(PointersTo(*again), std::move(overlooked));
  if (!missed.ok()) co_return missed.error();
  look.missed = *std::move(missed);
  for (const auto& [place, transfer] : recorded) look.gone.push_back(transfer->id);
  co_return look;
}

Task<Result<std::vector<Inclusion>>> BlockIndexer::FindInclusions(
    const std::vector<ReadBlockResult>& blocks, std::vector<evm::Hash32> tracked) {
  std::vector<Inclusion> out;
  if (tracked.empty()) co_return out;
  const std::set<evm::Hash32> followed(tracked.begin(), tracked.end());
  for (const ReadBlockResult& block : blocks) {
    std::vector<evm::Hash32> here;
    for (const evm::Hash32& hash : block.block.transactions) {
      if (followed.contains(hash)) here.push_back(hash);
    }
    Result<std::vector<Inclusion>> found =
        co_await reader_.ReadInclusions(block.block.header, std::move(here));
    if (!found.ok()) co_return found.error();
    out.insert(out.end(), found->begin(), found->end());
  }
  co_return out;
}

}  // namespace paymesh::watcher
