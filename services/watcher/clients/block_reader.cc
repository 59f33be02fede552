#include "services/watcher/clients/block_reader.h"

#include <algorithm>
#include <map>

#include "services/watcher/reasons.h"

namespace paymesh::watcher {
namespace {

// From so many transactions in one block on, all its receipts in one answer cost less than each.
constexpr std::size_t kWholeBlockFrom = 8;
// An empty answer against the bloom is asked for again so often where the node gives no receipts of
// a whole block; after that the bloom is taken for a collision.
constexpr int kEmptyRereads = 4;
constexpr std::chrono::milliseconds kRereadPause{100};

// So many receipts are held at once when a block is read by them.
constexpr std::size_t kReceiptsAtOnce = 16;

bool IsListedTransfer(const NodeLog& log, const std::vector<evm::Address>& tokens) {
  return std::find(tokens.begin(), tokens.end(), log.address) != tokens.end() &&
         !log.topics.empty() && log.topics[0] == evm::kTransferTopic;
}

std::vector<Candidate> Candidates(const std::vector<NodeLog>& logs) {
  std::vector<Candidate> out;
  for (const NodeLog& log : logs) {
    // Another shape (ERC-721 has a fourth topic) is not ours to book.
    const auto event = evm::DecodeTransfer(log.topics, log.data);
    if (!event) continue;
    // Nor is a transfer of nothing: it moves no money, and anybody can make one in anybody's name.
    if (event->value.IsZero()) continue;
    out.push_back({log.address, *event, log.transaction_hash, log.log_index, log.block.number});
  }
  return out;
}

Result<Match> ProveOne(const Header& block, const Candidate& candidate,
                       const NodeReceipt& receipt) {
  if (receipt.block != block.id() || !receipt.receipt.success || receipt.logs.empty() ||
      candidate.log_index < receipt.logs.front().log_index) {
    return BadAnswer("a log whose receipt is of another block or failed");
  }
  // Counted from the transaction's first log: the index in the block changes with re-inclusion.
  const std::uint32_t ordinal = candidate.log_index - receipt.logs.front().log_index;
  if (ordinal >= receipt.logs.size()) return BadAnswer("a log that its receipt does not hold");
  const NodeLog& log = receipt.logs[ordinal];
  const auto event = evm::DecodeTransfer(log.topics, log.data);
  if (log.address != candidate.token || !event || *event != candidate.event) {
    return BadAnswer("a log that its receipt tells otherwise");
  }
  Match match;
  match.transaction_hash = candidate.transaction_hash;
  match.ordinal = ordinal;
  match.log_index = candidate.log_index;
  match.token = candidate.token;
  match.from = candidate.event.from;
  match.to = candidate.event.to;
  match.amount = candidate.event.value;
  match.block = block.id();
  match.block_time_seconds = block.timestamp_seconds;
  return match;
}

}  // namespace

Task<Result<std::vector<NodeLog>>> BlockReader::Settle(NodeBlock block) {
  const evm::Hash32 hash = block.header.hash;
  Result<std::vector<NodeReceipt>> receipts = co_await node_.BlockReceipts(hash);
  if (receipts.ok()) {
    // A node that has the block but not yet all of its receipts gives fewer: taken for the whole, a
    // transfer would be missed for good.
    if (receipts->size() != block.transactions.size()) {
      co_return BadAnswer("a block with more or fewer receipts than transactions");
    }
    std::vector<NodeLog> logs;
    for (const NodeReceipt& receipt : *receipts) {
      for (const NodeLog& log : receipt.logs) {
        if (IsListedTransfer(log, tokens_)) logs.push_back(log);
      }
    }
    CO_RETURN_IF_ERROR(CheckLogs(block, logs));
    co_return logs;
  }
  if (IsAnswerTooLarge(receipts.error())) co_return co_await ReadByReceipts(std::move(block));
  // NODE_ERROR: the node cannot give a block's receipts. Its logs may only be late, so they are
  // asked for again before the bloom is blamed.
  if (receipts.error().reason != reasons::kNodeError) co_return receipts.error();
  for (int attempt = 0; attempt < kEmptyRereads; ++attempt) {
    co_await runtime::SleepFor(kRereadPause);
    std::vector<NodeBlock> one;
    one.push_back(block);
    Result<std::vector<std::vector<NodeLog>>> logs =
        co_await node_.TransferLogs(std::move(one), tokens_);
    if (!logs.ok()) co_return logs.error();
    if (!logs->front().empty()) co_return std::move(logs->front());
  }
  co_return std::vector<NodeLog>();
}

Task<Result<std::vector<NodeLog>>> BlockReader::ReadByReceipts(NodeBlock block) {
  std::vector<NodeLog> logs;
  const std::vector<evm::Hash32>& all = block.transactions;
  for (std::size_t from = 0; from < all.size(); from += kReceiptsAtOnce) {
    const std::size_t to = std::min(all.size(), from + kReceiptsAtOnce);
    std::vector<evm::Hash32> part(all.begin() + static_cast<std::ptrdiff_t>(from),
                                  all.begin() + static_cast<std::ptrdiff_t>(to));
    Result<std::vector<std::optional<NodeReceipt>>> receipts =
        co_await node_.Receipts(std::move(part));
    if (!receipts.ok()) co_return receipts.error();
    for (const std::optional<NodeReceipt>& receipt : *receipts) {
      if (!receipt) co_return BadAnswer("no receipt for a block's transaction yet");
      for (const NodeLog& log : receipt->logs) {
        if (IsListedTransfer(log, tokens_)) logs.push_back(log);
      }
    }
  }
  CO_RETURN_IF_ERROR(CheckLogs(block, logs));
  co_return logs;
}

// Each block's logs asked for alone, and those of a block that fit into no answer taken from its
// receipts: a transaction is bounded by its gas, a block's logs of all tokens hardly are.
Task<Result<std::vector<std::vector<NodeLog>>>> BlockReader::ReadApart(
    std::vector<NodeBlock> blocks) {
  std::vector<std::vector<NodeLog>> out;
  for (NodeBlock& block : blocks) {
    std::vector<NodeBlock> one{block};
    Result<std::vector<std::vector<NodeLog>>> logs =
        co_await node_.TransferLogs(std::move(one), tokens_);
    if (logs.ok()) {
      out.push_back(std::move(logs->front()));
      continue;
    }
    if (!IsAnswerTooLarge(logs.error())) co_return logs.error();
    Result<std::vector<NodeLog>> told = co_await ReadByReceipts(std::move(block));
    if (!told.ok()) co_return told.error();
    out.push_back(*std::move(told));
  }
  co_return out;
}

Task<Result<std::vector<ReadBlockResult>>> BlockReader::Read(std::vector<NodeBlock> blocks,
                                                             ReadBy by) {
  Task<Result<std::vector<std::vector<NodeLog>>>> ask =
      by == ReadBy::kRange ? node_.TransferLogsInRange(blocks, tokens_)
                           : node_.TransferLogs(blocks, tokens_);
  Result<std::vector<std::vector<NodeLog>>> logs = co_await std::move(ask);
  if (!logs.ok() && IsAnswerTooLarge(logs.error())) logs = co_await ReadApart(blocks);
  if (!logs.ok()) co_return logs.error();
  std::vector<ReadBlockResult> out;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    std::vector<NodeLog>& found = (*logs)[i];
    if (found.empty() && MayHold(blocks[i].bloom, tokens_, evm::kTransferTopic)) {
      Result<std::vector<NodeLog>> settled = co_await Settle(blocks[i]);
      if (!settled.ok()) co_return settled.error();
      found = *std::move(settled);
    }
    std::vector<Candidate> candidates = Candidates(found);
    out.push_back({std::move(blocks[i]), std::move(candidates)});
  }
  co_return out;
}

