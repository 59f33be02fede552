#include "services/payctl/connection.h"

#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <cstdlib>

#include "common/error/status.h"

namespace paymesh::payctl {
namespace {

namespace pb = google::protobuf;

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

Result<std::string> ToBytes(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return Error::Internal("an answer cannot be read");
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

Status Parse(const grpc::ByteBuffer& buffer, pb::Message& message) {
  ASSIGN_OR_RETURN(const std::string bytes, ToBytes(buffer));
  if (!message.ParseFromString(bytes)) {
    return Error::Internal("the answer is no " + message.GetTypeName());
  }
  return {};
}

Status Outcome(const grpc::Status& status) {
  if (status.ok()) return {};
  return rpc::FromGrpc(status);
}

// Waits for the one operation that is under way; false when it failed.
bool Wait(grpc::CompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  return queue.Next(&tag, &ok) && ok;
}

void* const kTag = nullptr;

Status Unary(grpc::GenericStub& stub, grpc::ClientContext& context, const std::string& path,
             const std::string& request, grpc::ByteBuffer& reply) {
  grpc::CompletionQueue queue;
  grpc::Status status;
  auto call = stub.PrepareUnaryCall(&context, path, ToBuffer(request), &queue);
  call->StartCall();
  call->Finish(&reply, &status, kTag);
  Wait(queue);
  return Outcome(status);
}

}  // namespace

MethodName MethodOf(const pb::Message& request) {
  const pb::Descriptor* type = request.GetDescriptor();
  const pb::FileDescriptor* file = type->file();
  for (int i = 0; i < file->service_count(); ++i) {
    const pb::ServiceDescriptor* service = file->service(i);
    for (int j = 0; j < service->method_count(); ++j) {
      if (service->method(j)->input_type() != type) continue;
      constexpr std::string_view kPackage = "paymesh.";
      std::string peer = file->package().substr(kPackage.size());
      peer.resize(peer.find('.'));
      return {peer, "/" + service->full_name() + "/" + service->method(j)->name()};
    }
  }
  std::abort();
}

struct Connection::Impl {
  ConnectionOptions options;
  std::map<std::string, std::unique_ptr<grpc::GenericStub>> stubs;

  Result<grpc::GenericStub*> StubOf(const std::string& peer) {
    auto& stub = stubs[peer];
    if (stub != nullptr) return stub.get();
    const auto address = options.addresses.find(peer);
    if (address == options.addresses.end() || address->second.empty()) {
      return Error::InvalidArgument(
          "ADDRESS_MISSING",
          "where " + peer + " is is not known: give --address " + peer + "=HOST:PORT");
    }
    rpc::ChannelOptions channel{.target = address->second};
    const auto identity = options.identities.find(peer);
    if (identity != options.identities.end() && !identity->second.empty()) {
      channel.expected_spiffe_id = identity->second;
    }
    stub = std::make_unique<grpc::GenericStub>(rpc::MakeChannel(options.tls, channel));
    return stub.get();
  }

  void Prepare(grpc::ClientContext& context) const {
    if (!options.api_key.empty()) {
      context.AddMetadata("authorization", "Bearer " + options.api_key);
    }
  }
};

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::Open(ConnectionOptions options) {
  RETURN_IF_ERROR(rpc::CheckTlsFiles(options.tls));
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  return std::unique_ptr<Connection>(new Connection(std::move(impl)));
}

Status Connection::Call(const pb::Message& request, pb::Message& reply) {
  const MethodName method = MethodOf(request);
  ASSIGN_OR_RETURN(grpc::GenericStub * stub, impl_->StubOf(method.peer));
  grpc::ClientContext context;
  impl_->Prepare(context);
  context.set_deadline(std::chrono::system_clock::now() + impl_->options.timeout);
  grpc::ByteBuffer buffer;
  RETURN_IF_ERROR(Unary(*stub, context, method.path, request.SerializeAsString(), buffer));
  return Parse(buffer, reply);
}

Status Connection::Stream(const pb::Message& request, pb::Message& reply,
                          const std::function<bool()>& on_reply) {
  const MethodName method = MethodOf(request);
  ASSIGN_OR_RETURN(grpc::GenericStub * stub, impl_->StubOf(method.peer));
  grpc::ClientContext context;
  impl_->Prepare(context);
  grpc::CompletionQueue queue;
  auto stream = stub->PrepareCall(&context, method.path, &queue);
  stream->StartCall(kTag);
  bool alive = Wait(queue);
  if (alive) {
    stream->WriteLast(ToBuffer(request.SerializeAsString()), grpc::WriteOptions(), kTag);
    alive = Wait(queue);
  }
  Status parsed;
  bool wanted = true;
  while (alive && wanted && parsed.ok()) {
    grpc::ByteBuffer buffer;
    stream->Read(&buffer, kTag);
    alive = Wait(queue);
    if (!alive) break;
    parsed = Parse(buffer, reply);
    wanted = parsed.ok() && on_reply();
  }
  if (alive) context.TryCancel();
  grpc::Status status;
  stream->Finish(&status, kTag);
  Wait(queue);
  if (!parsed.ok()) return parsed;
  return wanted ? Outcome(status) : Status();
}

Result<std::string> CheckHealth(const std::string& address, std::string_view service,
                                std::chrono::milliseconds timeout) {
  if (address.empty()) return Error::InvalidArgument("ADDRESS_MISSING", "no health address");
  grpc::GenericStub stub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  // HealthCheckRequest is one string, HealthCheckResponse one enum, both in field 1.
  std::string request("\x0a", 1);
  request += static_cast<char>(service.size());
  request += service;
  grpc::ByteBuffer reply;
  RETURN_IF_ERROR(Unary(stub, context, "/grpc.health.v1.Health/Check", request, reply));
  ASSIGN_OR_RETURN(const std::string bytes, ToBytes(reply));
  const int state = bytes.size() == 2 && bytes[0] == '\x08' ? bytes[1] : 0;
  switch (state) {
    case 1:
      return std::string("SERVING");
    case 2:
      return std::string("NOT_SERVING");
    case 3:
      return std::string("SERVICE_UNKNOWN");
    default:
      return std::string("UNKNOWN");
  }
}

}  // namespace paymesh::payctl
