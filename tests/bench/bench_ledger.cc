// Postings through settlement's own ledger store beside a transaction a transfer, on one
// PostgreSQL: spread over many accounts, and all on one hot account. Prints one JSON object a
// measurement; with `check`, whether everything posted is there, once, and adds up.
#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "common/pg/database.h"
#include "common/pg/migrations/migrations.h"
#include "migrations/settlement.h"
#include "services/settlement/store/ledger_store.h"
#include "tests/bench/load.h"
#include "tests/bench/naive_ledger.h"
#include "tests/bench/sql.h"

namespace {

using namespace paymesh::settlement;
namespace bench = paymesh::bench;
namespace pg = paymesh::pg;

constexpr int kAccounts = 100'000;  // on each side, plus the hot one
const std::string kUnit = "caip19/eip155:31337/erc20:0x1111111111111111111111111111111111111111";

struct Arguments {
  std::string what, spread, conninfo, prefix;
  int clients = 8;
  int batch = 256;  // journals a transaction: what a follower takes at once
  std::uint64_t posted = 0;
  bench::LoadOptions load;
};

// Account 0 is the hot one.
AccountKey DebitAccount(int number) {
  return {AccountCode::kDeposits, number == 0 ? "eip155:31337" : "eip155:" + std::to_string(number),
          kUnit};
}
AccountKey CreditAccount(int number) {
  return {AccountCode::kMerchantUnconfirmed, "mer_" + std::to_string(number), kUnit};
}

class Pairs {
 public:
  Pairs(bool hot, unsigned seed) : hot_(hot), random_(seed) {}
  int Debit() { return hot_ ? 0 : any_(random_); }
  int Credit() { return any_(random_); }

