// Who may call what of checkout, and what it calls. Immutable; any thread.
#pragma once

#include <string>
#include <vector>

#include "common/rpc/server/authorization.h"

namespace paymesh::checkout {

rpc::MethodTable Methods();
std::vector<std::string> Calls();

}  // namespace paymesh::checkout
