// A bare libpq connection for limits and peers, which must not owe anything to Paymesh's own pool.
// Any failure ends the program with the server's words. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

struct pg_conn;

namespace paymesh::bench {

class Sql {
 public:
  explicit Sql(const std::string& conninfo);

  // A script without parameters.
  void Run(const char* script);
  // The first value of the first row, "" for none.
  std::string Value(const char* query);

  void Prepare(const char* name, const char* statement);
  // False when the server refused it for a reason that a new try may cure (deadlock), after
  // ROLLBACK.
  bool Execute(const char* name, const std::vector<std::string>& parameters);

 private:
  struct Close {
    void operator()(pg_conn* connection) const;
  };
  std::unique_ptr<pg_conn, Close> connection_;
};

}  // namespace paymesh::bench
