#include "services/settlement/domain/chain_transaction_call.h"

#include <algorithm>
#include <array>

#include "common/evm/abi.h"
#include "common/evm/event.h"
#include "common/evm/keccak.h"

namespace paymesh::settlement {
namespace {

using evm::AbiValue;

constexpr std::string_view kPayBatch = "payBatch((bytes32,address,address,uint256)[])";
constexpr std::string_view kPay = "pay(bytes32,address,address,uint256)";
constexpr std::string_view kSweep = "sweep(bytes32[],address)";
constexpr std::string_view kPaid = "paid(bytes32)";
constexpr std::string_view kLimit = "limitOf(address)";
constexpr std::string_view kSpent = "spentToday(address)";
constexpr std::string_view kPaidEvent =
    "Paid(bytes32 indexed,address indexed,address indexed,uint256)";
constexpr std::string_view kPayFailedEvent =
    "PayFailed(bytes32 indexed,address indexed,address indexed,uint256,bytes)";
constexpr std::string_view kFlushedEvent =
    "Flushed(bytes32 indexed,address indexed,address indexed,uint256)";
constexpr std::string_view kFlushFailedEvent =
    "FlushFailed(bytes32 indexed,address indexed,address indexed,bytes)";
constexpr std::string_view kAlreadyPaid = "AlreadyPaid(bytes32)";

// The declarations are ours: one that does not parse is a bug.
evm::EventDecoder Decoder(std::string_view declaration) {
  return evm::EventDecoder::Parse(declaration).value();
}

bool HasTopic(const ReceiptLog& log, const evm::Address& contract, const evm::EventDecoder& event) {
  return log.address == contract && !log.topics.empty() && log.topics.front() == event.topic();
}

bool HasSelector(evm::ByteView data, std::string_view signature) {
  const auto selector = evm::Selector(signature);
  return data.size() >= selector.size() &&
         std::ranges::equal(data.first(selector.size()), selector);
}

bool TokenMoved(const std::vector<ReceiptLog>& logs, const evm::Address& vault,
                const PayItem& item) {
  return std::ranges::any_of(logs, [&](const ReceiptLog& log) {
    if (log.address != item.token) return false;
    const auto transfer = evm::DecodeTransfer(log.topics, log.data);
    return transfer && transfer->from == vault && transfer->to == item.to &&
           transfer->value == item.amount;
  });
}

ItemResult PayResult(const evm::Address& vault, const PayItem& item,
                     const std::vector<ReceiptLog>& logs) {
  static const evm::EventDecoder paid = Decoder(kPaidEvent);
  static const evm::EventDecoder failed = Decoder(kPayFailedEvent);
  const evm::Hash32 id = OnChainPayoutId(item.payout_id);
  for (const ReceiptLog& log : logs) {
    const bool is_paid = HasTopic(log, vault, paid);
    if (!is_paid && !HasTopic(log, vault, failed)) continue;
    const auto values = (is_paid ? paid : failed).Decode(log.topics, log.data);
    if (!values.ok() || (*values)[0].Get<evm::Hash32>() != id) continue;
    const bool same = (*values)[1].Get<evm::Address>() == item.token &&
                      (*values)[2].Get<evm::Address>() == item.to &&
                      (*values)[3].Get<U256>() == item.amount;
    if (!same) continue;
    if (is_paid) {
      if (TokenMoved(logs, vault, item)) return {ItemOutcome::kPaid, {}};
      return {ItemOutcome::kMissing, "the vault says paid, and the token shows no transfer"};
    }
    const evm::Bytes& reason = (*values)[4].Get<evm::Bytes>();
    if (HasSelector(reason, kAlreadyPaid)) return {ItemOutcome::kAlreadyPaid, "AlreadyPaid"};
    return {ItemOutcome::kFailed, RevertReason(reason)};
  }
  return {};
}

ItemResult SweepResult(const evm::Address& factory, const evm::Hash32& salt,
                       const evm::Address& token, const std::vector<ReceiptLog>& logs) {
  static const evm::EventDecoder flushed = Decoder(kFlushedEvent);
  static const evm::EventDecoder failed = Decoder(kFlushFailedEvent);
  for (const ReceiptLog& log : logs) {
    const bool is_flushed = HasTopic(log, factory, flushed);
    if (!is_flushed && !HasTopic(log, factory, failed)) continue;
    const auto values = (is_flushed ? flushed : failed).Decode(log.topics, log.data);
    if (!values.ok() || (*values)[0].Get<evm::Hash32>() != salt) continue;
    if ((*values)[2].Get<evm::Address>() != token) continue;
    if (is_flushed) return {ItemOutcome::kPaid, {}};
    return {ItemOutcome::kFailed, RevertReason((*values)[3].Get<evm::Bytes>())};
  }
  return {};
}

Error Differs(std::string field) {
  Error error = Error::FailedPrecondition(
      "SIGNED_FIELDS_DIFFER", "the signed transaction is not the approved one: " + field);
  error.metadata["field"] = std::move(field);
  return error;
}

}  // namespace

evm::Hash32 OnChainPayoutId(std::string_view payout_id) { return evm::Keccak256(payout_id); }
evm::Hash32 DepositSalt(std::string_view payment_id) { return evm::Keccak256(payment_id); }

Result<Call> PayBatchCall(const evm::Address& vault, const std::vector<PayItem>& items,
                          const GasLimits& limits) {
  const std::uint64_t gas = limits.base + limits.pay_per_item * items.size() + limits.pay_floor;
  if (items.empty() || items.size() > kMaxPayBatch || gas > kMaxTransactionGas) {
    return Error::InvalidArgument("BATCH_SIZE", "a batch has 1 to 40 payouts");
  }
  AbiValue::List list;
  for (const PayItem& item : items) {
    list.emplace_back(
        AbiValue::List{OnChainPayoutId(item.payout_id), item.token, item.to, item.amount});
  }
  AbiValue::List arguments;
  arguments.emplace_back(std::move(list));
  ASSIGN_OR_RETURN(evm::Bytes data, evm::EncodeCall(kPayBatch, arguments));
  return Call{vault, std::move(data), gas};
}

Result<Call> SweepCall(const evm::Address& factory, const std::vector<evm::Hash32>& salts,
                       const evm::Address& token, const GasLimits& limits) {
  const std::uint64_t gas = limits.base + limits.sweep_per_item * salts.size() + limits.sweep_floor;
  if (salts.empty() || salts.size() > kMaxSweepBatch || gas > kMaxTransactionGas) {
    return Error::InvalidArgument("BATCH_SIZE", "a batch has 1 to 50 deposits");
  }
  AbiValue::List list(salts.begin(), salts.end());
  AbiValue::List arguments;
  arguments.emplace_back(std::move(list));
  arguments.emplace_back(token);
  ASSIGN_OR_RETURN(evm::Bytes data, evm::EncodeCall(kSweep, arguments));
  return Call{factory, std::move(data), gas};
}

Call NoopCall(const evm::Address& wallet, const GasLimits& limits) {
  return Call{wallet, {}, limits.noop};
}

Result<evm::Bytes> PayCallData(const PayItem& item) {
  return evm::EncodeCall(kPay, {OnChainPayoutId(item.payout_id), item.token, item.to, item.amount});
}

Result<evm::Bytes> PaidCallData(std::string_view payout_id) {
  return evm::EncodeCall(kPaid, {OnChainPayoutId(payout_id)});
}

Result<bool> ParseBool(evm::ByteView data) {
  ASSIGN_OR_RETURN(const AbiValue::List values, evm::DecodeReturn("bool", data));
  return values[0].Get<bool>();
}

Result<evm::Bytes> LimitCallData(const evm::Address& token) {
  return evm::EncodeCall(kLimit, {token});
}

Result<evm::Bytes> SpentCallData(const evm::Address& token) {
  return evm::EncodeCall(kSpent, {token});
}

Result<U256> ParseUint(evm::ByteView data) {
  ASSIGN_OR_RETURN(const AbiValue::List values, evm::DecodeReturn("uint256", data));
  return values[0].Get<U256>();
}

evm::Transaction MakeTransaction(std::uint64_t chain_id, std::uint64_t nonce, const Call& call,
                                 const Fees& fees) {
  evm::Transaction transaction;
  transaction.chain_id = chain_id;
  transaction.nonce = nonce;
  transaction.max_priority_fee_per_gas = fees.max_priority_fee;
  transaction.max_fee_per_gas = fees.max_fee;
  transaction.gas_limit = call.gas_limit;
  transaction.to = call.to;
  transaction.data = call.data;
  return transaction;
}

Result<evm::SignedTransaction> VerifySigned(evm::ByteView raw, const evm::Transaction& approved,
                                            const evm::Address& wallet) {
  ASSIGN_OR_RETURN(evm::SignedTransaction decoded, evm::DecodeSigned(raw));
  const evm::Transaction& made = decoded.transaction;
  if (made.chain_id != approved.chain_id) return Differs("chain_id");
  if (made.nonce != approved.nonce) return Differs("nonce");
  if (made.to != approved.to) return Differs("to");
  if (made.value != approved.value) return Differs("value");
  if (made.data != approved.data) return Differs("data");
  if (made.gas_limit != approved.gas_limit) return Differs("gas_limit");
  if (made.max_fee_per_gas != approved.max_fee_per_gas) return Differs("max_fee_per_gas");
  if (made.max_priority_fee_per_gas != approved.max_priority_fee_per_gas) {
    return Differs("max_priority_fee_per_gas");
  }
  if (made.access_list != approved.access_list) return Differs("access_list");
  if (decoded.from != wallet) return Differs("from");
  return decoded;
}

std::vector<ItemResult> PayResults(const evm::Address& vault, const std::vector<PayItem>& items,
                                   const std::vector<ReceiptLog>& logs) {
  std::vector<ItemResult> results;
  results.reserve(items.size());
  for (const PayItem& item : items) results.push_back(PayResult(vault, item, logs));
  return results;
}

std::vector<ItemResult> SweepResults(const evm::Address& factory,
                                     const std::vector<evm::Hash32>& salts,
                                     const evm::Address& token,
                                     const std::vector<ReceiptLog>& logs) {
  std::vector<ItemResult> results;
  results.reserve(salts.size());
  for (const evm::Hash32& salt : salts) results.push_back(SweepResult(factory, salt, token, logs));
  return results;
}

std::string RevertReason(evm::ByteView data) {
  static constexpr std::array<std::string_view, 15> kErrors = {
      "AlreadyPaid(bytes32)",
      "NotOperator(address)",
      "InvalidRecipient(address)",
      "ZeroAmount()",
      "LimitExceeded(address,uint256,uint256)",
      "TooLittleGas()",
      "NothingToFlush()",
      "EnforcedPause()",
      "SafeERC20FailedOperation(address)",
      "AddressEmptyCode(address)",
      "ReentrancyGuardReentrantCall()",
      "ERC20InsufficientBalance(address,uint256,uint256)",
      "ERC20InvalidReceiver(address)",
      "OnlySelf()",
      "FailedCall()"};
  if (data.empty()) return "reverted without data (out of gas, or a bare revert)";
  for (const std::string_view signature : kErrors) {
    if (HasSelector(data, signature)) return std::string(signature.substr(0, signature.find('(')));
  }
  return evm::DescribeRevert(data).substr(0, 200);
}

}  // namespace paymesh::settlement
