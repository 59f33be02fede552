// The part of NodeClient that serves the api: fees, balances, calls, nonces, broadcasts.
#include <simdjson.h>

#include <utility>

#include "common/evm/abi.h"
#include "services/watcher/clients/node_client.h"
#include "services/watcher/reasons.h"

namespace paymesh::watcher {
namespace {

constexpr std::size_t kMaxCallResultBytes = 1'048'576;

bool IsRevert(const RpcError& error) {
  return error.code == 3 || error.message.find("revert") != std::string::npos ||
         error.message.find("EVM error") != std::string::npos;
}

}  // namespace

std::string NodeClient::AtBlock(const BlockId& block) const {
  if (by_number_.load()) return Quote(U256(block.number).ToQuantity());
  return R"({"blockHash":)" + Quote(block.hash.ToHex()) + "}";
}

bool NodeClient::LearnBlockForm(const RpcError& error) {
  constexpr std::int64_t kInvalidParams = -32602;
  return error.code == kInvalidParams && !by_number_.exchange(true);
}

Task<Result<U256>> NodeClient::PriorityFee() {
  std::vector<RpcCall> calls;
  calls.push_back({"eth_maxPriorityFeePerGas", "[]"});
  Result<RpcAnswers> answers = co_await AskOnce(std::move(calls));
  if (!answers.ok()) co_return answers.error();
  if (answers->error(0) != nullptr) co_return ToError(*answers->error(0));
  co_return ReadQuantity(answers->result(0));
}

Task<Result<std::vector<U256>>> NodeClient::Balances(std::vector<BalanceQuestion> questions,
                                                     BlockId at) {
  std::vector<RpcCall> calls;
  for (const BalanceQuestion& question : questions) {
    if (!question.token) {
      calls.push_back(
          {"eth_getBalance", "[" + Quote(question.account.ToHex()) + "," + AtBlock(at) + "]"});
      continue;
    }
    evm::AbiValue::List arguments;
    arguments.emplace_back(question.account);
    ASSIGN_OR_CO_RETURN(const evm::Bytes data, evm::EncodeCall("balanceOf(address)", arguments));
    calls.push_back({"eth_call", R"([{"to":)" + Quote(question.token->ToHex()) + R"(,"data":)" +
                                     Quote(evm::HexEncode(data)) + "}," + AtBlock(at) + "]"});
  }
  Result<std::vector<RpcAnswers>> parts = co_await Ask(std::move(calls));
  if (!parts.ok()) co_return parts.error();
  std::vector<U256> balances;
  for (const RpcAnswers& answers : *parts) {
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (const RpcError* error = answers.error(i)) {
        if (LearnBlockForm(*error)) co_return co_await Balances(std::move(questions), at);
        co_return ToError(*error);
      }
      if (!questions[balances.size()].token) {
        ASSIGN_OR_CO_RETURN(const U256 balance, ReadQuantity(answers.result(i)));
        balances.push_back(balance);
        continue;
      }
      ASSIGN_OR_CO_RETURN(const evm::Bytes word, ReadBytes(answers.result(i), 32));
      // A contract that answers nothing holds nothing that we could count.
      if (word.size() != 32) co_return BadAnswer("a balance that is no word");
      ASSIGN_OR_CO_RETURN(const U256 balance, U256::FromBytes(word));
      balances.push_back(balance);
    }
  }
  co_return balances;
}

