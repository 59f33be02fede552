// What PostgreSQL alone can do: single-row inserts of a payment's size, each its own durable
// transaction, from so many libpq clients. Prints one JSON object.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "tests/bench/load.h"
#include "tests/bench/sql.h"

namespace {

using paymesh::bench::Sql;

constexpr char kTable[] =
    "CREATE TABLE IF NOT EXISTS single_insert (id text PRIMARY KEY, merchant text NOT NULL,"
    " request_id text NOT NULL, body text NOT NULL, UNIQUE (merchant, request_id))";

std::function<bool()> Inserter(const std::string& conninfo, const std::string& prefix) {
  auto sql = std::make_shared<Sql>(conninfo);
  sql->Prepare("insert", "INSERT INTO single_insert VALUES ($1, $2, $3, $4)");
  auto number = std::make_shared<int>(0);
  return [sql, prefix, number] {
    const std::string id = prefix + std::to_string(++*number);
    return sql->Execute("insert", {"pay_" + id, "mer_1", id, std::string(200, 'x')});
  };
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("durable single-row inserts");
  std::string conninfo, prefix;
  paymesh::bench::LoadOptions load{.outstanding = 8};
  int milliseconds = 2'000;
  app.add_option("--conninfo", conninfo)->required();
  app.add_option("--prefix", prefix, "of this run's keys, not used before")->required();
  app.add_option("--clients", load.outstanding);
  app.add_option("--milliseconds", milliseconds);
  CLI11_PARSE(app, argc, argv);
  load.measured = std::chrono::milliseconds(milliseconds);
  Sql(conninfo).Run(kTable);
  const auto result = paymesh::bench::RunThreads(load, [&](int client) {
    return Inserter(conninfo, prefix + "-" + std::to_string(client) + "-");
  });
  const std::string stored = Sql(conninfo).Value(
      ("SELECT count(*) FROM single_insert WHERE request_id LIKE '" + prefix + "-%'").c_str());
  const bool complete = stored == std::to_string(result.calls);
  std::printf("%s\n", ToJson(result, ",\"stored\":" + stored).c_str());
  return complete && result.failed == 0 ? 0 : 1;
}
