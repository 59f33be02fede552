#include "common/host/process_metrics.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace paymesh::runtime {
namespace {

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Memory {
  double virtual_bytes = 0, resident_bytes = 0;
};
Memory MemoryNow() {
  std::ifstream statm("/proc/self/statm");
  double total = 0, resident = 0;
  statm >> total >> resident;
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  return {total * page, resident * page};
}

double EntriesOf(const char* folder) {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    ++count;
  }
  return count;
}

}  // namespace

void RegisterProcessMetrics(Metrics& metrics) {
  auto& start = metrics.Gauge("process_start_time_seconds", "When the process started, Unix time.");
  start.Set(
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count());
  auto& cpu = metrics.Counter("process_cpu_seconds_total", "CPU time used, user and system.");
  auto& resident = metrics.Gauge("process_resident_memory_bytes", "Resident memory.");
  auto& reserved = metrics.Gauge("process_virtual_memory_bytes", "Virtual memory.");
  auto& threads = metrics.Gauge("process_threads", "Threads of the process.");
  auto& open = metrics.Gauge("process_open_fds", "Open file descriptors.");
  auto& limit = metrics.Gauge("process_max_fds", "Limit of open file descriptors.");
  metrics.OnCollect([&] {
    Follow(cpu, CpuSeconds());
    const Memory memory = MemoryNow();
    resident.Set(memory.resident_bytes);
    reserved.Set(memory.virtual_bytes);
    threads.Set(EntriesOf("/proc/self/task"));
    open.Set(EntriesOf("/proc/self/fd"));
    rlimit descriptors{};
    getrlimit(RLIMIT_NOFILE, &descriptors);
    limit.Set(static_cast<double>(descriptors.rlim_cur));
  });
}

}  // namespace paymesh::runtime
