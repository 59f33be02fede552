// Who may call what of the watcher: the rows of its method table. Immutable.
#pragma once

#include "common/rpc/server/authorization.h"

namespace paymesh::watcher {

rpc::MethodTable Methods();

}  // namespace paymesh::watcher
