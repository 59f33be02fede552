// The ledger as it is usually written: a transaction of seven statements a transfer (BEGIN, the
// transfer under its unique key, both balances, both legs, COMMIT) on a connection for each client.
// The peer of settlement's ledger. Each of the functions blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "tests/bench/sql.h"

namespace paymesh::bench {

// Makes the tables with `accounts` empty accounts, numbered from 1, unless they are there.
void PrepareNaiveLedger(const std::string& conninfo, int accounts);

// Posts one transfer, again after a deadlock; false never.
class NaiveClient {
 public:
  explicit NaiveClient(const std::string& conninfo);
  bool Post(const std::string& transfer_id, int debit, int credit, std::int64_t amount);

 private:
  bool Try(const std::string& transfer_id, int debit, int credit, std::int64_t amount);
  Sql sql_;
};

// Empty, or what is wrong: transfers stored, legs of each, balances against legs.
std::string CheckNaiveLedger(const std::string& conninfo, std::uint64_t posted);

}  // namespace paymesh::bench
