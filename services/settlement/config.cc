#include "services/settlement/config.h"

namespace paymesh::settlement {

Config ReadConfig(const runtime::ConfigNode& root) { return {ReadMoneyOutConfig(root)}; }

}  // namespace paymesh::settlement
