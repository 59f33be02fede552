// What must not be in the watcher's database. Any thread.
#pragma once

#include <span>

#include "common/pg/invariant_worker.h"

namespace paymesh::watcher {

std::span<const pg::Invariant> Invariants();

}  // namespace paymesh::watcher
