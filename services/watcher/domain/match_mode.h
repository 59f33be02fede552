// Which transfers of the listed tokens a chain's follower records. Plain value; any thread.
#pragma once

namespace paymesh::watcher {

enum class MatchMode {
  kWatched,  // those to a watched address
  kAll,      // every one
};

}  // namespace paymesh::watcher
