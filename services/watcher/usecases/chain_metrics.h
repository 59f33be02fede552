// The metrics of one chain. References into the registry; any thread.
#pragma once

#include <string>

#include "common/runtime/metrics.h"

namespace paymesh::watcher {

struct ChainMetrics {
  ChainMetrics(runtime::Metrics& metrics, const std::string& chain);

  prometheus::Gauge& leader;
  prometheus::Gauge& halted;
  prometheus::Gauge& unreachable;
  prometheus::Gauge& node_head;
  prometheus::Gauge& indexed;
  prometheus::Gauge& lag;
  prometheus::Gauge& head_time;
  prometheus::Gauge& safe;
  prometheus::Gauge& finalized;
  prometheus::Gauge& watched_addresses;
  prometheus::Gauge& tag_missing;
  prometheus::Counter& reorgs;
  prometheus::Histogram& reorg_depth;
  prometheus::Counter& reorgs_beyond_finality;
  prometheus::Counter& transfers;
  prometheus::Counter& orphaned;
  prometheus::Counter& missed_logs;
  prometheus::Counter& disagreements;
  prometheus::Histogram& confirmation;
  prometheus::Histogram& commit_delay;
};

}  // namespace paymesh::watcher
