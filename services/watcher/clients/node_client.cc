#include "services/watcher/clients/node_client.h"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "common/evm/abi.h"
#include "common/evm/event.h"
#include "common/runtime/metrics.h"
#include "services/watcher/reasons.h"

namespace paymesh::watcher {
namespace {

constexpr std::size_t kHttpOk = 200;
constexpr int kTooManyRequests = 429;
constexpr std::uint64_t kFirstRange = 64;  // blocks in the first query of a range

std::string Number(std::uint64_t number) { return Quote(U256(number).ToQuantity()); }

RpcCall BlockByNumberCall(std::string tag) {
  return {"eth_getBlockByNumber", "[" + std::move(tag) + ",false]"};
}

std::string LogFilter(const std::vector<evm::Address>& tokens) {
  std::string out = R"("address":[)";
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i != 0) out += ',';
    out += Quote(tokens[i].ToHex());
  }
  return out + R"(],"topics":[)" + Quote(evm::kTransferTopic.ToHex()) + "]";
}

// Keeps what was asked for: a node may mix in more.
void KeepListed(std::vector<NodeLog>& logs, const std::vector<evm::Address>& tokens) {
  std::erase_if(logs, [&](const NodeLog& log) {
    return log.topics.empty() || log.topics[0] != evm::kTransferTopic ||
           std::find(tokens.begin(), tokens.end(), log.address) == tokens.end();
  });
}

Tag ReadTag(const RpcAnswers& answers, std::size_t index) {
  if (const RpcError* error = answers.error(index)) {
    return {SaysNoSuchTag(*error) ? TagAnswer::kAbsent : TagAnswer::kUnclear, {}};
  }
  const Result<std::optional<NodeBlock>> block = ReadBlock(answers.result(index));
  if (!block.ok()) return {};
  if (!*block) return {TagAnswer::kAbsent, {}};
  return {TagAnswer::kBlock, (*block)->header.id()};
}

Error Unreachable(std::string message) {
  return Error::Unavailable(std::string(reasons::kNodeUnavailable), std::move(message));
}

// Host and port of an endpoint: a path, a query or what stands before the host may hold a key.
std::string OriginOf(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t start = scheme == std::string::npos ? 0 : scheme + 3;
  const std::string authority = url.substr(start, url.find_first_of("/?#", start) - start);
  return authority.substr(authority.rfind('@') + 1);
}

}  // namespace

http::ClientOptions NodeHttpOptions() {
  http::ClientOptions options;
  options.max_response_bytes = kMaxAnswerBytes;
  return options;
}

bool IsAnswerTooLarge(const Error& error) { return error.reason == reasons::kNodeAnswerTooLarge; }

NodeClient::NodeClient(http::Client& http, runtime::Metrics& metrics, NodeOptions options)
    : http_(http), metrics_(metrics), options_(std::move(options)) {}

void NodeClient::Count(std::size_t endpoint, const std::vector<RpcCall>& calls,
                       std::string_view outcome, double seconds) {
  const std::string provider = OriginOf(options_.endpoints[endpoint]);
  for (const RpcCall& call : calls) {
    metrics_
        .Counter("watcher_rpc_requests_total", "JSON-RPC calls to nodes",
                 {{"chain", options_.chain},
                  {"provider", provider},
                  {"method", call.method},
                  {"outcome", std::string(outcome)}})
        .Increment();
  }
  metrics_
      .Histogram("watcher_rpc_request_seconds", "Duration of one HTTP request to a node",
                 runtime::Metrics::LatencyBuckets(),
                 {{"chain", options_.chain}, {"provider", provider}})
      .Observe(seconds);
}

