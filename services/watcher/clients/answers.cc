#include "services/watcher/clients/answers.h"

#include <simdjson.h>

#include <algorithm>

#include "services/watcher/reasons.h"

namespace paymesh::watcher {
namespace {

using simdjson::dom::element;

Result<element> Member(const element& object, const char* key) {
  element value;
  if (object[key].get(value) != simdjson::SUCCESS) {
    return BadAnswer(std::string("no member ") + key);
  }
  return value;
}

Result<std::string_view> Text(const element& value) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return BadAnswer("a text was expected");
  return text;
}

Error In(const char* key, const Error& error) {
  return BadAnswer(std::string(key) + ": " + error.message);
}

template <class T>
Result<T> Field(const element& object, const char* key, Result<T> (*read)(const element&)) {
  ASSIGN_OR_RETURN(const element value, Member(object, key));
  Result<T> result = read(value);
  if (!result.ok()) return In(key, result.error());
  return result;
}

Result<std::uint32_t> ReadUint32(const element& value) {
  ASSIGN_OR_RETURN(const std::uint64_t number, ReadUint64(value));
  if (number > 0xffff'ffffULL) return BadAnswer("a number beyond 32 bits");
  return static_cast<std::uint32_t>(number);
}

Result<evm::Address> ReadAddress(const element& value) {
  ASSIGN_OR_RETURN(const std::string_view text, Text(value));
  std::array<std::uint8_t, evm::Address::kSize> bytes{};
  if (!evm::HexDecodeInto(text, bytes).ok()) return BadAnswer("no address");
  return evm::Address(bytes);
}

Result<Bloom> ReadBloom(const element& value) {
  ASSIGN_OR_RETURN(const std::string_view text, Text(value));
  Bloom bloom{};
  if (!evm::HexDecodeInto(text, bloom).ok()) return BadAnswer("no bloom of 256 bytes");
  return bloom;
}

bool IsNullOrMissing(const element& object, const char* key) {
  element value;
  return object[key].get(value) != simdjson::SUCCESS || value.is_null();
}

Result<U256> OptionalQuantity(const element& object, const char* key) {
  if (IsNullOrMissing(object, key)) return U256();
  return Field<U256>(object, key, ReadQuantity);
}

Result<BlockId> ReadPlace(const element& object) {
  ASSIGN_OR_RETURN(const std::uint64_t number,
                   Field<std::uint64_t>(object, "blockNumber", ReadUint64));
  ASSIGN_OR_RETURN(const evm::Hash32 hash, Field<evm::Hash32>(object, "blockHash", ReadHash));
  return BlockId{number, hash};
}

Result<NodeLog> ReadLog(const element& value) {
  if (!value.is_object()) return BadAnswer("a log that is no object");
  NodeLog log;
  if (!IsNullOrMissing(value, "removed")) {
    bool removed = true;
    if (value["removed"].get(removed) != simdjson::SUCCESS || removed) {
      return BadAnswer("a removed log");
    }
  }
  ASSIGN_OR_RETURN(log.address, Field<evm::Address>(value, "address", ReadAddress));
  ASSIGN_OR_RETURN(log.block, ReadPlace(value));
  ASSIGN_OR_RETURN(log.transaction_hash, Field<evm::Hash32>(value, "transactionHash", ReadHash));
  ASSIGN_OR_RETURN(log.transaction_index,
                   Field<std::uint32_t>(value, "transactionIndex", ReadUint32));
  ASSIGN_OR_RETURN(log.log_index, Field<std::uint32_t>(value, "logIndex", ReadUint32));
  ASSIGN_OR_RETURN(const element data, Member(value, "data"));
  ASSIGN_OR_RETURN(const std::string_view digits, Text(data));
  log.data_digits = digits.size();
  if (digits.size() <= 2 + 2 * kMaxLogDataBytes) {
    ASSIGN_OR_RETURN(log.data, ReadBytes(data, kMaxLogDataBytes));
  }
  simdjson::dom::array topics;
  if (value["topics"].get(topics) != simdjson::SUCCESS || topics.size() > 4) {
    return BadAnswer("topics are not a list of at most 4");
  }
  for (const element topic : topics) {
    ASSIGN_OR_RETURN(const evm::Hash32 word, ReadHash(topic));
    log.topics.push_back(word);
  }
  if (log.transaction_hash.IsZero()) return BadAnswer("a log without a transaction");
  return log;
}

bool SameLog(const NodeLog& a, const NodeLog& b) {
  return a.address == b.address && a.topics == b.topics && a.data == b.data &&
         a.data_digits == b.data_digits && a.block == b.block &&
         a.transaction_hash == b.transaction_hash && a.transaction_index == b.transaction_index;
}

Result<NodeReceipt> ReadOneReceipt(const element& value) {
  if (!value.is_object()) return BadAnswer("a receipt that is no object");
  NodeReceipt out;
  ASSIGN_OR_RETURN(out.transaction_hash, Field<evm::Hash32>(value, "transactionHash", ReadHash));
  ASSIGN_OR_RETURN(out.transaction_index,
                   Field<std::uint32_t>(value, "transactionIndex", ReadUint32));
  ASSIGN_OR_RETURN(out.block, ReadPlace(value));
  ASSIGN_OR_RETURN(const std::uint64_t status, Field<std::uint64_t>(value, "status", ReadUint64));
  if (status > 1) return BadAnswer("a receipt with an unknown status");
  out.receipt.success = status == 1;
  ASSIGN_OR_RETURN(out.receipt.gas_used, Field<std::uint64_t>(value, "gasUsed", ReadUint64));
  ASSIGN_OR_RETURN(out.receipt.effective_gas_price, OptionalQuantity(value, "effectiveGasPrice"));
  ASSIGN_OR_RETURN(out.receipt.data_fee, OptionalQuantity(value, "l1Fee"));
  ASSIGN_OR_RETURN(const element logs, Member(value, "logs"));
  ASSIGN_OR_RETURN(out.logs, ReadLogs(logs));
  for (std::size_t i = 0; i < out.logs.size(); ++i) {
    const NodeLog& log = out.logs[i];
    if (log.transaction_hash != out.transaction_hash || log.block != out.block ||
        log.log_index != out.logs.front().log_index + i) {
      return BadAnswer("a receipt with the logs of another transaction");
    }
    out.receipt.logs.push_back({log.address, log.topics, log.data});
  }
  if (!out.receipt.success && !out.logs.empty()) return BadAnswer("a failed receipt with logs");
  return out;
}

}  // namespace

Error BadAnswer(std::string message) {
  return Error::Unavailable(std::string(reasons::kBadAnswer),
                            "the node's answer is malformed: " + std::move(message));
}

Result<U256> ReadQuantity(const element& value) {
  ASSIGN_OR_RETURN(const std::string_view text, Text(value));
  Result<U256> quantity = U256::FromQuantity(text);
  if (!quantity.ok()) return BadAnswer("no quantity");
  return quantity;
}

Result<std::uint64_t> ReadUint64(const element& value) {
  ASSIGN_OR_RETURN(const U256 quantity, ReadQuantity(value));
  const auto number = quantity.ToUint64();
  // The database keeps heights and times as signed numbers.
  if (!number || *number > 0x7fff'ffff'ffff'ffffULL) return BadAnswer("a number beyond 63 bits");
  return *number;
}

Result<evm::Bytes> ReadBytes(const element& value, std::size_t max_bytes) {
  ASSIGN_OR_RETURN(const std::string_view text, Text(value));
  if (text.size() > 2 + 2 * max_bytes) return BadAnswer("too many bytes");
  Result<evm::Bytes> bytes = evm::HexDecode(text);
  if (!bytes.ok()) return BadAnswer("no bytes");
  return bytes;
}

Result<evm::Hash32> ReadHash(const element& value) {
  ASSIGN_OR_RETURN(const std::string_view text, Text(value));
  std::array<std::uint8_t, 32> bytes{};
  if (!evm::HexDecodeInto(text, bytes).ok()) return BadAnswer("no hash of 32 bytes");
  return evm::Hash32(bytes);
}

Result<std::optional<NodeBlock>> ReadBlock(const element& value) {
  if (value.is_null()) return std::optional<NodeBlock>();
  if (!value.is_object()) return BadAnswer("a block that is no object");
  NodeBlock block;
  Header& header = block.header;
  ASSIGN_OR_RETURN(header.number, Field<std::uint64_t>(value, "number", ReadUint64));
  ASSIGN_OR_RETURN(header.hash, Field<evm::Hash32>(value, "hash", ReadHash));
  ASSIGN_OR_RETURN(header.parent, Field<evm::Hash32>(value, "parentHash", ReadHash));
  ASSIGN_OR_RETURN(header.timestamp_seconds, Field<std::uint64_t>(value, "timestamp", ReadUint64));
  ASSIGN_OR_RETURN(header.base_fee_per_gas, OptionalQuantity(value, "baseFeePerGas"));
  ASSIGN_OR_RETURN(block.bloom, Field<Bloom>(value, "logsBloom", ReadBloom));
  // Times are kept as microseconds in 63 bits.
  if (header.timestamp_seconds > 4'000'000'000'000ULL) return BadAnswer("an impossible timestamp");
  if (header.hash.IsZero() || header.parent == header.hash) return BadAnswer("an impossible hash");
  simdjson::dom::array transactions;
  if (value["transactions"].get(transactions) != simdjson::SUCCESS) {
    return BadAnswer("a block without a list of transactions");
  }
  for (const element transaction : transactions) {
    if (block.transactions.size() >= kMaxBlockTransactions)
      return BadAnswer("too many transactions");
    ASSIGN_OR_RETURN(const evm::Hash32 hash, ReadHash(transaction));
    block.transactions.push_back(hash);
  }
  return std::optional<NodeBlock>(std::move(block));
}

Result<std::vector<NodeLog>> ReadLogs(const element& value) {
  simdjson::dom::array array;
  if (value.get(array) != simdjson::SUCCESS) return BadAnswer("logs are no list");
  std::vector<NodeLog> logs;
  for (const element item : array) {
    if (logs.size() >= kMaxAnswerLogs) return BadAnswer("too many logs");
    ASSIGN_OR_RETURN(NodeLog log, ReadLog(item));
    logs.push_back(std::move(log));
  }
  std::stable_sort(logs.begin(), logs.end(), [](const NodeLog& a, const NodeLog& b) {
    return std::tie(a.block.number, a.log_index) < std::tie(b.block.number, b.log_index);
  });
  std::vector<NodeLog> unique;
  unique.reserve(logs.size());
  for (NodeLog& log : logs) {
    if (!unique.empty() && unique.back().block.number == log.block.number &&
        unique.back().log_index == log.log_index) {
      if (!SameLog(unique.back(), log)) return BadAnswer("two logs at one index");
      continue;
    }
    unique.push_back(std::move(log));
  }
  return unique;
}

Result<std::optional<NodeReceipt>> ReadReceipt(const element& value) {
  if (value.is_null()) return std::optional<NodeReceipt>();
  ASSIGN_OR_RETURN(NodeReceipt receipt, ReadOneReceipt(value));
  return std::optional<NodeReceipt>(std::move(receipt));
}

Result<std::vector<NodeReceipt>> ReadReceipts(const element& value) {
  simdjson::dom::array array;
  if (value.get(array) != simdjson::SUCCESS) return BadAnswer("receipts are no list");
  std::vector<NodeReceipt> receipts;
  for (const element item : array) {
    if (receipts.size() >= kMaxBlockTransactions) return BadAnswer("too many receipts");
    ASSIGN_OR_RETURN(NodeReceipt receipt, ReadOneReceipt(item));
    receipts.push_back(std::move(receipt));
  }
  return receipts;
}

Status CheckLogs(const NodeBlock& block, const std::vector<NodeLog>& logs) {
  const BlockId id = block.header.id();
  for (const NodeLog& log : logs) {
    if (log.block != id) return BadAnswer("a log of another block");
    if (log.transaction_index >= block.transactions.size() ||
        block.transactions[log.transaction_index] != log.transaction_hash) {
      return BadAnswer("a log of a transaction that the block does not hold");
    }
  }
  return {};
}

}  // namespace paymesh::watcher
