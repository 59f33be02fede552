// The commands of payctl, one file a group. Each parses its own options and gives the session an
// action. One thread.
#pragma once

#include <memory>
#include <string>

#include "services/payctl/session.h"

namespace CLI {
class App;
}

namespace paymesh::payctl {

void AddPayments(CLI::App& app, Session& session);
void AddMerchants(CLI::App& app, Session& session);  // and keys
void AddEvents(CLI::App& app, Session& session);
void AddLedger(CLI::App& app, Session& session);
void AddPayouts(CLI::App& app, Session& session);  // and plans and destinations
void AddChains(CLI::App& app, Session& session);   // and pause and health

// Lists show this many unless --limit says otherwise.
inline constexpr int kDefaultLimit = 50;

}  // namespace paymesh::payctl
