#include "common/rpc/server/server_call.h"

#include <grpcpp/security/auth_context.h>
#include <grpcpp/server_context.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <mutex>
#include <optional>
#include <vector>

#include "common/error/status.h"
#include "common/rpc/server/call_runner_impl.h"
#include "common/rpc/tracing.h"
#include "common/runtime/resume.h"

namespace paymesh::rpc {
namespace {
namespace asio = boost::asio;
using std::chrono::steady_clock;
using std::chrono::system_clock;

// "No deadline" arrives as a huge or, in some versions of gRPC, a negative duration.
std::optional<steady_clock::time_point> DeadlineOf(const grpc::CallbackServerContext& context) {
  const auto remaining = context.deadline() - system_clock::now();
  if (context.deadline() == system_clock::time_point::max() ||
      remaining > std::chrono::hours(8760) ||
      context.deadline() < system_clock::time_point(std::chrono::seconds(0))) {
    return std::nullopt;
  }
  return steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(remaining);
}

std::vector<std::string> UriSans(const grpc::ServerContextBase& context) {
  std::vector<std::string> uris;
  const auto auth = context.auth_context();
  if (!auth) return uris;
  for (const grpc::string_ref& uri : auth->FindPropertyValues("peer_uri")) {
    uris.emplace_back(uri.data(), uri.size());
  }
  return uris;
}

}  // namespace

class CallState : public std::enable_shared_from_this<CallState> {
 public:
  CallState(CallRunner& runner, grpc::CallbackServerContext* context,
            const google::protobuf::Descriptor& request, CallKind kind)
      : runner_(runner.impl()),
        context_(context),
        method_(runner_.Find(request)),
        kind_(kind),
        strand_(asio::make_strand(runner_.options.executor)),
        started_(steady_clock::now()) {}

  void Start(ServerCall::Body body, ServerCall::Finish finish) {
    finish_ = std::move(finish);
    CountStart();
    if (!Admit()) {
      End(nullptr, Error::Unavailable("OVERLOADED", "too many calls at once; try again later",
                                      runner_.options.limits.overload_retry_after));
      return;
    }
    if (kind_ == CallKind::kStream && !Enlist()) {
      End(nullptr, ShuttingDown());
      return;
    }
    auto completion = [self = shared_from_this()](std::exception_ptr error, Status status) {
      self->End(error, std::move(status));
    };
    asio::co_spawn(strand_, Run(std::move(body)),
                   asio::bind_cancellation_slot(cancel_.slot(), std::move(completion)));
  }

  // A message has gone out, or so gRPC believes.
  void CountSent() const {
    if (const CallMetrics* metrics = MetricsOf()) metrics->Sent();
  }

  void OnCancel() {
    asio::post(strand_, [self = shared_from_this()] { self->CancelHandler(); });
  }

 private:
  const CallMetrics* MetricsOf() const {
    return method_ != nullptr && method_->metrics ? &*method_->metrics : nullptr;
  }

  // gRPC starts a call when its request is there; a client's further attempts carry a header.
  void CountStart() const {
    const CallMetrics* metrics = MetricsOf();
    if (metrics == nullptr) return;
    metrics->Started();
    metrics->Received();
    if (context_->client_metadata().count("grpc-previous-rpc-attempts") != 0) metrics->Retried();
  }

  std::atomic<std::size_t>& InFlight() {
    return kind_ == CallKind::kUnary ? runner_.unary : runner_.streams;
  }

  bool Admit() {
    const CallLimits& limits = runner_.options.limits;
    const std::size_t most =
        kind_ == CallKind::kUnary ? limits.max_unary_in_flight : limits.max_streams;
    admitted_ = true;
    if (InFlight().fetch_add(1) < most) return true;
    InFlight().fetch_sub(1);
    admitted_ = false;
    return false;
  }

  static Error ShuttingDown() {
    return Error::Unavailable("SHUTTING_DOWN", "this server is going away; call again");
  }

  bool Enlist() {
    std::lock_guard lock(runner_.mutex);
    if (runner_.draining) return false;
    runner_.running_streams.insert(this);
    return true;
  }

  // On the strand, where alone cancellation may be emitted.
  void CancelHandler() {
    if (!finished_) cancel_.emit(asio::cancellation_type::terminal);
  }

  // The call from its first to its last line. `body` lives in this frame.
  Task<Status> Run(ServerCall::Body body) {
    Describe();
    CO_RETURN_IF_ERROR(Authorize());
    if (call_.principal_.role == Role::kEdge) {
      Status authenticated = co_await AuthenticateEdge();
      if (!authenticated.ok()) co_return authenticated;
    }
    co_return co_await body(call_);
  }

