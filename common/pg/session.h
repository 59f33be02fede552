// What a transaction asks of the connection on which it is open. One thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "common/pg/sql/param.h"
#include "common/pg/sql/rows.h"

namespace paymesh::trace {
class Tracer;
}

namespace paymesh::pg {

class Session {
 public:
  virtual ~Session() = default;
  // Both throw SqlError.
  virtual Rows ExecuteParams(std::string_view sql, std::span<const Param> params) = 0;
  virtual Rows Script(const std::string& sql) = 0;
  virtual trace::Tracer* tracer() const = 0;  // null: no spans
};

}  // namespace paymesh::pg
