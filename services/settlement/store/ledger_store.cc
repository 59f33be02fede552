#include "services/settlement/store/ledger_store.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace paymesh::settlement {
namespace {

struct LedgerLock {
  bool held = false;
};

using Key = std::tuple<std::string, std::string, int>;  // event, rule, incarnation
Key KeyOf(const JournalDraft& draft) { return {draft.event_id, draft.rule, draft.incarnation}; }

// 26 digits are also 26 characters of the alphabet of ids, and sort like the sequence.
std::string JournalId(std::int64_t sequence) {
  char text[32];
  std::snprintf(text, sizeof(text), "%026lld", static_cast<long long>(sequence));
  return "jrn_" + std::string(text);
}

constexpr std::string_view kJournalColumns =
    "j.sequence, j.journal_id, j.rule, j.event_id, j.incarnation, j.payment_id, j.merchant_id, "
    "j.payout_id, j.reverses_journal_id, j.description, j.chain, j.block_number, j.block_hash, "
    "j.block_time, j.transaction_hash, j.post_time";

Journal ToJournal(const pg::Row& row) {
  Journal journal;
  journal.sequence = row.Get<std::int64_t>("sequence");
  journal.journal_id = row.Get<std::string>("journal_id");
  journal.rule = row.Get<std::string>("rule");
  journal.event_id = row.Get<std::string>("event_id");
  journal.incarnation = row.Get<int>("incarnation");
  journal.payment_id = row.Get<std::string>("payment_id");
  journal.merchant_id = row.Get<std::string>("merchant_id");
  journal.payout_id = row.Get<std::string>("payout_id");
  journal.reverses_journal_id =
      row.Get<std::optional<std::string>>("reverses_journal_id").value_or("");
  journal.description = row.Get<std::string>("description");
  journal.transaction_hash = row.Get<std::string>("transaction_hash");
  journal.post_time = row.Get<Time>("post_time");
  if (!row.IsNull("block_number")) {
    journal.block =
        BlockEvidence{row.Get<std::string>("chain"), row.Get<std::uint64_t>("block_number"),
                      row.Get<std::string>("block_hash"),
                      row.Get<std::optional<Time>>("block_time").value_or(Time())};
  }
  return journal;
}

void LoadLegs(pg::Transaction& tx, std::map<std::int64_t, Journal*> journals) {
  if (journals.empty()) return;
  std::vector<std::int64_t> sequences;
  for (const auto& [sequence, journal] : journals) sequences.push_back(sequence);
  const pg::Rows rows = tx.Execute(
      "SELECT l.sequence, l.debit, l.amount, a.code, a.owner, a.unit FROM ledger_leg l"
      " JOIN ledger_account a USING (account_number) WHERE l.sequence = ANY($1::bigint[])"
      " ORDER BY l.sequence, l.position",
      sequences);
  for (const pg::Row& row : rows) {
    journals[row.Get<std::int64_t>("sequence")]->legs.push_back(
        {{static_cast<AccountCode>(row.Get<int>("code")), row.Get<std::string>("owner"),
          row.Get<std::string>("unit")},
         row.Get<bool>("debit") ? Side::kDebit : Side::kCredit,
         row.Get<U256>("amount")});
  }
}

std::map<Key, Journal> FindPosted(pg::Transaction& tx, std::span<const JournalDraft> drafts) {
  std::vector<std::string> events, rules;
  std::vector<int> incarnations;
  for (const JournalDraft& draft : drafts) {
    events.push_back(draft.event_id);
    rules.push_back(draft.rule);
    incarnations.push_back(draft.incarnation);
  }
  static const std::string kSql =
      "SELECT " + std::string(kJournalColumns) +
      " FROM unnest($1::text[], $2::text[], $3::int[]) k (e, r, i)"
      " JOIN ledger_journal j ON j.event_id = k.e AND j.rule = k.r AND j.incarnation = k.i";
  std::map<Key, Journal> found;
  std::map<std::int64_t, Journal*> by_sequence;
  for (const pg::Row& row : tx.Execute(kSql, events, rules, incarnations)) {
    Journal journal = ToJournal(row);
    const std::int64_t sequence = journal.sequence;
    by_sequence[sequence] = &(found[KeyOf(journal)] = std::move(journal));
  }
  LoadLegs(tx, by_sequence);
  return found;
}

std::map<std::string, std::int64_t> FindAccounts(pg::Transaction& tx,
                                                 const std::vector<std::string>& ids) {
  std::map<std::string, std::int64_t> numbers;
  for (const pg::Row& row : tx.Execute("SELECT account_id, account_number FROM ledger_account"
                                       " WHERE account_id = ANY($1::text[])",
                                       ids)) {
    numbers[row.Get<std::string>("account_id")] = row.Get<std::int64_t>("account_number");
  }
  return numbers;
}

// The numbers of all accounts of the drafts, those made that did not exist.
std::map<std::string, std::int64_t> EnsureAccounts(pg::Transaction& tx,
                                                   const std::vector<Journal*>& journals) {
  std::map<std::string, AccountKey> keys;
  for (const Journal* journal : journals) {
    for (const Leg& leg : journal->legs) keys.emplace(leg.account.ToString(), leg.account);
  }
  std::vector<std::string> ids;
  for (const auto& [id, key] : keys) ids.push_back(id);
  std::map<std::string, std::int64_t> numbers = FindAccounts(tx, ids);
  std::vector<std::string> new_ids, names, owners, units;
  std::vector<int> codes;
  for (const auto& [id, key] : keys) {
    if (numbers.contains(id)) continue;
    new_ids.push_back(id);
    codes.push_back(static_cast<int>(key.code));
    names.emplace_back(AccountName(key.code));
    owners.push_back(key.owner);
    units.push_back(key.unit);
  }
  if (new_ids.empty()) return numbers;
  const pg::Rows made = tx.Execute(
      "INSERT INTO ledger_account (account_id, code, name, owner, unit)"
      " SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[])"
      " RETURNING account_id, account_number",
      new_ids, codes, names, owners, units);
  for (const pg::Row& row : made) {
    numbers[row.Get<std::string>("account_id")] = row.Get<std::int64_t>("account_number");
  }
  return numbers;
}

void InsertJournals(pg::Transaction& tx, const std::vector<Journal*>& journals) {
  std::vector<std::int64_t> sequences;
  std::vector<std::string> ids, rules, events, payments, merchants, payouts, descriptions, chains,
      transactions;
  std::vector<int> incarnations;
  std::vector<std::optional<std::string>> reverses, hashes;
  std::vector<std::optional<std::int64_t>> numbers;
  std::vector<std::optional<Time>> times;
  for (const Journal* one : journals) {
    sequences.push_back(one->sequence);
    ids.push_back(one->journal_id);
    rules.push_back(one->rule);
    events.push_back(one->event_id);
    incarnations.push_back(one->incarnation);
    payments.push_back(one->payment_id);
    merchants.push_back(one->merchant_id);
    payouts.push_back(one->payout_id);
    reverses.push_back(one->reverses_journal_id.empty()
                           ? std::nullopt
                           : std::optional<std::string>(one->reverses_journal_id));
    descriptions.push_back(one->description);
    chains.push_back(one->block ? one->block->chain : "");
    numbers.push_back(
        one->block ? std::optional<std::int64_t>(static_cast<std::int64_t>(one->block->number))
                   : std::nullopt);
    hashes.push_back(one->block ? std::optional<std::string>(one->block->hash) : std::nullopt);
    times.push_back(one->block ? std::optional<Time>(one->block->time) : std::nullopt);
    transactions.push_back(one->transaction_hash);
  }
  std::map<std::int64_t, Time> post_times;
  const pg::Rows rows = tx.Execute(
      "INSERT INTO ledger_journal (sequence, journal_id, rule, event_id, incarnation, payment_id,"
      " merchant_id, payout_id, reverses_journal_id, description, chain, block_number, block_hash,"
      " block_time, transaction_hash)"
      " SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::int[],"
      " $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::bigint[],"
      " $13::text[], $14::timestamptz[], $15::text[]) RETURNING sequence, post_time",
      sequences, ids, rules, events, incarnations, payments, merchants, payouts, reverses,
      descriptions, chains, numbers, hashes, times, transactions);
  for (const pg::Row& row : rows) {
    post_times[row.Get<std::int64_t>("sequence")] = row.Get<Time>("post_time");
  }
  for (Journal* one : journals) one->post_time = post_times[one->sequence];
}

// One statement for all legs: the trigger behind it holds the balance and moves the accounts' sums,
// each account once.
void InsertLegs(pg::Transaction& tx, const std::vector<Journal*>& journals,
                const std::map<std::string, std::int64_t>& accounts) {
  std::vector<std::int64_t> sequences, numbers;
  std::vector<int> positions;
  std::vector<bool> debits;
  std::vector<U256> amounts;
  for (const Journal* journal : journals) {
    int position = 0;
    for (const Leg& leg : journal->legs) {
      sequences.push_back(journal->sequence);
      positions.push_back(++position);
      numbers.push_back(accounts.at(leg.account.ToString()));
      debits.push_back(leg.side == Side::kDebit);
      amounts.push_back(leg.amount);
    }
  }
  tx.Execute(
      "INSERT INTO ledger_leg (sequence, position, account_number, debit, amount)"
      " SELECT * FROM unnest($1::bigint[], $2::int[], $3::bigint[], $4::bool[], $5::numeric[])",
      sequences, positions, numbers, debits, amounts);
}

// A draft may reverse one of its own batch, whose id it could not know.
void ResolveReversal(Journal& journal, const std::map<Key, Journal*>& batch) {
  constexpr std::string_view kPrefix = "P13.";
  if (!journal.rule.starts_with(kPrefix) || !journal.reverses_journal_id.empty()) return;
  const auto found =
      batch.find({journal.event_id, journal.rule.substr(kPrefix.size()), journal.incarnation});
  if (found != batch.end()) journal.reverses_journal_id = found->second->journal_id;
}

void Insert(pg::Transaction& tx, const std::vector<Journal*>& journals) {
  if (journals.empty()) return;
  const pg::Rows head =
      tx.Execute("UPDATE ledger_head SET sequence = sequence + $1 RETURNING sequence",
                 static_cast<std::int64_t>(journals.size()));
  std::int64_t sequence =
      head.front().Get<std::int64_t>("sequence") - static_cast<std::int64_t>(journals.size());
  std::map<Key, Journal*> batch;
  for (Journal* journal : journals) {
    journal->sequence = ++sequence;
    journal->journal_id = JournalId(sequence);
    journal->newly_posted = true;
    ResolveReversal(*journal, batch);
    batch[KeyOf(*journal)] = journal;
  }
  const std::map<std::string, std::int64_t> accounts = EnsureAccounts(tx, journals);
  InsertJournals(tx, journals);
  InsertLegs(tx, journals, accounts);
}

}  // namespace

