// What a running watcher is made of, and the operator's command that lets a halted chain go on.
#pragma once

#include <memory>
#include <string>

#include "common/host/host.h"
#include "services/watcher/config.h"

namespace paymesh::watcher {

Result<std::unique_ptr<runtime::ServiceParts>> Build(runtime::Host& host, const Config& config);

// Applies the schema's migrations.
Status MigrateSchema(runtime::Host& host);

// Runs the use case resume_chain in the configured database.
Status ResumeHaltedChain(const runtime::CommonConfig& config, const std::string& chain,
                         const std::string& actor);

}  // namespace paymesh::watcher
