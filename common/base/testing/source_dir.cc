#include "common/base/testing/source_dir.h"

namespace paymesh {

std::string SourcePath(const std::string& path) { return PAYMESH_SOURCE_DIR + path; }

}  // namespace paymesh
