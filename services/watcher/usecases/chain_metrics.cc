#include "services/watcher/usecases/chain_metrics.h"

namespace paymesh::watcher {

ChainMetrics::ChainMetrics(runtime::Metrics& metrics, const std::string& chain)
    : leader(metrics.Gauge("watcher_leader", "1 where this process follows the chain",
                           {{"chain", chain}})),
      halted(metrics.Gauge("watcher_chain_halted", "1 while a contradiction stops the chain",
                           {{"chain", chain}})),
      unreachable(metrics.Gauge("watcher_chain_unreachable", "1 while no node answers usefully",
                                {{"chain", chain}})),
      node_head(
          metrics.Gauge("watcher_head_block", "Height that the node reports", {{"chain", chain}})),
      indexed(
          metrics.Gauge("watcher_indexed_block", "Height that was fully read", {{"chain", chain}})),
      lag(metrics.Gauge("watcher_head_lag_blocks", "Blocks not read yet", {{"chain", chain}})),
      head_time(metrics.Gauge("watcher_head_block_timestamp_seconds",
                              "Timestamp of the last fully read block", {{"chain", chain}})),
      safe(metrics.Gauge("watcher_safe_block", "Highest safe block", {{"chain", chain}})),
      finalized(
          metrics.Gauge("watcher_finalized_block", "Highest final block", {{"chain", chain}})),
      watched_addresses(metrics.Gauge("watcher_watched_addresses", "Addresses loaded for matching",
                                      {{"chain", chain}})),
      tag_missing(metrics.Gauge("watcher_finality_tag_missing",
                                "1 while the node gives no finality tags", {{"chain", chain}})),
      reorgs(
          metrics.Counter("watcher_reorgs_total", "Reorganisations followed", {{"chain", chain}})),
      reorg_depth(metrics.Histogram("watcher_reorg_depth_blocks", "Blocks undone at once",
                                    {1, 2, 3, 5, 8, 13, 21, 34, 55}, {{"chain", chain}})),
      reorgs_beyond_finality(metrics.Counter("watcher_reorgs_beyond_finality_total",
                                             "Contradictions below finality; each halts the chain",
                                             {{"chain", chain}})),
      transfers(
          metrics.Counter("watcher_transfers_total", "Transfers recorded", {{"chain", chain}})),
      orphaned(metrics.Counter("watcher_transfers_orphaned_total", "Transfers orphaned",
                               {{"chain", chain}})),
      missed_logs(metrics.Counter("watcher_missed_log_total",
                                  "Logs that a later look found and an earlier one had not",
                                  {{"chain", chain}})),
      disagreements(metrics.Counter("watcher_provider_disagreements_total",
                                    "Recorded logs that a later look did not find",
                                    {{"chain", chain}})),
      confirmation(metrics.Histogram(
          "watcher_confirmation_seconds", "From a block's time to its finality",
          {1, 5, 12, 24, 60, 120, 300, 600, 900, 1800, 3600, 7200}, {{"chain", chain}})),
      commit_delay(metrics.Histogram("watcher_block_commit_seconds",
                                     "From first seeing a head to having stored it",
                                     runtime::Metrics::LatencyBuckets(), {{"chain", chain}})) {}

}  // namespace paymesh::watcher
