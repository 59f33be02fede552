// A chain's nodes behind one door: JSON-RPC over HTTP with failover between the endpoints, typed
// and checked answers, limits on everything. Whatever may change between two questions is asked by
// block hash. Any thread; each call resumes on its caller's executor.
//
// Errors: UNAVAILABLE with reason NODE_UNAVAILABLE (no connection, time-out, HTTP status),
// BAD_ANSWER, NODE_ERROR, NODE_LIMIT, or NODE_ANSWER_TOO_LARGE when the answer to one single call
// does not fit into a body: what was asked with others is asked in ever smaller bodies before that.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/error/error.h"
#include "common/evm/address.h"
#include "common/evm/bytes.h"
#include "common/http/client.h"
#include "common/runtime/task.h"
#include "services/watcher/clients/answers.h"
#include "services/watcher/clients/broadcast.h"
#include "services/watcher/clients/json_rpc.h"
#include "services/watcher/domain/head_machine.h"

namespace paymesh::runtime {
class Metrics;
}

namespace paymesh::watcher {

struct NodeOptions {
  std::string chain;  // for metrics
  std::vector<std::string> endpoints;
  std::chrono::milliseconds timeout{5'000};
  std::size_t max_batch = 100;  // calls in one HTTP body
};

// What a client for nodes must be able to take.
http::ClientOptions NodeHttpOptions();

bool IsAnswerTooLarge(const Error& error);

struct NodeIdentity {
  std::uint64_t chain_id = 0;
  evm::Hash32 genesis_hash;
};

struct CallOutcome {
  bool reverted = false;
  evm::Bytes data;      // returned, or the revert's
  std::string message;  // the node's words when reverted
};

struct BroadcastAnswer {
  BroadcastOutcome outcome = BroadcastOutcome::kUnknown;
  std::string node_message;
};

class NodeClient {
 public:
  // All references must outlive the client.
  NodeClient(http::Client& http, runtime::Metrics& metrics, NodeOptions options);

  Task<Result<NodeIdentity>> Identity();
  Task<Result<NodeBlock>> Latest();
  // Asks the endpoints in turn until one says all that may be hoped for of a chain whose tags have
  // been `seen`; else the first answer. An error only when none could be reached.
  Task<Result<Tags>> FinalityTags(TagsSeen seen);
  // Ascending; fewer at the end when the node does not have them all (yet).
  Task<Result<std::vector<NodeBlock>>> BlocksByNumber(std::uint64_t from, std::uint64_t to);
  Task<Result<std::optional<NodeBlock>>> BlockByHash(evm::Hash32 hash);
  // For each block, in order, its Transfer logs of `tokens`, checked against the block.
  Task<Result<std::vector<std::vector<NodeLog>>>> TransferLogs(std::vector<NodeBlock> blocks,
                                                               std::vector<evm::Address> tokens);
  // The same by height, for blocks that cannot change any more: one query a range, halved as long
  // as the node finds it too large.
  Task<Result<std::vector<std::vector<NodeLog>>>> TransferLogsInRange(
      std::vector<NodeBlock> blocks, std::vector<evm::Address> tokens);
  // In the order asked; empty where the node has none.
  Task<Result<std::vector<std::optional<NodeReceipt>>>> Receipts(std::vector<evm::Hash32> hashes);
  // All receipts of a block. NODE_ERROR where the node cannot do that, NODE_ANSWER_TOO_LARGE where
  // only Receipts can.
  Task<Result<std::vector<NodeReceipt>>> BlockReceipts(evm::Hash32 block_hash);

  Task<Result<U256>> PriorityFee();
  struct BalanceQuestion {
    evm::Address account;
    std::optional<evm::Address> token;  // empty: the native coin
  };
  Task<Result<std::vector<U256>>> Balances(std::vector<BalanceQuestion> questions, BlockId at);
  Task<Result<CallOutcome>> Call(evm::Address to, evm::Bytes data, std::optional<evm::Address> from,
                                 BlockId at);
  struct Nonces {
    std::uint64_t latest = 0;
    std::uint64_t pending = 0;
    std::uint64_t finalized = 0;
  };
  Task<Result<Nonces>> AccountNonces(evm::Address account, BlockId finalized);
  // Hands the bytes, whose hash is given, to every endpoint; the most favourable answer.
  // UNAVAILABLE NODE_UNAVAILABLE when none could be reached for sure.
  Task<Result<BroadcastAnswer>> Broadcast(evm::Bytes raw, evm::Hash32 hash);

 private:
  // Sends in bodies of at most max_batch calls, and halves a body whose answer is too large; an
  // endpoint that fails is followed by the next.
  Task<Result<std::vector<RpcAnswers>>> Ask(std::vector<RpcCall> calls);
  Task<Result<RpcAnswers>> AskOnce(std::vector<RpcCall> calls);
  Task<Result<RpcAnswers>> AskEndpoint(std::size_t endpoint, std::vector<RpcCall> calls);
  void Count(std::size_t endpoint, const std::vector<RpcCall>& calls, std::string_view outcome,
             double seconds);
  // A read at a block: by hash (EIP-1898), or by number where the node does not understand that.
  std::string AtBlock(const BlockId& block) const;
  // True when `error` shows that the node does not take block hashes; AtBlock then gives numbers.
  bool LearnBlockForm(const RpcError& error);
  Task<Result<std::vector<NodeLog>>> LogsBetween(std::uint64_t from, std::uint64_t to,
                                                 std::vector<evm::Address> tokens);

  http::Client& http_;
  runtime::Metrics& metrics_;
  const NodeOptions options_;
  std::atomic<std::size_t> preferred_{0};
  std::atomic<bool> by_number_{false};
};

}  // namespace paymesh::watcher
