#include "tests/bench/naive_ledger.h"

namespace paymesh::bench {
namespace {

constexpr char kTables[] = R"(
  CREATE TABLE IF NOT EXISTS naive_account (
    id bigint PRIMARY KEY, debits numeric(78, 0) NOT NULL DEFAULT 0,
    credits numeric(78, 0) NOT NULL DEFAULT 0) WITH (fillfactor = 50);
  CREATE TABLE IF NOT EXISTS naive_transfer (
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id text NOT NULL UNIQUE,
    rule text NOT NULL, create_time timestamptz NOT NULL DEFAULT clock_timestamp());
  CREATE TABLE IF NOT EXISTS naive_leg (
    event_id text NOT NULL, position integer NOT NULL,
    account bigint NOT NULL REFERENCES naive_account, debit boolean NOT NULL,
    amount numeric(78, 0) NOT NULL CHECK (amount > 0), PRIMARY KEY (event_id, position));
  CREATE INDEX IF NOT EXISTS naive_leg_account ON naive_leg (account);)";

}  // namespace

void PrepareNaiveLedger(const std::string& conninfo, int accounts) {
  Sql sql(conninfo);
  sql.Run(kTables);
  sql.Run(("INSERT INTO naive_account (id) SELECT generate_series(1, " + std::to_string(accounts) +
           ") ON CONFLICT DO NOTHING")
              .c_str());
}

NaiveClient::NaiveClient(const std::string& conninfo) : sql_(conninfo) {
  sql_.Prepare("begin", "BEGIN");
  sql_.Prepare("commit", "COMMIT");
  sql_.Prepare("transfer", "INSERT INTO naive_transfer (event_id, rule) VALUES ($1, 'P1')");
  sql_.Prepare("debit", "UPDATE naive_account SET debits = debits + $2::numeric WHERE id = $1");
  sql_.Prepare("credit", "UPDATE naive_account SET credits = credits + $2::numeric WHERE id = $1");
  sql_.Prepare("leg", "INSERT INTO naive_leg VALUES ($1, $2, $3, $4, $5)");
}

bool NaiveClient::Post(const std::string& transfer_id, int debit, int credit, std::int64_t amount) {
  while (!Try(transfer_id, debit, credit, amount)) {
  }
  return true;
}

bool NaiveClient::Try(const std::string& transfer_id, int debit, int credit, std::int64_t amount) {
  const std::string from = std::to_string(debit), to = std::to_string(credit),
                    value = std::to_string(amount);
  return sql_.Execute("begin", {}) && sql_.Execute("transfer", {transfer_id}) &&
         sql_.Execute("debit", {from, value}) && sql_.Execute("credit", {to, value}) &&
         sql_.Execute("leg", {transfer_id, "1", from, "true", value}) &&
         sql_.Execute("leg", {transfer_id, "2", to, "false", value}) && sql_.Execute("commit", {});
}

std::string CheckNaiveLedger(const std::string& conninfo, std::uint64_t posted) {
  Sql sql(conninfo);
  const std::string transfers = sql.Value("SELECT count(*) FROM naive_transfer");
  const std::string legs = sql.Value("SELECT count(*) FROM naive_leg");
  const std::string off = sql.Value(
      "SELECT count(*) FROM naive_account a JOIN (SELECT account, sum(amount) FILTER (WHERE debit)"
      " AS d, sum(amount) FILTER (WHERE NOT debit) AS c FROM naive_leg GROUP BY account) l"
      " ON l.account = a.id WHERE a.debits <> coalesce(l.d, 0) OR a.credits <> coalesce(l.c, 0)");
  if (transfers == std::to_string(posted) && legs == std::to_string(2 * posted) && off == "0") {
    return "";
  }
  return "posted " + std::to_string(posted) + ", stored " + transfers + " with " + legs +
         " legs, " + off + " balances wrong";
}

}  // namespace paymesh::bench