 private:
  const bool hot_;
  std::mt19937 random_;
  std::uniform_int_distribution<int> any_{1, kAccounts};
};

JournalDraft Draft(const std::string& event, Pairs& pairs) {
  JournalDraft draft;
  draft.rule = "P1";
  draft.event_id = event;
  const int credit = pairs.Credit();
  draft.legs = Move(DebitAccount(pairs.Debit()), CreditAccount(credit), paymesh::U256(1'000'000u));
  draft.payment_id = "pay_" + event;
  draft.merchant_id = "mer_" + std::to_string(credit);
  draft.block = BlockEvidence{"eip155:31337", 7, "0x" + std::string(64, 'b'),
                              paymesh::Time(std::chrono::seconds(1'700'000'000))};
  draft.transaction_hash = "0x" + std::string(64, 'a');
  return draft;
}

int Prepare(const Arguments& arguments) {
  const auto migrated = pg::Migrate(arguments.conninfo, paymesh::SettlementMigrations());
  if (!migrated.ok()) {
    std::fprintf(stderr, "%s\n", migrated.error().ToString().c_str());
    return 1;
  }
  bench::PrepareNaiveLedger(arguments.conninfo, kAccounts + 1);
  // The ledger's accounts exist too, so that neither side pays for making them.
  const std::string many = std::to_string(kAccounts);
  const auto make = [&](const AccountKey& pattern, const std::string& owner) {
    const std::string code = std::to_string(static_cast<int>(pattern.code));
    const std::string name(AccountName(pattern.code));
    return "INSERT INTO ledger_account (account_id, code, name, owner, unit) SELECT '" + code +
           ":" + name + ":' || o || ':" + kUnit + "', " + code + ", '" + name + "', o, '" + kUnit +
           "' FROM (SELECT '" + owner + "' || n AS o FROM generate_series(1, " + many +
           ") n) x ON CONFLICT DO NOTHING;";
  };
  bench::Sql(arguments.conninfo)
      .Run(
          (make(DebitAccount(0), "eip155:") + make(CreditAccount(0), "mer_") + "ANALYZE;").c_str());
  return 0;
}

bench::LoadResult RunLedger(const Arguments& arguments) {
  pg::Database database({.conninfo = arguments.conninfo, .pool_size = 1});
  Pairs pairs(arguments.spread == "hot", std::random_device()());
  std::uint64_t number = 0;
  // One writer: the ledger has one at a time whatever the number of connections.
  bench::LoadOptions load = arguments.load;
  load.outstanding = 1;
  return bench::RunThreads(load, [&](int) {
    return [&] {
      std::vector<JournalDraft> drafts;
      for (int i = 0; i < arguments.batch; ++i) {
        drafts.push_back(Draft(arguments.prefix + "-" + std::to_string(++number), pairs));
      }
      const auto posted =
          database.TransactBlocking({.name = "post", .idempotent = true},
                                    [&](pg::Transaction& tx) { return Post(tx, drafts); });
      if (!posted.ok()) std::fprintf(stderr, "%s\n", posted.error().ToString().c_str());
      return posted.ok();
    };
  });
}

bench::LoadResult RunNaive(const Arguments& arguments) {
  bench::LoadOptions load = arguments.load;
  load.outstanding = arguments.clients;
  return bench::RunThreads(load, [&](int client) {
    auto connection = std::make_shared<bench::NaiveClient>(arguments.conninfo);
    auto pairs = std::make_shared<Pairs>(arguments.spread == "hot", std::random_device()());
    auto number = std::make_shared<int>(0);
    const std::string prefix = arguments.prefix + "-" + std::to_string(client) + "-";
    return [=] {
      return connection->Post(prefix + std::to_string(++*number), 1 + pairs->Debit(),
                              1 + pairs->Credit(), 1'000'000);
    };
  });
}

int Measure(const Arguments& arguments) {
  const bool ledger = arguments.what == "ledger";
  const bench::LoadResult result = ledger ? RunLedger(arguments) : RunNaive(arguments);
  const double each = ledger ? arguments.batch : 1;
  char more[128];
  std::snprintf(more, sizeof(more), ",\"postings_per_second\":%.1f,\"postings\":%.0f",
                each * static_cast<double>(result.measured) / result.seconds,
                each * static_cast<double>(result.calls));
  std::printf("%s\n", ToJson(result, more).c_str());
  return result.failed == 0 ? 0 : 1;
}

// Everything posted is stored once, sequences have no gaps, and each account's sums are its legs'.
std::string CheckLedger(const Arguments& arguments) {
  bench::Sql sql(arguments.conninfo);
  const std::string want = std::to_string(arguments.posted);
  const std::string found = sql.Value(
      "SELECT count(*) || ' ' || coalesce(max(sequence), 0) || ' ' || count(DISTINCT event_id)"
      " FROM ledger_journal");
  const std::string off = sql.Value(
      "SELECT count(*) FROM ledger_account a JOIN (SELECT account_number, count(*) AS n,"
      " coalesce(sum(amount) FILTER (WHERE debit), 0) AS d,"
      " coalesce(sum(amount) FILTER (WHERE NOT debit), 0) AS c FROM ledger_leg GROUP BY 1) l"
      " USING (account_number) WHERE (a.leg_count, a.debits, a.credits)"
      " IS DISTINCT FROM (l.n, l.d, l.c)");
  const std::string sums = sql.Value(
      "SELECT sum(debits) = sum(credits) AND sum(leg_count) = 2 * (SELECT count(*) FROM"
      " ledger_journal) FROM ledger_account");
  if (found == want + " " + want + " " + want && off == "0" && sums == "t") return "";
  return "posted " + want + ", stored (journals, last sequence, events) " + found + ", " + off +
         " accounts wrong, in balance: " + sums;
}

int Check(const Arguments& arguments) {
  const std::string wrong = arguments.spread == "naive"
                                ? bench::CheckNaiveLedger(arguments.conninfo, arguments.posted)
                                : CheckLedger(arguments);
  if (!wrong.empty()) std::fprintf(stderr, "%s: %s\n", arguments.spread.c_str(), wrong.c_str());
  return wrong.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("ledger postings");
  Arguments arguments;
  int milliseconds = 2'000;
  app.add_option("what", arguments.what, "prepare, ledger, naive, check")
      ->required()
      ->check(CLI::IsMember({"prepare", "ledger", "naive", "check"}));
  app.add_option("spread", arguments.spread, "uniform or hot; for check: ledger or naive");
  app.add_option("--conninfo", arguments.conninfo)->required();
  app.add_option("--prefix", arguments.prefix, "of this run's events, not used before");
  app.add_option("--batch", arguments.batch);
  app.add_option("--clients", arguments.clients);
  app.add_option("--milliseconds", milliseconds);
  app.add_option("--posted", arguments.posted);
  CLI11_PARSE(app, argc, argv);
  arguments.load.measured = std::chrono::milliseconds(milliseconds);
  if (arguments.what == "prepare") return Prepare(arguments);
  if (arguments.what == "check") return Check(arguments);
  return Measure(arguments);
}