Task<Result<CallOutcome>> NodeClient::Call(evm::Address to, evm::Bytes data,
                                           std::optional<evm::Address> from, BlockId at) {
  std::string params =
      R"([{"to":)" + Quote(to.ToHex()) + R"(,"data":)" + Quote(evm::HexEncode(data));
  if (from) params += R"(,"from":)" + Quote(from->ToHex());
  params += "}," + AtBlock(at) + "]";
  std::vector<RpcCall> calls;
  calls.push_back({"eth_call", std::move(params)});
  Result<RpcAnswers> answers = co_await AskOnce(std::move(calls));
  if (!answers.ok()) co_return answers.error();
  CallOutcome outcome;
  const RpcError* error = answers->error(0);
  if (error == nullptr) {
    ASSIGN_OR_CO_RETURN(outcome.data, ReadBytes(answers->result(0), kMaxCallResultBytes));
    co_return outcome;
  }
  if (!IsRevert(*error)) {
    if (LearnBlockForm(*error)) co_return co_await Call(to, std::move(data), from, at);
    co_return ToError(*error);
  }
  outcome.reverted = true;
  outcome.message = error->message;
  Result<evm::Bytes> revert = evm::HexDecode(error->data.empty() ? "0x" : error->data);
  if (revert.ok()) outcome.data = *std::move(revert);
  co_return outcome;
}

Task<Result<NodeClient::Nonces>> NodeClient::AccountNonces(evm::Address account,
                                                           BlockId finalized) {
  const std::string prefix = "[" + Quote(account.ToHex()) + ",";
  std::vector<RpcCall> calls;
  calls.push_back({"eth_getTransactionCount", prefix + R"("latest"])"});
  calls.push_back({"eth_getTransactionCount", prefix + R"("pending"])"});
  calls.push_back({"eth_getTransactionCount", prefix + AtBlock(finalized) + "]"});
  Result<RpcAnswers> answers = co_await AskOnce(std::move(calls));
  if (!answers.ok()) co_return answers.error();
  for (std::size_t i = 0; i < 3; ++i) {
    if (const RpcError* error = answers->error(i)) {
      if (LearnBlockForm(*error)) co_return co_await AccountNonces(account, finalized);
      co_return ToError(*error);
    }
  }
  Nonces nonces;
  ASSIGN_OR_CO_RETURN(nonces.latest, ReadUint64(answers->result(0)));
  ASSIGN_OR_CO_RETURN(nonces.pending, ReadUint64(answers->result(1)));
  ASSIGN_OR_CO_RETURN(nonces.finalized, ReadUint64(answers->result(2)));
  co_return nonces;
}

Task<Result<BroadcastAnswer>> NodeClient::Broadcast(evm::Bytes raw, evm::Hash32 hash) {
  std::optional<BroadcastAnswer> best;
  std::vector<RpcCall> calls;
  calls.push_back({"eth_sendRawTransaction", "[" + Quote(evm::HexEncode(raw)) + "]"});
  Error last = Error::Unavailable(std::string(reasons::kNodeUnavailable), "the chain has no node");
  bool unclear = false;
  for (std::size_t endpoint = 0; endpoint < options_.endpoints.size(); ++endpoint) {
    Result<RpcAnswers> answers = co_await AskEndpoint(endpoint, calls);
    if (!answers.ok()) {
      last = answers.error();
      // A lost or unreadable reply says nothing of whether the bytes went out. A throttled call did
      // not.
      unclear = unclear || last.reason != reasons::kNodeLimit;
      continue;
    }
    BroadcastAnswer answer{BroadcastOutcome::kAccepted, ""};
    if (const RpcError* error = answers->error(0)) {
      answer = {OutcomeOf(error->message), error->message};
    }
    if (!best || MoreFavourable(answer.outcome, best->outcome)) best = std::move(answer);
  }
  if (best && best->outcome == BroadcastOutcome::kNonceTooLow) {
    // The slot may be taken by this very transaction; nodes do not say which.
    std::vector<evm::Hash32> hashes{hash};
    Result<std::vector<std::optional<NodeReceipt>>> mined = co_await Receipts(std::move(hashes));
    if (mined.ok() && mined->front()) best->outcome = BroadcastOutcome::kAlreadyKnown;
  }
  if (best) co_return *std::move(best);
  if (unclear && last.message.find("refused") == std::string::npos) {
    co_return BroadcastAnswer{BroadcastOutcome::kUnknown, last.message};
  }
  co_return last;
}

}  // namespace paymesh::watcher
