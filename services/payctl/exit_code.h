// What payctl's exit tells a script. Pure; any thread.
#pragma once

#include "common/error/error.h"

namespace paymesh::payctl {

enum class ExitCode {
  kOk = 0,
  kFailure = 1,
  kUsage = 2,  // the command line or a field of the request is wrong
  kNotFound = 3,
  kNotAllowed = 4,   // who you are is unknown or may not do this
  kConflict = 5,     // the state of things forbids it, or another call got there first
  kUnavailable = 6,  // no answer in time; the same command may be repeated
  kInterrupted = 130,
};

ExitCode ExitCodeOf(const Error& error);

}  // namespace paymesh::payctl
