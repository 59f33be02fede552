#include "common/evm/contracts.h"

#include <utility>

#include "common/evm/abi.h"
#include "common/evm/create2.h"
#include "common/evm/keccak.h"

namespace paymesh::evm {
namespace {

AbiValue::List Members(const VaultPayout& payout) {
  return {payout.payout_id, payout.token, payout.to, payout.amount};
}

// The signatures below are fixed and their arguments typed, so encoding cannot fail.
Bytes Call(std::string_view signature, const AbiValue::List& arguments) {
  return EncodeCall(signature, arguments).value();
}

EventDecoder Event(std::string_view declaration) {
  return EventDecoder::Parse(declaration).value();
}

}  // namespace

Hash32 HashOfId(std::string_view id) { return Keccak256(id); }

Address DepositAddress(const DepositScheme& scheme, std::string_view payment_id) {
  return Create2Address(scheme.factory, HashOfId(payment_id), scheme.init_code_hash);
}

Bytes EncodePay(const VaultPayout& payout) {
  return Call("pay(bytes32,address,address,uint256)", Members(payout));
}

Bytes EncodePayBatch(const std::vector<VaultPayout>& payouts) {
  AbiValue::List items;
  for (const VaultPayout& payout : payouts) items.emplace_back(Members(payout));
  return Call("payBatch((bytes32,address,address,uint256)[])", {AbiValue(std::move(items))});
}

Bytes EncodeIsPaid(const Hash32& payout_id) { return Call("paid(bytes32)", {payout_id}); }

Bytes EncodeSweep(const std::vector<Hash32>& salts, const Address& token) {
  return Call("sweep(bytes32[],address)",
              {AbiValue(AbiValue::List(salts.begin(), salts.end())), token});
}

ContractLogs::ContractLogs()
    : paid_(Event("Paid(bytes32 indexed payoutId,address indexed token,address indexed to,"
                  "uint256 amount)")),
      pay_failed_(Event("PayFailed(bytes32 indexed payoutId,address indexed token,"
                        "address indexed to,uint256 amount,bytes reason)")),
      flushed_(Event("Flushed(bytes32 indexed salt,address indexed deposit,"
                     "address indexed token,uint256 amount)")),
      flush_failed_(Event("FlushFailed(bytes32 indexed salt,address indexed deposit,"
                          "address indexed token,bytes reason)")) {}

std::optional<PayoutOutcome> ContractLogs::ReadPayout(std::span<const Hash32> topics,
                                                      ByteView data) const {
  if (topics.empty()) return std::nullopt;
  const bool failed = topics[0] == pay_failed_.topic();
  const Result<AbiValue::List> values = (failed ? pay_failed_ : paid_).Decode(topics, data);
  if (!values.ok()) return std::nullopt;
  PayoutOutcome outcome;
  outcome.payout = {(*values)[0].Get<Hash32>(), (*values)[1].Get<Address>(),
                    (*values)[2].Get<Address>(), (*values)[3].Get<U256>()};
  if (failed) outcome.failure = (*values)[4].Get<Bytes>();
  return outcome;
}

std::optional<FlushOutcome> ContractLogs::ReadFlush(std::span<const Hash32> topics,
                                                    ByteView data) const {
  if (topics.empty()) return std::nullopt;
  const bool failed = topics[0] == flush_failed_.topic();
  const Result<AbiValue::List> values = (failed ? flush_failed_ : flushed_).Decode(topics, data);
  if (!values.ok()) return std::nullopt;
  FlushOutcome outcome;
  outcome.salt = (*values)[0].Get<Hash32>();
  outcome.deposit = (*values)[1].Get<Address>();
  outcome.token = (*values)[2].Get<Address>();
  if (failed) {
    outcome.failure = (*values)[3].Get<Bytes>();
  } else {
    outcome.amount = (*values)[3].Get<U256>();
  }
  return outcome;
}

}  // namespace paymesh::evm
