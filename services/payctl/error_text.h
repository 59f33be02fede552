// An error as payctl prints it: reason, message, each field that is wrong, and what to do next.
// Pure; any thread.
#pragma once

#include <string>

#include "common/error/error.h"

namespace paymesh::payctl {

// Several lines, each ended; without colour.
std::string ErrorText(const Error& error);

// What to do about it, or empty.
std::string HintFor(const Error& error);

}  // namespace paymesh::payctl
