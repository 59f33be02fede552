// Lets a halted chain be followed again from where it stands, on the record: an audit row and a
// journal entry in one transaction. When the node still contradicts what was final, the chain halts
// again at once. One thread (the transaction's).
#pragma once

#include <string>

#include "common/error/error.h"
#include "common/pg/transaction.h"

namespace paymesh::watcher {

// `actor` is who decided it. FAILED_PRECONDITION CHAIN_NOT_HALTED.
Status ResumeChain(pg::Transaction& tx, const std::string& chain, const std::string& actor);

}  // namespace paymesh::watcher
