// Who may call what of routing, and what it calls. Immutable; any thread.
#pragma once

#include <string>
#include <vector>

#include "common/rpc/server/authorization.h"

namespace paymesh::routing {

rpc::MethodTable Methods();
std::vector<std::string> Calls();

}  // namespace paymesh::routing