Task<Result<RpcAnswers>> NodeClient::AskEndpoint(std::size_t endpoint, std::vector<RpcCall> calls) {
  http::Request request;
  request.url = options_.endpoints[endpoint];
  request.headers.emplace_back("content-type", "application/json");
  request.body = RenderCalls(calls);
  request.timeout = options_.timeout;
  const auto start = std::chrono::steady_clock::now();
  Result<http::Response> response = co_await http_.Send(std::move(request));
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!response.ok() && response.error().reason == "RESPONSE_TOO_LARGE") {
    Count(endpoint, calls, "too_large", seconds);
    co_return Error::Unavailable(std::string(reasons::kNodeAnswerTooLarge),
                                 response.error().message);
  }
  if (!response.ok()) {
    Count(endpoint, calls, "unreachable", seconds);
    co_return Unreachable(OriginOf(options_.endpoints[endpoint]) + ": " + response.error().message);
  }
  if (response->status == kTooManyRequests) {
    Count(endpoint, calls, "throttled", seconds);
    co_return Error::Unavailable(std::string(reasons::kNodeLimit), "the node asks for fewer calls");
  }
  Result<RpcAnswers> answers = RpcAnswers::Parse(response->body, calls.size());
  if (!answers.ok() && response->status != static_cast<int>(kHttpOk)) {
    Count(endpoint, calls, "http", seconds);
    co_return Unreachable("the node answered with HTTP status " + std::to_string(response->status));
  }
  Count(endpoint, calls, answers.ok() ? "ok" : "malformed", seconds);
  co_return answers;
}

Task<Result<RpcAnswers>> NodeClient::AskOnce(std::vector<RpcCall> calls) {
  const std::size_t count = options_.endpoints.size();
  const std::size_t first = preferred_.load();
  for (std::size_t attempt = 0;; ++attempt) {
    const std::size_t endpoint = (first + attempt) % count;
    Result<RpcAnswers> answers = co_await AskEndpoint(endpoint, calls);
    // What is too large for one is too large from each.
    const bool too_large = !answers.ok() && IsAnswerTooLarge(answers.error());
    if (answers.ok() || too_large || attempt + 1 == count) {
      if (answers.ok() && attempt != 0) preferred_.store(endpoint);
      co_return answers;
    }
  }
}

Task<Result<std::vector<RpcAnswers>>> NodeClient::Ask(std::vector<RpcCall> calls) {
  std::vector<RpcAnswers> all;
  std::size_t width = options_.max_batch;
  for (std::size_t from = 0; from < calls.size();) {
    const std::size_t to = std::min(calls.size(), from + width);
    std::vector<RpcCall> part(calls.begin() + static_cast<std::ptrdiff_t>(from),
                              calls.begin() + static_cast<std::ptrdiff_t>(to));
    Result<RpcAnswers> answers = co_await AskOnce(std::move(part));
    if (!answers.ok()) {
      if (!IsAnswerTooLarge(answers.error()) || to - from == 1) co_return answers.error();
      width = (to - from) / 2;
      continue;
    }
    all.push_back(*std::move(answers));
    from = to;
  }
  co_return all;
}

Task<Result<NodeIdentity>> NodeClient::Identity() {
  std::vector<RpcCall> calls;
  calls.push_back({"eth_chainId", "[]"});
  calls.push_back(BlockByNumberCall(Number(0)));
  Result<RpcAnswers> answers = co_await AskOnce(std::move(calls));
  if (!answers.ok()) co_return answers.error();
  for (std::size_t i = 0; i < 2; ++i) {
    if (answers->error(i) != nullptr) co_return ToError(*answers->error(i));
  }
  NodeIdentity identity;
  ASSIGN_OR_CO_RETURN(identity.chain_id, ReadUint64(answers->result(0)));
  ASSIGN_OR_CO_RETURN(const std::optional<NodeBlock> genesis, ReadBlock(answers->result(1)));
  if (!genesis || genesis->header.number != 0) co_return BadAnswer("no genesis block");
  identity.genesis_hash = genesis->header.hash;
  co_return identity;
}

Task<Result<NodeBlock>> NodeClient::Latest() {
  std::vector<RpcCall> calls;
  calls.push_back(BlockByNumberCall(R"("latest")"));
  Result<RpcAnswers> answers = co_await AskOnce(std::move(calls));
  if (!answers.ok()) co_return answers.error();
  if (answers->error(0) != nullptr) co_return ToError(*answers->error(0));
  ASSIGN_OR_CO_RETURN(std::optional<NodeBlock> block, ReadBlock(answers->result(0)));
  if (!block) co_return BadAnswer("no latest block");
  co_return *std::move(block);
}

