#include "services/settlement/workers/chain_transaction_follower.h"

#include <google/protobuf/util/time_util.h>
#include <grpcpp/channel.h>

#include <algorithm>
#include <utility>

#include "common/outbox/follower/stream.h"
#include "common/rpc/client/client.h"
#include "paymesh/watcher/v1/transaction_service.grpc.pb.h"

namespace paymesh::settlement {
namespace {

namespace pb = paymesh::watcher::v1;
using Stub = pb::TransactionService::StubInterface::async_interface;

Time ToTime(const google::protobuf::Timestamp& timestamp) {
  return Time(std::chrono::microseconds(
      google::protobuf::util::TimeUtil::TimestampToMicroseconds(timestamp)));
}

Result<ReceiptLog> ToLog(const pb::TransactionLog& message) {
  ReceiptLog log;
  ASSIGN_OR_RETURN(log.address, evm::Address::Parse(message.address()));
  for (const std::string& topic : message.topics()) {
    ASSIGN_OR_RETURN(const evm::Hash32 hash, evm::Hash32::FromBytes(evm::AsBytes(topic)));
    log.topics.push_back(hash);
  }
  log.data.assign(message.data().begin(), message.data().end());
  return log;
}

Status ReadReceipt(const pb::Receipt& receipt, Fate& fate) {
  fate.success = receipt.success();
  ASSIGN_OR_RETURN(const U256 price, U256::FromDecimal(receipt.effective_gas_price()));
  ASSIGN_OR_RETURN(const U256 data_fee,
                   U256::FromDecimal(receipt.data_fee().empty() ? "0" : receipt.data_fee()));
  const auto gas = CheckedMul(price, U256(receipt.gas_used()));
  const auto total = gas ? CheckedAdd(*gas, data_fee) : std::nullopt;
  if (!total) return Error::Internal("an impossible gas cost in a receipt");
  fate.gas_cost = *total;
  for (const pb::TransactionLog& message : receipt.logs()) {
    ASSIGN_OR_RETURN(ReceiptLog log, ToLog(message));
    fate.logs.push_back(std::move(log));
  }
  return {};
}

Result<FateState> ToState(pb::TransactionState state) {
  switch (state) {
    case pb::TRANSACTION_STATE_PENDING:
      return FateState::kPending;
    case pb::TRANSACTION_STATE_INCLUDED:
      return FateState::kIncluded;
    case pb::TRANSACTION_STATE_SAFE:
      return FateState::kSafe;
    case pb::TRANSACTION_STATE_FINALIZED:
      return FateState::kFinalized;
    case pb::TRANSACTION_STATE_ORPHANED:
      return FateState::kOrphaned;
    default:
      return Error::Internal("an unknown state of a transaction");
  }
}

void Describe(const pb::TransactionEvent& event, outbox::Entry& entry) {
  entry.subject = event.transaction().transaction_hash();
  entry.kind = "transaction";
  entry.payload = event.transaction().SerializeAsString();
}

Task<Result<std::unique_ptr<outbox::Source>>> OpenOne(
    std::shared_ptr<pb::TransactionService::StubInterface> stub, std::int64_t after) {
  pb::StreamTransactionsRequest request;
  request.set_after_position(after);
  const rpc::CallOptions options{.timeout = std::chrono::milliseconds(0)};
  auto stream =
      rpc::OpenStream<Stub, pb::StreamTransactionsRequest, pb::StreamTransactionsResponse>(
          *stub->async(), &Stub::StreamTransactions, std::move(request), options);
  co_return outbox::MakeSource(std::move(stub), std::move(stream), &Describe);
}

}  // namespace

Result<Fate> ToFate(const pb::Transaction& transaction) {
  Fate fate;
  fate.chain = transaction.chain();
  fate.transaction_hash = transaction.transaction_hash();
  fate.from = transaction.from_address();
  fate.nonce = transaction.nonce();
  ASSIGN_OR_RETURN(fate.state, ToState(transaction.state()));
  const bool in_block = fate.state == FateState::kIncluded || fate.state == FateState::kSafe ||
                        fate.state == FateState::kFinalized;
  if (!in_block) return fate;
  if (!transaction.has_block() || !transaction.has_receipt()) {
    return Error::Internal("a transaction in a block without block or receipt");
  }
  fate.block_number = transaction.block().number();
  fate.block_hash = transaction.block().hash();
  fate.block_time = ToTime(transaction.block().time());
  RETURN_IF_ERROR(ReadReceipt(transaction.receipt(), fate));
  return fate;
}

outbox::OpenSource TransactionsSource(std::shared_ptr<grpc::Channel> watcher) {
  std::shared_ptr<pb::TransactionService::StubInterface> stub =
      pb::TransactionService::NewStub(watcher);
  return [stub](std::int64_t after) { return OpenOne(stub, after); };
}

outbox::ApplyEntries ApplyTransactions(std::vector<FateContext> contexts) {
  return [contexts = std::move(contexts)](pg::Transaction& tx,
                                          const std::vector<outbox::Entry>& entries) -> Status {
    for (const outbox::Entry& entry : entries) {
      pb::Transaction message;
      if (!message.ParseFromString(entry.payload)) {
        return Error::Internal("a transaction event that cannot be read");
      }
      const auto context = std::ranges::find(contexts, message.chain(), &FateContext::chain);
      if (context == contexts.end()) continue;
      ASSIGN_OR_RETURN(const Fate fate, ToFate(message));
      RETURN_IF_ERROR(ApplyFate(tx, *context, fate));
    }
    return {};
  };
}

}  // namespace paymesh::settlement
