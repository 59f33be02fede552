// payctl, the operator's tool of a Paymesh.
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "services/payctl/exit_code.h"
#include "services/payctl/payctl.h"

namespace {

// Output is flushed row by row, so nothing is lost.
void Interrupted(int) { ::_exit(static_cast<int>(paymesh::payctl::ExitCode::kInterrupted)); }

}  // namespace

int main(int argc, char** argv) {
  ::setenv("GRPC_VERBOSITY", "NONE", 0);  // its own words would mix with ours on stderr
  struct sigaction action = {};
  action.sa_handler = &Interrupted;
  ::sigaction(SIGINT, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  std::error_code unreadable;
  paymesh::payctl::Environment environment{
      .out = std::cout,
      .err = std::cerr,
      .directory = std::filesystem::current_path(unreadable).string(),
      .out_is_terminal = ::isatty(STDOUT_FILENO) == 1,
      .err_is_terminal = ::isatty(STDERR_FILENO) == 1};
  for (const char* name : {"PAYMESH_MESH", "PAYMESH_API_KEY", "NO_COLOR"}) {
    if (const char* value = std::getenv(name)) environment.variables[name] = value;
  }
  return paymesh::payctl::RunPayctl({argv + 1, argv + argc}, std::move(environment));
}
