// The process itself as metrics: process_cpu_seconds_total, process_resident_memory_bytes,
// process_virtual_memory_bytes, process_threads, process_open_fds, process_max_fds,
// process_start_time_seconds. Any thread.
#pragma once

#include "common/runtime/metrics.h"

namespace paymesh::runtime {

void RegisterProcessMetrics(Metrics& metrics);

}  // namespace paymesh::runtime
