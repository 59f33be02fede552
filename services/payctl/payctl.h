// The whole program but for main: parses, runs, reports. One thread.
#pragma once

#include <string>
#include <vector>

#include "services/payctl/session.h"

namespace paymesh::payctl {

// `arguments` without the program's name. Returns the exit code (exit_code.h).
int RunPayctl(const std::vector<std::string>& arguments, Environment environment);

}  // namespace paymesh::payctl
