// What postings are planned from: the chain's evidence of a transfer, and the terms on which a
// payment's deposits are judged.
// Plain values; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/money/u256.h"
#include "services/settlement/domain/ledger.h"

namespace paymesh::settlement {

// In the order of certainty.
enum class EvidenceState { kOrphaned, kIncluded, kSafe, kFinalized };
std::string_view EvidenceStateName(EvidenceState state);  // "INCLUDED"
std::optional<EvidenceState> ParseEvidenceState(std::string_view name);

// A transfer as the watcher saw it last.
struct Evidence {
  std::string transfer_id;
  std::int64_t revision = 0;
  EvidenceState state = EvidenceState::kIncluded;
  std::uint32_t ordinal = 0;
  std::string transaction_hash;
  std::string unit;
  U256 amount;
  std::string from_address;
  std::string to_address;
  BlockEvidence block;

  bool live() const { return state != EvidenceState::kOrphaned; }
};

enum class Disposition { kMatched, kExtra, kLate, kWrongAsset };

// What checkout decided of one transfer.
struct Allocation {
  std::string transfer_id;
  std::string block_hash;  // of the inclusion that was decided on
  Disposition disposition = Disposition::kMatched;
  bool decided = false;
  bool orphaned = false;
  U256 accepted;
  U256 refundable;
};

struct FeeTerms {
  std::uint32_t basis_points = 0;
  std::map<std::string, U256> fixed = {};  // by unit
};
// floor(accepted x basis points / 10,000) plus the fixed part, at most the accepted amount.
U256 FeeOf(const FeeTerms& plan, std::string_view unit, const U256& accepted);

// A payment as far as money is concerned.
struct Terms {
  std::string payment_id;
  std::string merchant_id;
  std::string address;  // recomputed and believed
  std::int64_t revision = 0;
  EvidenceState policy = EvidenceState::kSafe;  // how certain a transfer must be to be accepted
  bool in_review = false;
  bool on_hold = false;
  bool reversed = false;  // proven gone
  FeeTerms fee_plan;
  std::vector<Allocation> allocations;
  std::string gross_unit = {};  // checkout's own sums, to be held against ours
  std::optional<U256> gross = std::nullopt;
  std::optional<U256> fee = std::nullopt;
};

}  // namespace paymesh::settlement