Task<Result<Tags>> NodeClient::FinalityTags(TagsSeen seen) {
  std::vector<RpcCall> calls;
  calls.push_back(BlockByNumberCall(R"("safe")"));
  calls.push_back(BlockByNumberCall(R"("finalized")"));
  const std::size_t count = options_.endpoints.size();
  const std::size_t first = preferred_.load();
  std::optional<Tags> said;
  Error trouble = Unreachable("the chain has no node");
  for (std::size_t attempt = 0; attempt < count; ++attempt) {
    Result<RpcAnswers> answers = co_await AskEndpoint((first + attempt) % count, calls);
    if (!answers.ok()) {
      trouble = answers.error();
      continue;
    }
    const Tags tags{ReadTag(*answers, 0), ReadTag(*answers, 1)};
    if (Satisfies(tags, seen)) co_return tags;
    if (!said) said = tags;
  }
  if (said) co_return *said;
  co_return trouble;
}

Task<Result<std::vector<NodeBlock>>> NodeClient::BlocksByNumber(std::uint64_t from,
                                                                std::uint64_t to) {
  std::vector<RpcCall> calls;
  for (std::uint64_t number = from; number <= to; ++number) {
    calls.push_back(BlockByNumberCall(Number(number)));
  }
  Result<std::vector<RpcAnswers>> parts = co_await Ask(std::move(calls));
  if (!parts.ok()) co_return parts.error();
  std::vector<NodeBlock> blocks;
  for (const RpcAnswers& answers : *parts) {
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (answers.error(i) != nullptr) co_return ToError(*answers.error(i));
      ASSIGN_OR_CO_RETURN(std::optional<NodeBlock> block, ReadBlock(answers.result(i)));
      if (!block) co_return blocks;
      if (block->header.number != from + blocks.size())
        co_return BadAnswer("a block of another height");
      blocks.push_back(*std::move(block));
    }
  }
  co_return blocks;
}

Task<Result<std::optional<NodeBlock>>> NodeClient::BlockByHash(evm::Hash32 hash) {
  std::vector<RpcCall> calls;
  calls.push_back({"eth_getBlockByHash", "[" + Quote(hash.ToHex()) + ",false]"});
  Result<RpcAnswers> answers = co_await AskOnce(std::move(calls));
  if (!answers.ok()) co_return answers.error();
  if (answers->error(0) != nullptr) co_return ToError(*answers->error(0));
  ASSIGN_OR_CO_RETURN(std::optional<NodeBlock> block, ReadBlock(answers->result(0)));
  if (block && block->header.hash != hash) co_return BadAnswer("a block of another hash");
  co_return block;
}

Task<Result<std::vector<std::vector<NodeLog>>>> NodeClient::TransferLogs(
    std::vector<NodeBlock> blocks, std::vector<evm::Address> tokens) {
  std::vector<std::vector<NodeLog>> out(blocks.size());
  if (tokens.empty()) co_return out;
  std::vector<RpcCall> calls;
  const std::string filter = LogFilter(tokens);
  for (const NodeBlock& block : blocks) {
    calls.push_back({"eth_getLogs",
                     R"([{"blockHash":)" + Quote(block.header.hash.ToHex()) + "," + filter + "}]"});
  }
  Result<std::vector<RpcAnswers>> parts = co_await Ask(std::move(calls));
  if (!parts.ok()) co_return parts.error();
  std::size_t index = 0;
  for (const RpcAnswers& answers : *parts) {
    for (std::size_t i = 0; i < answers.size(); ++i, ++index) {
      if (answers.error(i) != nullptr) co_return ToError(*answers.error(i));
      ASSIGN_OR_CO_RETURN(out[index], ReadLogs(answers.result(i)));
      CO_RETURN_IF_ERROR(CheckLogs(blocks[index], out[index]));
      KeepListed(out[index], tokens);
    }
  }
  co_return out;
}

