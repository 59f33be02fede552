// What was built. Constant; any thread.
#pragma once

namespace paymesh::runtime {

// The commit, as twelve digits; "unknown" where neither git nor the build told it.
const char* BuildRevision();

}  // namespace paymesh::runtime
