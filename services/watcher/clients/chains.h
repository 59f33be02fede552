// The chains as the api knows them: configuration and a way to the nodes. Immutable; any thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/config/chains.h"
#include "common/error/error.h"
#include "services/watcher/clients/node_client.h"
#include "services/watcher/reasons.h"

namespace paymesh::watcher {

struct ChainHandle {
  runtime::ChainConfig config;
  NodeClient* node = nullptr;
};

class Chains {
 public:
  void Add(std::string chain, ChainHandle handle) {
    chains_.emplace(std::move(chain), std::move(handle));
  }
  // NOT_FOUND CHAIN_NOT_FOUND.
  Result<const ChainHandle*> Find(const std::string& chain) const {
    const auto found = chains_.find(chain);
    if (found == chains_.end()) {
      return Error::NotFound(std::string(reasons::kChainNotFound), "there is no such chain here");
    }
    return &found->second;
  }
  const std::map<std::string, ChainHandle>& all() const { return chains_; }

 private:
  std::map<std::string, ChainHandle> chains_;
};

}  // namespace paymesh::watcher