Task<Result<std::vector<Match>>> BlockReader::Prove(Header block, std::vector<Candidate> wanted) {
  std::vector<evm::Hash32> hashes;
  for (const Candidate& candidate : wanted) hashes.push_back(candidate.transaction_hash);
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  std::map<evm::Hash32, NodeReceipt> receipts;
  if (hashes.size() >= kWholeBlockFrom) {
    Result<std::vector<NodeReceipt>> all = co_await node_.BlockReceipts(block.hash);
    const bool each_alone =
        !all.ok() && (all.error().reason == reasons::kNodeError || IsAnswerTooLarge(all.error()));
    if (!all.ok() && !each_alone) co_return all.error();
    if (all.ok()) {
      for (NodeReceipt& receipt : *all) receipts[receipt.transaction_hash] = std::move(receipt);
    }
  }
  std::erase_if(hashes, [&](const evm::Hash32& hash) { return receipts.contains(hash); });
  if (!hashes.empty()) {
    Result<std::vector<std::optional<NodeReceipt>>> each = co_await node_.Receipts(hashes);
    if (!each.ok()) co_return each.error();
    for (std::optional<NodeReceipt>& receipt : *each) {
      if (!receipt) co_return BadAnswer("no receipt for a log's transaction yet");
      receipts[receipt->transaction_hash] = *std::move(receipt);
    }
  }
  std::vector<Match> matches;
  for (const Candidate& candidate : wanted) {
    ASSIGN_OR_CO_RETURN(Match match,
                        ProveOne(block, candidate, receipts.at(candidate.transaction_hash)));
    matches.push_back(std::move(match));
  }
  co_return matches;
}

Task<Result<std::vector<Inclusion>>> BlockReader::ReadInclusions(Header block,
                                                                 std::vector<evm::Hash32> hashes) {
  std::vector<Inclusion> out;
  if (hashes.empty()) co_return out;
  Result<std::vector<std::optional<NodeReceipt>>> receipts = co_await node_.Receipts(hashes);
  if (!receipts.ok()) co_return receipts.error();
  for (std::optional<NodeReceipt>& receipt : *receipts) {
    if (!receipt || receipt->block != block.id()) {
      co_return BadAnswer("a transaction without a receipt in its block yet");
    }
    out.push_back({receipt->transaction_hash, block.id(), block.timestamp_seconds,
                   std::move(receipt->receipt)});
  }
  co_return out;
}

}  // namespace paymesh::watcher
