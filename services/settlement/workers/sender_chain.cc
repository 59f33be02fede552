#include "services/settlement/workers/sender_chain.h"

#include <grpcpp/channel.h>

#include <utility>

#include "common/money/unit.h"
#include "common/rpc/client/client.h"
#include "paymesh/watcher/v1/chain_service.grpc.pb.h"
#include "paymesh/watcher/v1/transaction_service.grpc.pb.h"

namespace paymesh::settlement {
namespace {

namespace pb = paymesh::watcher::v1;
using ChainStub = pb::ChainService::StubInterface::async_interface;
using TransactionStub = pb::TransactionService::StubInterface::async_interface;

evm::Bytes ToBytes(const std::string& text) { return {text.begin(), text.end()}; }
std::string ToText(const evm::Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

Reply ToReply(pb::BroadcastOutcome outcome) {
  switch (outcome) {
    case pb::BROADCAST_OUTCOME_ACCEPTED:
      return Reply::kAccepted;
    case pb::BROADCAST_OUTCOME_ALREADY_KNOWN:
      return Reply::kAlreadyKnown;
    case pb::BROADCAST_OUTCOME_NONCE_TOO_LOW:
      return Reply::kNonceTooLow;
    case pb::BROADCAST_OUTCOME_NONCE_TOO_HIGH:
      return Reply::kNonceTooHigh;
    case pb::BROADCAST_OUTCOME_UNDERPRICED:
      return Reply::kUnderpriced;
    case pb::BROADCAST_OUTCOME_FEE_TOO_LOW:
      return Reply::kFeeTooLow;
    case pb::BROADCAST_OUTCOME_INSUFFICIENT_FUNDS:
      return Reply::kInsufficientFunds;
    case pb::BROADCAST_OUTCOME_REJECTED:
      return Reply::kRejected;
    default:
      return Reply::kUnknown;
  }
}

// What a reverted dry run says, from the error's metadata.
std::string RevertText(const Error& error) {
  const auto data = error.metadata.find("data");
  if (data == error.metadata.end()) return error.message;
  const auto bytes = evm::HexDecode(data->second);
  return bytes.ok() ? RevertReason(*bytes) : error.message;
}

class WatcherChain final : public SenderChain, public WalletBalance {
 public:
  WatcherChain(std::shared_ptr<grpc::Channel> channel, SenderChainOptions options)
      : options_(std::move(options)),
        chains_(pb::ChainService::NewStub(channel)),
        transactions_(pb::TransactionService::NewStub(channel)) {}

  Task<Result<AccountNonces>> Nonces() override {
    pb::GetAccountNonceRequest request;
    request.set_chain(options_.chain);
    request.set_address(options_.wallet.ToHex());
    Result<pb::GetAccountNonceResponse> answer =
        co_await rpc::CallUnary(*transactions_->async(), &TransactionStub::GetAccountNonce,
                                std::move(request), {.timeout = options_.timeout});
    if (!answer.ok()) co_return answer.error();
    co_return AccountNonces{answer->latest_nonce(), answer->pending_nonce(),
                            answer->finalized_nonce()};
  }

  Task<Result<Market>> Fees() override {
    pb::EstimateFeesRequest request;
    request.set_chain(options_.chain);
    Result<pb::EstimateFeesResponse> answer =
        co_await rpc::CallUnary(*chains_->async(), &ChainStub::EstimateFees, std::move(request),
                                {.timeout = options_.timeout});
    if (!answer.ok()) co_return answer.error();
    ASSIGN_OR_CO_RETURN(const U256 base, U256::FromDecimal(answer->base_fee_per_gas()));
    ASSIGN_OR_CO_RETURN(const U256 tip, U256::FromDecimal(answer->max_priority_fee_per_gas()));
    ASSIGN_OR_CO_RETURN(const U256 cap, U256::FromDecimal(answer->max_fee_per_gas()));
    co_return Market{base, {cap, tip}};
  }

  Task<Result<std::map<std::string, U256>>> VaultBalances(std::vector<std::string> units) override {
    pb::GetBalancesRequest request;
    request.set_chain(options_.chain);
    request.set_block_tag(pb::BLOCK_TAG_FINALIZED);
    for (const std::string& unit : units) {
      pb::BalanceQuery& query = *request.add_queries();
      query.set_address(options_.vault.ToHex());
      query.set_unit(unit);
    }
    Result<pb::GetBalancesResponse> answer =
        co_await rpc::CallUnary(*chains_->async(), &ChainStub::GetBalances, std::move(request),
                                {.timeout = options_.timeout});
    if (!answer.ok()) co_return answer.error();
    std::map<std::string, U256> balances;
    for (const pb::Balance& balance : answer->balances()) {
      ASSIGN_OR_CO_RETURN(const U256 value, U256::FromDecimal(balance.amount().value()));
      balances[balance.amount().unit()] = value;
    }
    co_return balances;
  }

  Task<Result<std::map<std::string, U256>>> DailyAllowances(
      std::vector<std::string> units) override {
    std::map<std::string, U256> left;
    for (const std::string& text : units) {
      ASSIGN_OR_CO_RETURN(const Unit unit, Unit::Parse(text));
      if (!unit.asset()) co_return Error::Internal("a limit of a currency");
      const evm::Address token = evm::Address::Of(*unit.asset());
      ASSIGN_OR_CO_RETURN(const evm::Bytes ask_limit, LimitCallData(token));
      ASSIGN_OR_CO_RETURN(const evm::Bytes ask_spent, SpentCallData(token));
      ASSIGN_OR_CO_RETURN(const evm::Bytes limit,
                          co_await CallVault(ask_limit, pb::BLOCK_TAG_LATEST));
      ASSIGN_OR_CO_RETURN(const evm::Bytes spent,
                          co_await CallVault(ask_spent, pb::BLOCK_TAG_LATEST));
      ASSIGN_OR_CO_RETURN(const U256 most, ParseUint(limit));
      ASSIGN_OR_CO_RETURN(const U256 gone, ParseUint(spent));
      left[text] = SaturatingSub(most, gone);
    }
    co_return left;
  }

  Task<Result<std::string>> DryRun(PayItem item) override {
    ASSIGN_OR_CO_RETURN(const evm::Bytes data, PayCallData(item));
    Result<evm::Bytes> answer = co_await CallVault(data, pb::BLOCK_TAG_LATEST);
    if (answer.ok()) co_return std::string();
    if (answer.error().reason == "CALL_REVERTED") co_return RevertText(answer.error());
    co_return answer.error();
  }

  Task<Result<bool>> IsPaid(std::string payout_id) override {
    ASSIGN_OR_CO_RETURN(const evm::Bytes data, PaidCallData(payout_id));
    Result<evm::Bytes> answer = co_await CallVault(data, pb::BLOCK_TAG_FINALIZED);
    if (!answer.ok()) co_return answer.error();
    co_return ParseBool(*answer);
  }

  Task<Result<Reply>> Broadcast(evm::Bytes raw) override {
    pb::BroadcastTransactionRequest request;
    request.set_chain(options_.chain);
    request.set_raw_transaction(ToText(raw));
    Result<pb::BroadcastTransactionResponse> answer =
        co_await rpc::CallUnary(*transactions_->async(), &TransactionStub::BroadcastTransaction,
                                std::move(request), {.timeout = options_.timeout});
    if (!answer.ok()) co_return answer.error();
    co_return ToReply(answer->outcome());
  }

  Task<Result<Whereabouts>> Find(evm::Hash32 hash) override {
    pb::GetTransactionRequest request;
    request.set_chain(options_.chain);
    request.set_transaction_hash(hash.ToHex());
    Result<pb::GetTransactionResponse> answer =
        co_await rpc::CallUnary(*transactions_->async(), &TransactionStub::GetTransaction,
                                std::move(request), {.timeout = options_.timeout});
    if (!answer.ok()) {
      if (answer.error().code == ErrorCode::kNotFound) co_return Whereabouts::kUnknown;
      co_return answer.error();
    }
    switch (answer->transaction().state()) {
      case pb::TRANSACTION_STATE_INCLUDED:
      case pb::TRANSACTION_STATE_SAFE:
      case pb::TRANSACTION_STATE_FINALIZED:
        co_return Whereabouts::kInBlock;
      default:
        co_return Whereabouts::kPending;
    }
  }

  Task<Result<NativeBalance>> AtFinal() override {
    pb::GetBalancesRequest request;
    request.set_chain(options_.chain);
    request.set_block_tag(pb::BLOCK_TAG_FINALIZED);
    pb::BalanceQuery& query = *request.add_queries();
    query.set_address(options_.wallet.ToHex());
    query.set_unit("caip19/" + options_.chain + "/slip44:60");
    Result<pb::GetBalancesResponse> answer =
        co_await rpc::CallUnary(*chains_->async(), &ChainStub::GetBalances, std::move(request),
                                {.timeout = options_.timeout});
    if (!answer.ok()) co_return answer.error();
    if (answer->balances_size() != 1) co_return Error::Internal("the watcher gave no balance");
    ASSIGN_OR_CO_RETURN(const U256 wei, U256::FromDecimal(answer->balances(0).amount().value()));
    co_return NativeBalance{wei, answer->block().number(), answer->block().hash()};
  }

 private:
  Task<Result<evm::Bytes>> CallVault(evm::Bytes data, pb::BlockTag tag) {
    pb::CallContractRequest request;
    request.set_chain(options_.chain);
    request.set_to_address(options_.vault.ToHex());
    request.set_from_address(options_.wallet.ToHex());
    request.set_data(ToText(data));
    request.set_block_tag(tag);
    Result<pb::CallContractResponse> answer =
        co_await rpc::CallUnary(*chains_->async(), &ChainStub::CallContract, std::move(request),
                                {.timeout = options_.timeout});
    if (!answer.ok()) co_return answer.error();
    co_return ToBytes(answer->data());
  }

  const SenderChainOptions options_;
  const std::unique_ptr<pb::ChainService::StubInterface> chains_;
  const std::unique_ptr<pb::TransactionService::StubInterface> transactions_;
};

}  // namespace

std::unique_ptr<SenderChain> MakeSenderChain(std::shared_ptr<grpc::Channel> watcher,
                                             SenderChainOptions options) {
  return std::make_unique<WatcherChain>(std::move(watcher), std::move(options));
}

std::unique_ptr<WalletBalance> MakeWalletBalance(std::shared_ptr<grpc::Channel> watcher,
                                                 SenderChainOptions options) {
  return std::make_unique<WatcherChain>(std::move(watcher), std::move(options));
}

}  // namespace paymesh::settlement