void LockLedger(pg::Transaction& tx) {
  LedgerLock& lock = tx.Local<LedgerLock>();
  if (lock.held) return;
  tx.Execute("SELECT sequence FROM ledger_head FOR UPDATE");
  lock.held = true;
}

Result<std::vector<Journal>> Post(pg::Transaction& tx, std::span<const JournalDraft> drafts) {
  std::vector<Journal> posted(drafts.size());
  if (drafts.empty()) return posted;
  for (const JournalDraft& draft : drafts) RETURN_IF_ERROR(CheckBalanced(draft));
  LockLedger(tx);
  std::map<Key, Journal> before = FindPosted(tx, drafts);
  std::map<Key, Journal*> known;
  for (auto& [key, journal] : before) known[key] = &journal;
  std::vector<Journal*> fresh;
  std::vector<std::pair<std::size_t, Journal*>> repeated;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    static_cast<JournalDraft&>(posted[i]) = drafts[i];
    const auto [place, is_new] = known.emplace(KeyOf(drafts[i]), &posted[i]);
    if (is_new) {
      fresh.push_back(&posted[i]);
    } else if (place->second->legs != drafts[i].legs) {
      return Error::FailedPrecondition(
          "JOURNAL_CONFLICT",
          drafts[i].rule + " of " + drafts[i].event_id + " was posted before with other legs");
    } else {
      repeated.emplace_back(i, place->second);
    }
  }
  Insert(tx, fresh);
  for (const auto& [index, journal] : repeated) {
    posted[index] = *journal;
    posted[index].newly_posted = false;
  }
  return posted;
}

