#include "services/watcher/domain/transfer_book.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace paymesh::watcher {
namespace {

using Key = std::pair<evm::Hash32, std::uint32_t>;

class Plan {
 public:
  explicit Plan(TransferStep step) : step_(std::move(step)) {
    for (std::size_t i = 0; i < step_.known.size(); ++i) Index(i);
  }

  Result<std::vector<Transfer>> Make() {
    if (step_.fork) {
      for (Transfer& transfer : step_.known) {
        if (transfer.live() && transfer.evidence.block.number > *step_.fork) {
          RETURN_IF_ERROR(Orphan(transfer));
        }
      }
    }
    std::sort(step_.matches.begin(), step_.matches.end(), [](const Match& a, const Match& b) {
      return std::tie(a.block.number, a.log_index) < std::tie(b.block.number, b.log_index);
    });
    for (const Match& match : step_.matches) RETURN_IF_ERROR(Include(match));
    for (Transfer& transfer : step_.known) Promote(transfer);
    return std::move(snapshots_);
  }

 private:
  static Key KeyOf(const Match& match) { return {match.transaction_hash, match.ordinal}; }
  void Index(std::size_t position) {
    by_key_[KeyOf(step_.known[position].evidence)].push_back(position);
  }

  Status Orphan(Transfer& transfer) {
    if (!Allowed(transfer.state, TransferState::kOrphaned)) {
      return Error::Internal("final transfer " + transfer.id + " would be undone");
    }
    transfer.state = TransferState::kOrphaned;
    ++transfer.revision;
    ++transfer.reorg_count;
    snapshots_.push_back(transfer);
    return {};
  }

  Status Include(const Match& match) {
    std::vector<std::size_t>& variants = by_key_[KeyOf(match)];
    Transfer* same = nullptr;
    for (const std::size_t position : variants) {
      Transfer& known = step_.known[position];
      if (SameContent(known.evidence, match)) {
        same = &known;
      } else if (known.live()) {
        RETURN_IF_ERROR(Orphan(known));
      }
    }
    if (same == nullptr) {
      Create(match, static_cast<std::uint32_t>(variants.size()));
      return {};
    }
    if (same->live()) {
      if (same->evidence.block == match.block) return {};
      RETURN_IF_ERROR(Orphan(*same));
    }
    same->evidence = match;
    same->state = StateAt(match.block.number, step_.levels);
    ++same->revision;
    snapshots_.push_back(*same);
    return {};
  }

  void Create(const Match& match, std::uint32_t variant) {
    Transfer transfer;
    transfer.chain = step_.chain;
    transfer.variant = variant;
    transfer.id = TransferId(step_.chain, match.transaction_hash, match.ordinal, variant);
    transfer.evidence = match;
    transfer.state = StateAt(match.block.number, step_.levels);
    snapshots_.push_back(transfer);
    step_.known.push_back(std::move(transfer));
    Index(step_.known.size() - 1);
  }

  void Promote(Transfer& transfer) {
    if (!transfer.live()) return;
    const TransferState reached = StateAt(transfer.evidence.block.number, step_.levels);
    if (reached == transfer.state || !Allowed(transfer.state, reached)) return;
    transfer.state = reached;
    ++transfer.revision;
    snapshots_.push_back(transfer);
  }

  TransferStep step_;
  std::map<Key, std::vector<std::size_t>> by_key_;
  std::vector<Transfer> snapshots_;
};

}  // namespace

Result<std::vector<Transfer>> PlanTransfers(TransferStep step) {
  return Plan(std::move(step)).Make();
}

}  // namespace paymesh::watcher
