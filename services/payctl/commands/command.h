// How a command is added: its options are bound to an Arguments of its own, which lives as long as
// the command. One thread.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "services/payctl/commands/commands.h"

namespace paymesh::payctl {

template <class Arguments>
struct NewCommand {
  CLI::App* app;
  Arguments* arguments;
};

// `run` gets the arguments after the whole line is parsed.
template <class Arguments>
NewCommand<Arguments> AddCommand(CLI::App& parent, Session& session, const std::string& name,
                                 const std::string& help,
                                 Status (*run)(Session&, const Arguments&)) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = parent.add_subcommand(name, help);
  app->callback([&session, arguments, run] {
    session.Choose([arguments, run](Session& chosen) { return run(chosen, *arguments); });
  });
  return {app, arguments.get()};
}

inline CLI::App* AddGroup(CLI::App& app, const std::string& name, const std::string& help) {
  CLI::App* group = app.add_subcommand(name, help);
  group->require_subcommand(1);
  return group;
}

inline void AddLimit(CLI::App& command, int& limit) {
  constexpr int kMost = 1'000'000;
  command.add_option("--limit", limit, "at most so many")->check(CLI::Range(1, kMost));
}

// For commands without options.
struct NoArguments {};

}  // namespace paymesh::payctl
