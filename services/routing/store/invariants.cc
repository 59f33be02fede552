#include "services/routing/store/invariants.h"

namespace paymesh::routing {
namespace {

constexpr pg::Invariant kInvariants[] = {
    // Each decision offers something, or says why not.
    {"routing_unexplained_decision",
     "SELECT count(*) AS n FROM decision WHERE option_count = 0 AND rejected_count = 0"},
};

}  // namespace

std::span<const pg::Invariant> Invariants() { return kInvariants; }

}  // namespace paymesh::routing
