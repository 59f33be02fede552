// Who may call what of checkout. Immutable; any thread.
#pragma once

#include "common/rpc/authorization.h"

namespace paymesh::checkout {

rpc::MethodTable Methods();

}  // namespace paymesh::checkout
