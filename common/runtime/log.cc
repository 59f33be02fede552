#include "common/runtime/log.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "common/runtime/clock.h"

namespace paymesh::runtime {
namespace {
constexpr std::chrono::milliseconds kFlushTime{1'000};
constexpr int kPollMilliseconds = 50;
}  // namespace

class Logger::Impl {
 public:
  explicit Impl(LoggerOptions options)
      : options_(std::move(options)), level_(options_.level), thread_([this] { Run(); }) {}

  ~Impl() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      stop_by_ = std::chrono::steady_clock::now() + kFlushTime;
    }
    wake_.notify_one();
    thread_.join();
  }

  void Write(LogLevel level, std::string_view message, std::span<const LogField> fields) {
    std::string line = RenderLogLine(options_, FormatTime(clock_.Now()), level, message, fields);
    line += '\n';
    {
      std::lock_guard lock(mutex_);
      if (queue_.size() >= options_.max_queued_lines) {
        ++dropped_;
        return;
      }
      queue_.push_back(std::move(line));
    }
    wake_.notify_one();
  }

  std::atomic<LogLevel>& level() { return level_; }
  std::uint64_t dropped() const { return dropped_; }

 private:
  void Run() {
    std::uint64_t reported = 0;
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      std::vector<std::string> lines;
      lines.swap(queue_);
      lock.unlock();
      for (const std::string& line : lines) {
        if (!WriteOut(line)) return;
      }
      if (const std::uint64_t lost = dropped_; lost != reported) {
        const LogField field("dropped", lost - reported);
        WriteOut(RenderLogLine(options_, FormatTime(clock_.Now()), LogLevel::kWarn,
                               "log lines were dropped", {&field, 1}) +
                 "\n");
        reported = lost;
      }
      lock.lock();
    }
  }

  // False when time to stop has come and nobody reads. A pipe that polls as writable takes PIPE_BUF
  // bytes without blocking, so this thread can always be joined.
  bool WriteOut(std::string_view text) {
    while (!text.empty()) {
      pollfd poll_fd{options_.fd, POLLOUT, 0};
      const int ready = ::poll(&poll_fd, 1, kPollMilliseconds);
      if (ready <= 0) {
        std::lock_guard lock(mutex_);
        if (stopping_ && std::chrono::steady_clock::now() >= stop_by_) return false;
        continue;
      }
      const ssize_t written =
          ::write(options_.fd, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
      if (written < 0) {
        if (errno == EINTR || errno == EAGAIN) continue;
        return true;  // nobody will ever read this line
      }
      text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }

  const LoggerOptions options_;
  SystemClock clock_;
  std::atomic<LogLevel> level_;
  std::atomic<std::uint64_t> dropped_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::string> queue_;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point stop_by_;
  std::thread thread_;
};

Logger::Logger(LoggerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Logger::~Logger() = default;

void Logger::Debug(std::string_view message, LogFields fields) {
  Write(LogLevel::kDebug, message, {fields.begin(), fields.size()});
}
void Logger::Info(std::string_view message, LogFields fields) {
  Write(LogLevel::kInfo, message, {fields.begin(), fields.size()});
}
void Logger::Warn(std::string_view message, LogFields fields) {
  Write(LogLevel::kWarn, message, {fields.begin(), fields.size()});
}
void Logger::Error(std::string_view message, LogFields fields) {
  Write(LogLevel::kError, message, {fields.begin(), fields.size()});
}
void Logger::Write(LogLevel level, std::string_view message, std::span<const LogField> fields) {
  if (Enabled(level)) impl_->Write(level, message, fields);
}

bool Logger::Enabled(LogLevel level) const { return level >= impl_->level().load(); }
LogLevel Logger::level() const { return impl_->level(); }
void Logger::set_level(LogLevel level) { impl_->level() = level; }
std::uint64_t Logger::dropped() const { return impl_->dropped(); }

}  // namespace paymesh::runtime
