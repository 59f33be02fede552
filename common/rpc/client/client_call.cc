#include "common/rpc/client/client_call.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/error/status.h"
#include "common/rpc/tracing.h"
#include "common/runtime/resume.h"

namespace paymesh::rpc {
namespace {
using std::chrono::steady_clock;
using std::chrono::system_clock;

Task<Status> ToStatus(Task<grpc::Status> call) {
  const grpc::Status status = co_await std::move(call);
  if (status.ok()) co_return Status();
  co_return FromGrpc(status);
}
}  // namespace

trace::Span CallOptions::StartSpan(const google::protobuf::Descriptor& request) const {
  trace::Tracer* const recorder = TracerOf();
  if (recorder == nullptr) return {};
  if (parent != nullptr) return StartClientSpan(*recorder, {&parent->trace(), 1}, request);
  return causes.empty() ? trace::Span() : StartClientSpan(*recorder, causes, request);
}

void PrepareContext(grpc::ClientContext& context, const CallOptions& options,
                    const trace::Span& span) {
  std::optional<steady_clock::duration> left;
  if (options.timeout.count() > 0) left = options.timeout;
  if (options.parent != nullptr) {
    if (const auto deadline = options.parent->deadline()) {
      // A tenth stays behind, so that the caller can still answer when the peer is too late.
      const auto remaining = (*deadline - steady_clock::now()) * 9 / 10;
      left = left ? std::min(*left, remaining) : remaining;
    }
  }
  const trace::Tracer* const tracer = options.TracerOf();
  if (tracer != nullptr && tracer->propagates()) SendContext(context, span);
  if (left) {
    context.set_deadline(system_clock::now() +
                         std::chrono::duration_cast<system_clock::duration>(*left));
  }
  if (!options.authorization.empty()) {
    context.AddMetadata("authorization", std::string(options.authorization));
  }
}

Task<Status> AwaitCall(std::function<void(std::function<void(grpc::Status)>)> start,
                       std::shared_ptr<grpc::ClientContext> context) {
  std::function<void(runtime::Resume<grpc::Status>)> begin =
      [start = std::move(start)](runtime::Resume<grpc::Status> resume) {
        start(std::move(resume));
      };
  std::function<void()> cancel = [context = std::move(context)] { context->TryCancel(); };
  return ToStatus(runtime::Suspend<grpc::Status>(std::move(begin), std::move(cancel)));
}

struct StreamReaderBase::Impl {
  runtime::Resume<bool> waiter;
  std::optional<Status> ended;
};

StreamReaderBase::StreamReaderBase() : impl_(std::make_unique<Impl>()) {}
StreamReaderBase::~StreamReaderBase() = default;

Task<Status> StreamReaderBase::WaitReady() {
  std::function<void(runtime::Resume<bool>)> begin = [this](runtime::Resume<bool> resume) {
    {
      std::lock_guard lock(mutex_);
      if (count_ == 0 && !impl_->ended) {
        impl_->waiter = std::move(resume);
        return;
      }
    }
    resume(true);
  };
  const std::function<void()> cancel = [this] { Cancel(); };
  for (;;) {
    Task<bool> wait = runtime::Suspend<bool>(begin, cancel);
    co_await std::move(wait);
    // A message may have been taken between its arrival and its Wake, which then woke the next
    // wait.
    std::lock_guard lock(mutex_);
    if (count_ > 0 || impl_->ended) co_return impl_->ended.value_or(Status());
  }
}

void StreamReaderBase::Wake() {
  runtime::Resume<bool> waiter;
  {
    std::lock_guard lock(mutex_);
    waiter = std::exchange(impl_->waiter, nullptr);
  }
  if (waiter) waiter(true);
}

void StreamReaderBase::Ended(const grpc::Status& status) {
  EndClientSpan(span_, status);
  {
    std::lock_guard lock(mutex_);
    impl_->ended = status.ok() ? Status() : Status(FromGrpc(status));
  }
  Wake();
}

}  // namespace paymesh::rpc
