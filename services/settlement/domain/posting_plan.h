// The working state of one plan, shared by the files that make it: posting_planner.cc (what stands
// and how it changes), posting_transfers.cc (the journals of transfers), posting_money.cc (fee, net
// and debts of a payment). Use posting_planner.h. One thread, for the duration of one plan.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/settlement/domain/posting_planner.h"

namespace paymesh::settlement::planning {

inline constexpr std::string_view kOrphaned = "the evidence left the chain or changed";
inline constexpr std::string_view kWithdrawn = "the decision was withdrawn";

inline U256 Plus(const U256& a, const U256& b) { return CheckedAdd(a, b).value_or(U256::Max()); }

// What stands posted, and what has been planned so far.
class Planner {
 public:
  Planner(const PostingCase& facts, const PostingWorld& world) : facts_(facts), world_(world) {
    for (const PostedJournal& posted : facts.posted) {
      int& last = incarnation_[{posted.journal.event_id, posted.journal.rule}];
      last = std::max(last, posted.journal.incarnation);
      if (!posted.reversed) standing_[posted.journal.event_id].push_back(posted.journal);
    }
  }

  PostingPlan Run();

 private:
  struct Decision {
    U256 accepted;
    U256 refundable;
    Disposition disposition = Disposition::kMatched;
    friend bool operator==(const Decision&, const Decision&) = default;
  };

  bool attributed() const { return facts_.terms != nullptr; }
  bool IntoVault(const Evidence& transfer) const {
    const auto vault = world_.vaults.find(transfer.block.chain);
    return vault != world_.vaults.end() && vault->second == transfer.to_address;
  }
  bool FromDeposit(const Evidence& transfer) const {
    return attributed() && transfer.from_address == facts_.terms->address;
  }
  bool Halted(const Evidence& transfer) const {
    return world_.halted.contains(transfer.block.chain);
  }
  AccountKey Of(AccountCode code, const Evidence& transfer) const;
  AccountKey Merchant(AccountCode code, const std::string& unit) const {
    return {code, facts_.terms->merchant_id, unit};
  }

  const Allocation* AllocationOf(const Evidence& transfer) const;
  bool Matches(const Evidence& transfer) const;
  std::optional<Decision> Judge(const Evidence& transfer);
  U256 Standing(const std::string& event, AccountCode code) const;

  // Appends to `out` and keeps what stands up to date.
  void Post(const Evidence& transfer, std::string_view rule, std::vector<Leg> legs,
            std::optional<MoneyStage> stage = std::nullopt);
  void PostMoney(const std::string& unit, std::string_view rule, std::vector<Leg> legs,
                 std::optional<MoneyStage> stage = std::nullopt);
  void Add(JournalDraft draft, std::optional<MoneyStage> stage);
  void ReverseNewest(const std::string& event, std::string_view why);
  void ReverseAll(const std::string& event, std::string_view why);
  void ReverseDecision(const std::string& event);

  void PlanTransfers();
  void PlanTransfer(const Evidence& transfer);
  void PlanVault(const Evidence& transfer);
  void PlanDecision(const Evidence& transfer);
  void PostDecision(const Evidence& transfer, const Decision& decision);
  bool Reallocate(const Evidence& transfer, const Decision& decision);

  // Fee and availability, by unit.
  struct Target {
    U256 gross;            // in 2100 by the transfers' journals, after all of them
    bool complete = true;  // all that checkout accepted is posted
    bool final = true;
    bool halted = false;
  };
  std::map<std::string, Target> Targets();
  // The least that stands in 2100, by unit, while `planned` is posted on top of what stands.
  std::map<std::string, U256> LowestGross(const std::vector<PlannedJournal>& planned) const;
  void Track(const JournalDraft& draft, std::map<std::string, U256>& gross) const;
  void TakeBack(const std::string& unit, const U256& lowest_gross);
  void Settle(const std::string& unit, const Target& target);
  void SettleFee(const std::string& unit, const Target& target);
  void SettleNet(const std::string& unit, const Target& target);
  void WriteOff(const std::string& unit);
  void CheckSums(const std::string& unit, const Target& target, const U256& fee);
  U256 Balance(const AccountKey& account) const;
  U256 PostedNet(const std::string& event) const;

  const PostingCase& facts_;
  const PostingWorld& world_;
  PostingPlan plan_;
  std::map<std::pair<std::string, std::string>, int> incarnation_;
  std::map<std::string, std::vector<Journal>> standing_;
  std::vector<PlannedJournal>* out_ = &plan_.journals;
};

}  // namespace paymesh::settlement::planning
