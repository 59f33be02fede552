// Who may call which method of settlement. Immutable; any thread.
#pragma once

#include "common/rpc/authorization.h"

namespace paymesh::settlement {

rpc::MethodTable Methods();

}  // namespace paymesh::settlement
