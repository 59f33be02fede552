#include "common/host/process_metrics.h"

#include <gtest/gtest.h>

#include <string>

namespace paymesh::runtime {
namespace {

TEST(ProcessMetrics, AreThere) {
  Metrics metrics;
  RegisterProcessMetrics(metrics);
  const std::string text = metrics.Render();
  for (const char* name : {"process_cpu_seconds_total", "process_resident_memory_bytes",
                           "process_virtual_memory_bytes", "process_threads", "process_open_fds",
                           "process_max_fds", "process_start_time_seconds"}) {
    EXPECT_NE(text.find(std::string("\n") + name + " "), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace paymesh::runtime
