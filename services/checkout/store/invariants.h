// What must not be in checkout's database. Any thread.
#pragma once

#include <span>

#include "common/pg/invariant_worker.h"

namespace paymesh::checkout {

std::span<const pg::Invariant> Invariants();

}  // namespace paymesh::checkout
