// What was built. Constant; any thread.
#pragma once

namespace paymesh::runtime {

// The version that the top CMakeLists.txt names, as three numbers; it is typed nowhere else.
const char* BuildVersion();

// The commit, as twelve digits; "unknown" where neither git nor the build told it.
const char* BuildRevision();

}  // namespace paymesh::runtime