Task<Result<std::vector<NodeLog>>> NodeClient::LogsBetween(std::uint64_t from, std::uint64_t to,
                                                           std::vector<evm::Address> tokens) {
  std::vector<RpcCall> calls;
  calls.push_back({"eth_getLogs", R"([{"fromBlock":)" + Number(from) + R"(,"toBlock":)" +
                                      Number(to) + "," + LogFilter(tokens) + "}]"});
  Result<RpcAnswers> answers = co_await AskOnce(std::move(calls));
  if (!answers.ok()) co_return answers.error();
  if (answers->error(0) != nullptr) co_return ToError(*answers->error(0));
  co_return ReadLogs(answers->result(0));
}

Task<Result<std::vector<std::vector<NodeLog>>>> NodeClient::TransferLogsInRange(
    std::vector<NodeBlock> blocks, std::vector<evm::Address> tokens) {
  std::vector<std::vector<NodeLog>> out(blocks.size());
  if (tokens.empty() || blocks.empty()) co_return out;
  const std::uint64_t first = blocks.front().header.number;
  std::uint64_t width = kFirstRange;
  for (std::size_t begin = 0; begin < blocks.size();) {
    const std::size_t end = std::min<std::size_t>(blocks.size(), begin + width);
    Result<std::vector<NodeLog>> logs =
        co_await LogsBetween(first + begin, first + end - 1, tokens);
    if (!logs.ok()) {
      if (end - begin == 1) co_return logs.error();
      width = (end - begin) / 2;
      continue;
    }
    for (NodeLog& log : *logs) {
      if (log.block.number < first + begin || log.block.number >= first + end) {
        co_return BadAnswer("a log outside the range");
      }
      out[static_cast<std::size_t>(log.block.number - first)].push_back(std::move(log));
    }
    for (; begin < end; ++begin) {
      CO_RETURN_IF_ERROR(CheckLogs(blocks[begin], out[begin]));
      KeepListed(out[begin], tokens);
    }
  }
  co_return out;
}

Task<Result<std::vector<std::optional<NodeReceipt>>>> NodeClient::Receipts(
    std::vector<evm::Hash32> hashes) {
  std::vector<RpcCall> calls;
  for (const evm::Hash32& hash : hashes) {
    calls.push_back({"eth_getTransactionReceipt", "[" + Quote(hash.ToHex()) + "]"});
  }
  Result<std::vector<RpcAnswers>> parts = co_await Ask(std::move(calls));
  if (!parts.ok()) co_return parts.error();
  std::vector<std::optional<NodeReceipt>> out;
  for (const RpcAnswers& answers : *parts) {
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (answers.error(i) != nullptr) co_return ToError(*answers.error(i));
      ASSIGN_OR_CO_RETURN(std::optional<NodeReceipt> receipt, ReadReceipt(answers.result(i)));
      if (receipt && receipt->transaction_hash != hashes[out.size()]) {
        co_return BadAnswer("the receipt of another transaction");
      }
      out.push_back(std::move(receipt));
    }
  }
  co_return out;
}

Task<Result<std::vector<NodeReceipt>>> NodeClient::BlockReceipts(evm::Hash32 block_hash) {
  std::vector<RpcCall> calls;
  calls.push_back({"eth_getBlockReceipts", "[" + Quote(block_hash.ToHex()) + "]"});
  Result<RpcAnswers> answers = co_await AskOnce(std::move(calls));
  if (!answers.ok()) co_return answers.error();
  if (answers->error(0) != nullptr) co_return ToError(*answers->error(0));
  ASSIGN_OR_CO_RETURN(std::vector<NodeReceipt> receipts, ReadReceipts(answers->result(0)));
  for (const NodeReceipt& receipt : receipts) {
    if (receipt.block.hash != block_hash) co_return BadAnswer("receipts of another block");
  }
  co_return receipts;
}

}  // namespace paymesh::watcher
