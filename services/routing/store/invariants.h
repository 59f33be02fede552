// What must not be in routing's database. Any thread.
#pragma once

#include <span>

#include "common/pg/invariant_worker.h"

namespace paymesh::routing {

std::span<const pg::Invariant> Invariants();

}  // namespace paymesh::routing
