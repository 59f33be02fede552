#include "services/watcher/domain/transfer.h"

#include "common/evm/keccak.h"

namespace paymesh::watcher {

std::string_view StateName(TransferState state) {
  switch (state) {
    case TransferState::kIncluded:
      return "INCLUDED";
    case TransferState::kSafe:
      return "SAFE";
    case TransferState::kFinalized:
      return "FINALIZED";
    case TransferState::kOrphaned:
      return "ORPHANED";
  }
  return "";
}

std::optional<TransferState> ParseTransferState(std::string_view name) {
  for (const TransferState state : {TransferState::kIncluded, TransferState::kSafe,
                                    TransferState::kFinalized, TransferState::kOrphaned}) {
    if (StateName(state) == name) return state;
  }
  return std::nullopt;
}

bool SameContent(const Match& a, const Match& b) {
  return a.token == b.token && a.from == b.from && a.to == b.to && a.amount == b.amount;
}

std::string TransferId(std::string_view chain, const evm::Hash32& transaction_hash,
                       std::uint32_t ordinal, std::uint32_t variant) {
  std::string text(chain);
  text += '|';
  text += transaction_hash.ToHex();
  text += '|';
  text += std::to_string(ordinal);
  if (variant != 0) text += '|' + std::to_string(variant);
  return "trf_" + evm::Keccak256(text).ToHex().substr(2, 32);
}

TransferState StateAt(std::uint64_t block_number, const Levels& levels) {
  if (block_number <= levels.finalized) return TransferState::kFinalized;
  if (block_number <= levels.safe) return TransferState::kSafe;
  return TransferState::kIncluded;
}

}  // namespace paymesh::watcher
