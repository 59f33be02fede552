// Settlement's own configuration, beside the common part.
#pragma once

#include "common/config/config.h"
#include "services/settlement/money_out_config.h"

namespace paymesh::settlement {

// The ledger is posted from evidence and has nothing to set.
struct Config {
  MoneyOutConfig money_out;
};

// Problems stay in the node.
Config ReadConfig(const runtime::ConfigNode& root);

}  // namespace paymesh::settlement
