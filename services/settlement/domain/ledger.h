// The words of the double-entry ledger: accounts, legs, journals before and after they are posted.
// Plain values; any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error/error.h"
#include "common/money/u256.h"
#include "common/runtime/clock.h"

namespace paymesh::settlement {

// The chart of accounts. The owner of each is named beside it.
enum class AccountCode : std::uint32_t {
  kDeposits = 1100,             // tokens on deposit addresses; the chain
  kVault = 1120,                // tokens in the vault; the contract's address
  kInFlightOut = 1130,          // paid in a block that is not final; the chain
  kGas = 1160,                  // native coin of an operator wallet; the wallet's address
  kMerchantReceivable = 1300,   // what a merchant owes after a reorganisation; the merchant
  kMerchantUnconfirmed = 2050,  // arrived, not yet certain or not yet decided; the merchant
  kMerchantPending = 2100,      // accepted, not yet final; the merchant
  kMerchantAvailable = 2110,    // final, free to be paid out; the merchant
  kMerchantReserved = 2120,     // held back; the merchant
  kPayoutPayable = 2130,        // reserved by payouts; the merchant
  kPayerRefundable = 2200,      // owed back to payers; nobody
  kSuspense = 2300,             // of a wrong token, or not attributed yet; nobody
  kCapital = 3900,              // what the operator put in; nobody
  kProcessingFee = 4100,        // income; nobody
  kNetworkGas = 5100,           // expense; nobody
  kWriteOffLoss = 5300,         // expense; nobody
};

enum class Side { kDebit, kCredit };
constexpr Side Opposite(Side side) { return side == Side::kDebit ? Side::kCredit : Side::kDebit; }

std::string_view AccountName(AccountCode code);  // "merchant_available"
// Assets and expenses grow on the debit side, the rest on the credit side.
constexpr Side NormalSide(AccountCode code) {
  const auto number = static_cast<std::uint32_t>(code);
  return number < 2000 || number >= 5000 ? Side::kDebit : Side::kCredit;
}

struct AccountKey {
  AccountCode code = AccountCode::kDeposits;
  std::string owner;  // empty for accounts of the platform
  std::string unit;   // "caip19/eip155:8453/erc20:0x…"

  // `<code>:<name>[:<owner>]:<unit>`
  std::string ToString() const;
  friend auto operator<=>(const AccountKey&, const AccountKey&) = default;
};

struct Leg {
  AccountKey account;
  Side side = Side::kDebit;
  U256 amount;  // above zero
  friend bool operator==(const Leg&, const Leg&) = default;
};

// The chain's evidence of a journal. Proofs of balances count what has a block at or below theirs.
struct BlockEvidence {
  std::string chain;
  std::uint64_t number = 0;
  std::string hash;
  Time time{};
  friend bool operator==(const BlockEvidence&, const BlockEvidence&) = default;
};

// What may be posted. (event_id, rule, incarnation) is posted once: a second time is harmless when
// the legs are the same and refused when they are not.
struct JournalDraft {
  std::string rule;      // of the posting table: "P1"
  std::string event_id;  // what it is posted for: a transfer, payment, payout, chain transaction
  int incarnation = 1;   // grows when the same event is booked anew after a reversal
  std::vector<Leg> legs;
  std::string payment_id = {};
  std::string merchant_id = {};
  std::string payout_id = {};
  std::optional<BlockEvidence> block = std::nullopt;
  std::string transaction_hash = {};
  std::string description = {};
  std::string reverses_journal_id = {};  // a journal is reversed once at most
};

struct Journal : JournalDraft {
  std::string journal_id;  // "jrn_…"
  std::int64_t sequence = 0;
  Time post_time{};
  bool newly_posted = false;  // false: it had been posted before
};

// Dr `debit`, Cr `credit`.
std::vector<Leg> Move(AccountKey debit, AccountKey credit, const U256& amount);

// The mirror of a posted journal: rule "P13.<rule>", the same event and incarnation.
JournalDraft Reverse(const Journal& journal, std::string_view description);

// At least two legs, each above zero, and for each unit as much debited as credited.
// INTERNAL otherwise: an unbalanced journal is a bug.
Status CheckBalanced(const JournalDraft& draft);

}  // namespace paymesh::settlement
