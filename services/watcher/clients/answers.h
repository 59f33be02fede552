// What a node's answers mean once they have been checked: blocks, logs, receipts. A node may lie or
// be broken, so each shape, size, number form and id is checked; what does not fit is an Error with
// reason BAD_ANSWER, never a guess.
// Values and pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error/error.h"
#include "common/evm/address.h"
#include "common/evm/bytes.h"
#include "common/money/u256.h"
#include "services/watcher/domain/block.h"
#include "services/watcher/domain/bloom.h"
#include "services/watcher/domain/tracked_transaction.h"

namespace simdjson::dom {
class element;
class parser;
}  // namespace simdjson::dom

namespace paymesh::watcher {

struct NodeBlock {
  Header header;
  Bloom bloom{};
  std::vector<evm::Hash32> transactions;  // hashes, in order
};

struct NodeLog {
  evm::Address address;
  std::vector<evm::Hash32> topics;
  evm::Bytes data;              // empty where the log's is longer than kMaxLogDataBytes
  std::size_t data_digits = 0;  // how long the node's text of the data is, "0x" included
  BlockId block;
  evm::Hash32 transaction_hash;
  std::uint32_t transaction_index = 0;
  std::uint32_t log_index = 0;
};

struct NodeReceipt {
  evm::Hash32 transaction_hash;
  std::uint32_t transaction_index = 0;
  BlockId block;
  Receipt receipt;
  std::vector<NodeLog> logs;  // the same logs as the receipt's, with their places
};

// Limits of one answer; the first two are far above what a chain can make.
inline constexpr std::size_t kMaxBlockTransactions = 100'000;
inline constexpr std::size_t kMaxAnswerLogs = 500'000;
// Anybody can put a log of any length beside a payment in one transaction. Longer data than this is
// in no event that we read: it is left undecoded, and the rest of its receipt stands.
inline constexpr std::size_t kMaxLogDataBytes = 1'048'576;
// Of one HTTP body. A transaction of 16.7 million gas (EIP-7825) can make a receipt of about 19 MB:
// 44,000 empty logs, each some 420 bytes of JSON.
inline constexpr std::size_t kMaxAnswerBytes = 32 * 1024 * 1024;

// The element readers throw nothing; `null` gives an empty optional where a node says "no such
// thing".
Result<std::optional<NodeBlock>> ReadBlock(const simdjson::dom::element& element);
// Sorted by log index; exact repeats dropped. Logs marked removed or pending are refused.
Result<std::vector<NodeLog>> ReadLogs(const simdjson::dom::element& element);
Result<std::optional<NodeReceipt>> ReadReceipt(const simdjson::dom::element& element);
Result<std::vector<NodeReceipt>> ReadReceipts(const simdjson::dom::element& element);
Result<U256> ReadQuantity(const simdjson::dom::element& element);
Result<std::uint64_t> ReadUint64(const simdjson::dom::element& element);
Result<evm::Bytes> ReadBytes(const simdjson::dom::element& element, std::size_t max_bytes);
Result<evm::Hash32> ReadHash(const simdjson::dom::element& element);

Error BadAnswer(std::string message);

// Whether logs read for a block are of that block: hash, number, and a transaction that it holds.
Status CheckLogs(const NodeBlock& block, const std::vector<NodeLog>& logs);

}  // namespace paymesh::watcher
