// For tests: merchants with money, destinations and payouts on a database of their own.
// One thread.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <span>
#include <string>
#include <utility>

#include "common/pg/testing/test_database.h"
#include "common/runtime/clock.h"
#include "common/runtime/ids.h"
#include "migrations/settlement.h"
#include "services/settlement/domain/ledger.h"
#include "services/settlement/store/destination_store.h"
#include "services/settlement/store/ledger_store.h"
#include "services/settlement/store/pause_store.h"
#include "services/settlement/store/payout_store.h"

namespace paymesh::settlement {

class PayoutWorld {
 public:
  static constexpr char kChain[] = "eip155:31337";
  static constexpr char kUnit[] =
      "caip19/eip155:31337/erc20:0x1111111111111111111111111111111111111111";
  static constexpr char kTo[] = "0x00000000000000000000000000000000000000e1";

  template <class T>
  T Do(std::function<Result<T>(pg::Transaction&)> work) {
    Result<T> result = database.database().TransactBlocking({}, std::move(work));
    if (!result.ok()) {
      ADD_FAILURE() << result.error().ToString();
      return T();
    }
    return std::move(result).value();
  }
  Status Try(std::function<Status(pg::Transaction&)> work) {
    return database.database().TransactBlocking({}, std::move(work));
  }
  void Must(std::function<Status(pg::Transaction&)> work) {
    const Status status = Try(std::move(work));
    if (!status.ok()) ADD_FAILURE() << status.error().ToString();
  }

  void PostLegs(const std::string& rule, const std::string& event, std::vector<Leg> legs) {
    Must([&](pg::Transaction& tx) -> Status {
      JournalDraft draft;
      draft.rule = rule;
      draft.event_id = event;
      draft.legs = std::move(legs);
      const auto posted = Post(tx, std::span(&draft, 1));
      return posted.ok() ? Status() : Status(posted.error());
    });
  }
  // A payment whose money is final.
  void Earn(const std::string& merchant, const std::string& payment, std::uint64_t amount) {
    PostLegs("P4", payment,
             Move(AccountKey{AccountCode::kDeposits, kChain, kUnit},
                  AccountKey{AccountCode::kMerchantAvailable, merchant, kUnit}, U256(amount)));
    Must([&](pg::Transaction& tx) -> Status {
      SetPaymentNet(tx, {payment, merchant, kUnit, U256(amount), clock.Now()});
      return {};
    });
  }
  // Usable at once.
  DestinationRow Destination(const std::string& merchant) {
    DestinationRow row;
    row.destination_id = ids.Next("dst");
    row.merchant_id = merchant;
    row.unit = kUnit;
    row.chain = kChain;
    row.address = kTo;
    row.creator = "olivia";
    row.create_time = clock.Now();
    Must([&](pg::Transaction& tx) -> Status {
      InsertDestination(tx, row);
      row.state = DestinationState::kApproved;
      row.approver = "anna";
      row.approve_time = row.usable_time = row.create_time;
      ApproveDestination(tx, row);
      return {};
    });
    return row;
  }
  PayoutRow NewPayout(const DestinationRow& destination, std::uint64_t amount) {
    PayoutRow row;
    row.payout_id = ids.Next("pot");
    row.merchant_id = destination.merchant_id;
    row.destination_id = destination.destination_id;
    row.unit = kUnit;
    row.chain = kChain;
    row.address = kTo;
    row.amount = U256(amount);
    row.creator = "plan";
    row.create_time = row.update_time = clock.Now();
    return row;
  }
  // A reserved payout of money that its merchant earns for it.
  std::string Reserve(const std::string& merchant, std::uint64_t amount) {
    Earn(merchant, ids.Next("pay"), amount);
    PayoutRow row = NewPayout(Destination(merchant), amount);
    Must([&](pg::Transaction& tx) { return CreateReserved(tx, row); });
    return row.payout_id;
  }
  PayoutRow Get(const std::string& payout_id) {
    return Do<PayoutRow>([&](pg::Transaction& tx) { return FindPayout(tx, payout_id); });
  }
  U256 Balance(AccountCode code, const std::string& owner) {
    return Do<U256>([&](pg::Transaction& tx) -> Result<U256> {
      return LockedBalance(tx, AccountKey{code, owner, kUnit});
    });
  }
  void Pause(PauseKind kind, const std::string& value) {
    Must([&](pg::Transaction& tx) -> Status {
      PutPause(tx, {kind, value, "a question", "olivia", false, {}});
      return {};
    });
  }
  void Resume(PauseKind kind, const std::string& value) {
    Must([&](pg::Transaction& tx) -> Status {
      DropPause(tx, kind, value, false);
      return {};
    });
  }

  pg::TestDatabase database{SettlementMigrations()};
  runtime::SystemClock clock;
  runtime::SystemRandom random;
  runtime::IdSource ids{clock, random};
};

}  // namespace paymesh::settlement
