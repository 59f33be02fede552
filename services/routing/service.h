// Routing put together: the one place that knows all its parts. Built on the main thread; the parts
// it gives out: any thread.
#pragma once

#include <memory>

#include "common/error/error.h"
#include "services/routing/config.h"

namespace paymesh::runtime {
class Host;
class ServiceParts;
}  // namespace paymesh::runtime

namespace paymesh::routing {

// FAILED_PRECONDITION PEER_NOT_CONFIGURED. Needs no peer and no database to be up.
Result<std::unique_ptr<runtime::ServiceParts>> Build(runtime::Host& host, const Config& config);

// The `migrate` sub-command.
Status MigrateDatabase(runtime::Host& host);

}  // namespace paymesh::routing
