// Which journals are missing between what the ledger says of a payment and what the evidence and
// the terms say: a pure function, so that it gives the same books in whatever order the facts came.
//
//   transfer in a block     P1  1100 -> 2050        attributed
//                           P8  1100 -> 2300        nobody's yet; P8b 2300 -> 2050 once attributed
//   decided (certain enough for what is accepted)
//                           P2  2050 -> 2100        accepted; P7b when it was late or extra
//                           P5  2050 -> 2200        excess;  P6a underpaid; P7a late or extra
//                           P8  2050 -> 2300        wrong token
//   all accepted transfers  P3  2100 -> 4100        fee, one a payment and unit
//   all of them final       P4  2100 -> 2110        net
//   into the vault          P10 1100 -> 1120        from a deposit;  P0 3900 -> 1120 from elsewhere
//   block left the chain    the mirror of each journal above, newest first; what 2110 lacks is owed
//                           in 1300 (P13), and lost (P13b) when the payment is proven gone
//
// Pure; any thread.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "services/settlement/domain/evidence.h"
#include "services/settlement/domain/ledger.h"
#include "services/settlement/domain/money_events.h"

namespace paymesh::settlement {

// One journal that has been posted for the case, reversals left out.
struct PostedJournal {
  Journal journal;
  bool reversed = false;
};

// All that is known of one payment, or of one transfer that nobody owns.
struct PostingCase {
  const Terms* terms = nullptr;       // null: not attributed
  std::vector<Evidence> transfers;    // in order of arrival
  std::vector<PostedJournal> posted;  // for these transfers and the payment, oldest first
};

struct PostingWorld {
  std::map<std::string, std::string> vaults;  // chain -> address
  std::set<std::string> halted;               // chains without credits
  // What the merchant has in 2110 before this case's drafts.
  std::function<U256(const AccountKey&)> balance;
};

// A draft and the event that is told when it is posted.
struct PlannedJournal {
  JournalDraft draft;
  std::optional<MoneyEvent> event;
};

struct PostingPlan {
  std::vector<PlannedJournal> journals;  // in the order of posting
  // The net available of the payment afterwards, by unit, where P4 changed it.
  std::map<std::string, U256> net;
  // Something is held back until the chain goes on or the terms make sense.
  bool deferred = false;
  // Terms that contradict the evidence: for alarms.
  std::vector<std::string> contradictions;
};

PostingPlan Plan(const PostingCase& facts, const PostingWorld& world);

// Whose P3, P4, P13 it is: the payment, and the unit.
std::string MoneyEventId(std::string_view payment_id, std::string_view unit);
// The events that journals of a case are posted for.
std::vector<std::string> EventIdsOf(const PostingCase& facts);

}  // namespace paymesh::settlement