  void Describe() {
    call_.context_ = context_;
    call_.executor_ = strand_;
    if (method_ != nullptr) call_.method_ = method_->path;
    call_.deadline_ = DeadlineOf(*context_);
    call_.tracer_ = &runner_.tracer();
    call_.span_ = StartServerSpan(runner_.tracer(), call_);
    call_.traceparent_ = call_.span_.context().ToTraceparent();
    if (kind_ == CallKind::kUnary) LimitTime();
  }

  // A caller's deadline reaches us as OnCancel; only where it gave none, or too long a one, a timer
  // of our own is needed.
  void LimitTime() {
    const CallLimits& limits = runner_.options.limits;
    const auto most = started_ + (call_.deadline_ ? limits.max_deadline : limits.default_deadline);
    if (call_.deadline_ && *call_.deadline_ <= most) return;
    call_.deadline_ = most;
    timer_.emplace(strand_, most);
    timer_->async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->CancelHandler();
    });
  }

  Result<Principal> Identify() const {
    if (runner_.options.identify) return runner_.options.identify(*context_);
    if (!runner_.options.identities) {
      return Error::PermissionDenied("IDENTITY_UNKNOWN", "no identities are configured");
    }
    return runner_.options.identities->Find(UriSans(*context_));
  }

  Status Authorize() {
    ASSIGN_OR_RETURN(call_.principal_, Identify());
    if (method_ == nullptr || !runner_.options.authorizer) {
      return Error::PermissionDenied("METHOD_NOT_ALLOWED", "this method is open to nobody");
    }
    return runner_.options.authorizer->Check(method_->path, call_.principal_);
  }

  Task<Status> AuthenticateEdge() {
    constexpr std::string_view kScheme = "Bearer ";
    const auto header = call_.Metadata("authorization");
    if (!header || !header->starts_with(kScheme)) {
      co_return Error::Unauthenticated("API_KEY_MISSING",
                                       "authorization: Bearer <API key> is needed");
    }
    ApiKeyAuthenticator* authenticator =
        runner_.options.authenticator ? runner_.options.authenticator() : nullptr;
    if (authenticator == nullptr) {
      co_return Error::Unauthenticated("API_KEY_INVALID", "API keys are not accepted here");
    }
    std::string key(header->substr(kScheme.size()));
    Result<std::string> merchant = co_await authenticator->Authenticate(std::move(key));
    if (!merchant.ok()) co_return merchant.error();
    call_.principal_.merchant_id = *std::move(merchant);
    co_return Status();
  }

  // The one place where a call ends: on the strand, or before anything was started.
  void End(const std::exception_ptr& error, Status status) {
    finished_ = true;
    if (kind_ == CallKind::kStream) {
      std::lock_guard lock(runner_.mutex);
      runner_.running_streams.erase(this);
    }
    if (timer_) timer_->cancel();
    if (error) status = StatusOf(error);
    if (admitted_) InFlight().fetch_sub(1);
    Record(status);
    finish_(status.ok() ? grpc::Status::OK : ToGrpc(status.error(), runner_.options.domain));
  }

  // The only catch between a handler and the wire.
  Status StatusOf(const std::exception_ptr& error) const {
    if (!runtime::IsCancellation(error)) {
      return Error::Internal("exception: " + runtime::DescribeException(error));
    }
    if (kind_ == CallKind::kStream && runner_.draining && !context_->IsCancelled()) {
      return ShuttingDown();
    }
    Error cancelled;
    const bool late = call_.deadline_ && steady_clock::now() >= *call_.deadline_;
    cancelled.code = late ? ErrorCode::kDeadlineExceeded : ErrorCode::kCancelled;
    cancelled.reason = CodeName(cancelled.code);
    cancelled.message = late ? "the deadline has passed" : "the call was cancelled";
    return cancelled;
  }

  void Record(const Status& status) {
    const std::size_t code = status.ok() ? 0 : static_cast<std::size_t>(status.error().code);
    const std::chrono::duration<double> took = steady_clock::now() - started_;
    if (const CallMetrics* metrics = MetricsOf()) {
      if (kind_ == CallKind::kUnary && status.ok()) metrics->Sent();
      metrics->Handled(code, took, call_.sampled() ? call_.trace_id() : std::string_view());
    }
    if (runner_.options.log != nullptr) Log(status, took.count() * 1e3);
    EndServerSpan(call_.span_, status);
  }

  void Log(const Status& status, double milliseconds) const {
    const bool internal = !status.ok() && status.error().code == ErrorCode::kInternal;
    // Services poll one another: what went well between them is no news.
    const bool routine = status.ok() && call_.principal_.role == Role::kService;
    const auto level = internal  ? runtime::LogLevel::kError
                       : routine ? runtime::LogLevel::kDebug
                                 : runtime::LogLevel::kInfo;
    if (!runner_.options.log->Enabled(level)) return;
    std::vector<runtime::LogField> fields;
    fields.emplace_back("rpc", call_.method_);
    fields.emplace_back("code",
                        status.ok() ? std::string_view("OK") : CodeName(status.error().code));
    fields.emplace_back("duration_ms", milliseconds);
    fields.emplace_back("principal", call_.principal_.name);
    if (!call_.traceparent_.empty()) {
      fields.emplace_back("trace_id", call_.trace_id());
      fields.emplace_back("span_id", call_.span_id());
    }
    if (!status.ok()) {
      fields.emplace_back("reason", status.error().reason);
      fields.emplace_back("err", status.error().message);
    }
    for (const auto& [key, value] : call_.log_fields_) fields.emplace_back(key, value);
    runner_.options.log->Write(level, "call", fields);
  }

  CallRunner::Impl& runner_;
  grpc::CallbackServerContext* const context_;
  const ServedMethod* const method_;
  const CallKind kind_;
  asio::strand<runtime::Executor> strand_;
  asio::cancellation_signal cancel_;
  std::optional<asio::steady_timer> timer_;
  const steady_clock::time_point started_;
  Call call_;
  ServerCall::Finish finish_;
  bool admitted_ = false;
  bool finished_ = false;
};

