// For tests: where the repository's files are.
#pragma once

#include <string>

namespace paymesh {

// The absolute path of a file below the repository's root, `path` as "/protos/README.md". The root
// is that of the checkout that was built; only this one unit knows it, so that a compiler cache is
// of use to a second checkout.
std::string SourcePath(const std::string& path);

}  // namespace paymesh