U256 LockedBalance(pg::Transaction& tx, const AccountKey& account) {
  LockLedger(tx);
  const pg::Rows rows = tx.Execute(
      "SELECT debits, credits FROM ledger_account WHERE account_id = $1", account.ToString());
  if (rows.empty()) return U256();
  const U256 debits = rows.front().Get<U256>("debits");
  const U256 credits = rows.front().Get<U256>("credits");
  return NormalSide(account.code) == Side::kDebit ? SaturatingSub(debits, credits)
                                                  : SaturatingSub(credits, debits);
}

Result<U256> AvailableFor(pg::Transaction& tx, std::string_view merchant_id,
                          std::string_view unit) {
  return LockedBalance(
      tx, {AccountCode::kMerchantAvailable, std::string(merchant_id), std::string(unit)});
}

std::optional<Journal> FindJournal(pg::Transaction& tx, std::string_view journal_id) {
  std::vector<Journal> found = ListJournalRows(tx, {.journal_id = std::string(journal_id)}, 0, 1);
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<Journal> ListJournalRows(pg::Transaction& tx, const JournalFilter& filter,
                                     std::int64_t before, int limit) {
  static const std::string kSql =
      "SELECT " + std::string(kJournalColumns) +
      " FROM ledger_journal j WHERE ($1 = '' OR j.payment_id = $1) AND"
      " ($2 = '' OR j.merchant_id = $2) AND ($3 = '' OR j.payout_id = $3) AND"
      " ($4 = '' OR EXISTS (SELECT 1 FROM ledger_leg l JOIN ledger_account a USING (account_number)"
      " WHERE l.sequence = j.sequence AND a.account_id = $4)) AND"
      " ($5::bigint = 0 OR j.sequence < $5::bigint) AND ($6 = '' OR j.journal_id = $6)"
      " ORDER BY j.sequence DESC LIMIT $7::bigint";
  std::vector<Journal> journals;
  for (const pg::Row& row :
       tx.Execute(kSql, filter.payment_id, filter.merchant_id, filter.payout_id, filter.account_id,
                  before, filter.journal_id, limit)) {
    journals.push_back(ToJournal(row));
  }
  std::map<std::int64_t, Journal*> by_sequence;
  for (Journal& journal : journals) by_sequence[journal.sequence] = &journal;
  LoadLegs(tx, by_sequence);
  return journals;
}

std::vector<EventJournal> JournalsOf(pg::Transaction& tx,
                                     const std::vector<std::string>& event_ids) {
  static const std::string kSql =
      "SELECT " + std::string(kJournalColumns) +
      ", r.sequence IS NOT NULL AS reversed FROM ledger_journal j"
      " LEFT JOIN ledger_journal r ON r.reverses_journal_id = j.journal_id"
      " WHERE j.event_id = ANY($1::text[]) AND j.reverses_journal_id IS NULL ORDER BY j.sequence";
  std::vector<EventJournal> journals;
  if (event_ids.empty()) return journals;
  for (const pg::Row& row : tx.Execute(kSql, event_ids)) {
    journals.push_back({ToJournal(row), row.Get<bool>("reversed")});
  }
  std::map<std::int64_t, Journal*> by_sequence;
  for (EventJournal& one : journals) by_sequence[one.journal.sequence] = &one.journal;
  LoadLegs(tx, by_sequence);
  return journals;
}

std::vector<AccountRow> ListAccountRows(pg::Transaction& tx, const AccountFilter& filter,
                                        std::string_view after, int limit) {
  const pg::Rows rows = tx.Execute(
      "SELECT account_id, code, owner, unit, debits, credits, leg_count FROM ledger_account"
      " WHERE ($1 = '' OR owner = $1) AND ($2::int = 0 OR code = $2::int)"
      " AND ($3 = '' OR unit = $3) AND ($4 = '' OR account_id = $4)"
      " AND account_id COLLATE \"C\" > $5 ORDER BY account_id COLLATE \"C\" LIMIT $6::bigint",
      filter.owner, static_cast<std::int64_t>(filter.code), filter.unit, filter.account_id, after,
      limit);
  std::vector<AccountRow> accounts;
  for (const pg::Row& row : rows) {
    accounts.push_back({{static_cast<AccountCode>(row.Get<int>("code")),
                         row.Get<std::string>("owner"), row.Get<std::string>("unit")},
                        row.Get<U256>("debits"),
                        row.Get<U256>("credits"),
                        row.Get<std::int64_t>("leg_count")});
  }
  return accounts;
}

void SetPaymentNet(pg::Transaction& tx, const PaymentNet& row) {
  tx.Execute(
      "INSERT INTO payment_money (payment_id, merchant_id, unit, net, available_time)"
      " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (payment_id, unit) DO UPDATE SET"
      " net = excluded.net, available_time = CASE WHEN payment_money.net = 0"
      " THEN excluded.available_time ELSE payment_money.available_time END",
      row.payment_id, row.merchant_id, row.unit, row.net, row.available_time);
}

}  // namespace paymesh::settlement
