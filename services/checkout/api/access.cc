#include "services/checkout/api/access.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>
#include <openssl/sha.h>

#include <memory>

#include "services/checkout/reasons.h"

namespace paymesh::checkout {
namespace {

// Maps are sorted, so that equal requests have equal bytes.
std::string DeterministicBytes(const google::protobuf::Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&out);
  }
  return bytes;
}

std::string Sha256(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

}  // namespace

Result<std::string> MerchantOf(const rpc::Principal& principal, const std::string& asked) {
  if (!principal.merchant_id) return asked;
  if (!asked.empty() && asked != *principal.merchant_id) return MerchantNotFound();
  return *principal.merchant_id;
}

bool MaySee(const rpc::Principal& principal, std::string_view merchant_id) {
  return !principal.merchant_id || *principal.merchant_id == merchant_id;
}

Result<pg::IdempotencyKey> KeyOf(const rpc::Principal& principal, const std::string& method,
                                 const google::protobuf::Message& request) {
  const auto* field = request.GetDescriptor()->FindFieldByName("request_id");
  if (field == nullptr) return Error::Internal("a mutating request has no request_id");
  const std::string request_id = request.GetReflection()->GetString(request, field);
  RETURN_IF_ERROR(pg::CheckRequestId(request_id));
  const std::unique_ptr<google::protobuf::Message> body(request.New());
  body->CopyFrom(request);
  body->GetReflection()->ClearField(body.get(), field);
  std::string caller = principal.spiffe_id;
  if (principal.merchant_id) caller += "|" + *principal.merchant_id;
  return pg::IdempotencyKey{.caller = std::move(caller),
                            .method = method,
                            .request_id = request_id,
                            .request_hash = Sha256(DeterministicBytes(*body))};
}

}  // namespace paymesh::checkout
