// The operator's commands that let expiry pass over a halted chain, and take that back. For main.
#pragma once

namespace paymesh::checkout {

// Exit code 0, or 2 with one line on stderr.
int RunWaive(int argc, char** argv);

}  // namespace paymesh::checkout