ServerCall::ServerCall(CallRunner& runner, grpc::CallbackServerContext* context,
                       const google::protobuf::Descriptor& request, CallKind kind)
    : state_(std::make_shared<CallState>(runner, context, request, kind)) {}
ServerCall::~ServerCall() = default;

void ServerCall::Start(Body body, Finish finish) {
  state_->Start(std::move(body), std::move(finish));
}
void ServerCall::OnCancel() { state_->OnCancel(); }
void ServerCall::CountSent() { state_->CountSent(); }

namespace {
class UnaryReactor final : public grpc::ServerUnaryReactor {
 public:
  UnaryReactor(CallRunner& runner, grpc::CallbackServerContext* context,
               const google::protobuf::Descriptor& request)
      : call_(runner, context, request, CallKind::kUnary) {}
  void Start(ServerCall::Body body) {
    call_.Start(std::move(body), [this](grpc::Status status) { Finish(std::move(status)); });
  }
  void OnCancel() override { call_.OnCancel(); }
  void OnDone() override { delete this; }

 private:
  ServerCall call_;
};
}  // namespace

grpc::ServerUnaryReactor* StartUnary(CallRunner& runner, grpc::CallbackServerContext* context,
                                     const google::protobuf::Descriptor& request,
                                     ServerCall::Body body) {
  auto* reactor = new UnaryReactor(runner, context, request);
  reactor->Start(std::move(body));
  return reactor;
}

void CallRunner::CancelStreams() {
  std::lock_guard lock(impl_->mutex);
  impl_->draining = true;
  // Only posts; a stream leaves the set, under the same lock, before it is destroyed.
  for (CallState* stream : impl_->running_streams) stream->OnCancel();
}

struct StreamWriter::Impl {
  std::function<void(const google::protobuf::Message*)> start;
  std::function<void()> cancel;
  Message message;
  runtime::Resume<bool> resume;
};

StreamWriter::StreamWriter(std::function<void(const google::protobuf::Message*)> start,
                           std::function<void()> cancel)
    : impl_(std::make_unique<Impl>()) {
  impl_->start = std::move(start);
  impl_->cancel = std::move(cancel);
}
StreamWriter::~StreamWriter() = default;

Task<bool> StreamWriter::Write(Message message) {
  impl_->message = std::move(message);
  std::function<void(runtime::Resume<bool>)> start = [this](runtime::Resume<bool> resume) {
    impl_->resume = std::move(resume);
    impl_->start(impl_->message.get());
  };
  // A cancelled call completes its pending write with false. Where the handler is cancelled by
  // drain, the call is not yet: a reader that takes nothing must not hold up the shutdown.
  return runtime::Suspend<bool>(std::move(start), impl_->cancel);
}

void StreamWriter::WriteDone(bool ok) { std::exchange(impl_->resume, nullptr)(ok); }

}  // namespace paymesh::rpc
