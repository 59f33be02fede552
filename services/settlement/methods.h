// Who may call which method of settlement, and what it calls. Immutable; any thread.
#pragma once

#include <string>
#include <vector>

#include "common/rpc/server/authorization.h"

namespace paymesh::settlement {

rpc::MethodTable Methods();
std::vector<std::string> Calls();

}  // namespace paymesh::settlement
