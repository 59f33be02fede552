// Our contracts on chain (deploy/contracts): how they are called, what they log, and where a
// payment's deposit address is.
// Immutable values and pure functions; any thread.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/evm/address.h"
#include "common/evm/bytes.h"
#include "common/evm/event.h"
#include "common/money/u256.h"

namespace paymesh::evm {

// A payment's salt and a payout's id on chain: keccak256 of the id's bytes.
Hash32 HashOfId(std::string_view id);

// The factory of one deployment, as it is frozen in each payment.
struct DepositScheme {
  Address factory;
  Hash32 init_code_hash;
  friend bool operator==(const DepositScheme&, const DepositScheme&) = default;
};
Address DepositAddress(const DepositScheme& scheme, std::string_view payment_id);

// One item of Vault.pay and Vault.payBatch.
struct VaultPayout {
  Hash32 payout_id;
  Address token;
  Address to;
  U256 amount;
};
Bytes EncodePay(const VaultPayout& payout);
Bytes EncodePayBatch(const std::vector<VaultPayout>& payouts);
Bytes EncodeIsPaid(const Hash32& payout_id);  // answers a bool
Bytes EncodeSweep(const std::vector<Hash32>& salts, const Address& token);

// Vault.Paid or Vault.PayFailed.
struct PayoutOutcome {
  VaultPayout payout;
  std::optional<Bytes> failure;  // the revert's data; empty when it was paid
};
// DepositFactory.Flushed or DepositFactory.FlushFailed.
struct FlushOutcome {
  Hash32 salt;
  Address deposit;
  Address token;
  U256 amount;                   // zero when it failed
  std::optional<Bytes> failure;  // the revert's data; empty when it was flushed
};

// Reads the logs. The caller checks that the log is the vault's or the factory's: anybody may emit
// events that look alike.
class ContractLogs {
 public:
  ContractLogs();

  // Empty for any other event and for one of another shape.
  std::optional<PayoutOutcome> ReadPayout(std::span<const Hash32> topics, ByteView data) const;
  std::optional<FlushOutcome> ReadFlush(std::span<const Hash32> topics, ByteView data) const;

  const EventDecoder& paid() const { return paid_; }
  const EventDecoder& pay_failed() const { return pay_failed_; }
  const EventDecoder& flushed() const { return flushed_; }
  const EventDecoder& flush_failed() const { return flush_failed_; }

 private:
  EventDecoder paid_;
  EventDecoder pay_failed_;
  EventDecoder flushed_;
  EventDecoder flush_failed_;
};

}  // namespace paymesh::evm
