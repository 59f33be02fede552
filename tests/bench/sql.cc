#include "tests/bench/sql.h"

#include <libpq-fe.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace paymesh::bench {
namespace {

using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

[[noreturn]] void End(const char* what, const char* words) {
  std::fprintf(stderr, "%s: %s\n", what, words);
  std::exit(1);
}

bool Good(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

}  // namespace

void Sql::Close::operator()(pg_conn* connection) const { PQfinish(connection); }

Sql::Sql(const std::string& conninfo) : connection_(PQconnectdb(conninfo.c_str())) {
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    End("cannot connect", PQerrorMessage(connection_.get()));
  }
}

void Sql::Run(const char* script) {
  const Answer answer(PQexec(connection_.get(), script), &PQclear);
  if (!Good(answer.get())) End(script, PQerrorMessage(connection_.get()));
}

std::string Sql::Value(const char* query) {
  const Answer answer(PQexec(connection_.get(), query), &PQclear);
  if (!Good(answer.get())) End(query, PQerrorMessage(connection_.get()));
  return PQntuples(answer.get()) == 0 ? "" : PQgetvalue(answer.get(), 0, 0);
}

void Sql::Prepare(const char* name, const char* statement) {
  const Answer answer(PQprepare(connection_.get(), name, statement, 0, nullptr), &PQclear);
  if (!Good(answer.get())) End(statement, PQerrorMessage(connection_.get()));
}

bool Sql::Execute(const char* name, const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  const Answer answer(PQexecPrepared(connection_.get(), name, static_cast<int>(values.size()),
                                     values.data(), nullptr, nullptr, 0),
                      &PQclear);
  if (Good(answer.get())) return true;
  constexpr std::string_view kDeadlock = "40P01";
  const char* state = PQresultErrorField(answer.get(), PG_DIAG_SQLSTATE);
  if (state == nullptr || state != kDeadlock) End(name, PQerrorMessage(connection_.get()));
  Run("ROLLBACK");
  return false;
}

}  // namespace paymesh::bench
