#include "services/settlement/workers/kms_signer.h"

#include <utility>

#include "common/aws/credential_cache.h"
#include "common/aws/json_service.h"
#include "common/evm/signing/der.h"
#include "common/evm/signing/signature.h"

namespace paymesh::settlement {
namespace {

constexpr std::size_t kMaxResponseBytes = 64 * 1024;
constexpr std::chrono::milliseconds kStartPause{500};

http::ClientOptions HttpOptions() {
  http::ClientOptions options;
  options.max_response_bytes = kMaxResponseBytes;
  options.connect_timeout = std::chrono::milliseconds(2'000);
  options.max_idle_per_origin = 2;
  return options;
}

aws::JsonServiceOptions ServiceOptions(const KmsSignerOptions& signer) {
  aws::JsonServiceOptions options;
  options.scope = {signer.region, "kms"};
  options.endpoint =
      signer.endpoint.empty() ? aws::DefaultEndpoint("kms", signer.region) : signer.endpoint;
  options.attempt_timeout = signer.attempt_timeout;
  return options;
}

// A failure in the words of the port.
Error SignerError(const Error& error) {
  if (error.reason == "AWS_THROTTLED") {
    return Error::Unavailable("SIGNER_THROTTLED", error.message, error.retry_after);
  }
  if (error.code == ErrorCode::kUnavailable) {
    return Error::Unavailable("SIGNER_UNAVAILABLE", error.message, error.retry_after);
  }
  return Error::PermissionDenied("SIGNER_REFUSED", error.message);
}

Error BadAnswer(const Error& error) {
  return Error::Unavailable("SIGNER_BAD_ANSWER", error.message);
}

}  // namespace

struct KmsSigner::Parts {
  Parts(const KmsSignerOptions& options, std::unique_ptr<http::Client> the_client,
        std::unique_ptr<aws::CredentialSource> source, const runtime::Clock& clock,
        runtime::RandomSource& random)
      : client(std::move(the_client)),
        credentials(std::move(source), clock),
        kms(ServiceOptions(options), *client, credentials, clock, random),
        key(options.key, kms) {}

  const std::unique_ptr<http::Client> client;
  aws::CredentialCache credentials;
  aws::JsonService kms;
  aws::KmsKey key;
};

KmsSigner::KmsSigner(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
KmsSigner::~KmsSigner() = default;

Task<Result<std::unique_ptr<KmsSigner>>> KmsSigner::Open(KmsSignerOptions options,
                                                         aws::Environment environment,
                                                         const runtime::Clock& clock,
                                                         runtime::RandomSource& random) {
  auto client = std::make_unique<http::Client>(HttpOptions());
  Result<std::unique_ptr<aws::CredentialSource>> source =
      aws::ChooseCredentialSource(environment, options.region, *client);
  if (!source.ok()) co_return SignerError(source.error());
  std::unique_ptr<KmsSigner> signer(new KmsSigner(
      std::make_unique<Parts>(options, std::move(client), *std::move(source), clock, random)));
  const auto give_up = std::chrono::steady_clock::now() + options.start_timeout;
  for (;;) {
    Result<evm::Address> address = co_await signer->AskAddress();
    if (address.ok()) {
      signer->address_ = *address;
      co_return std::move(signer);
    }
    const bool again = address.error().code == ErrorCode::kUnavailable;
    if (!again || std::chrono::steady_clock::now() + kStartPause >= give_up) {
      Error error = std::move(address).error();
      error.message = "the public key of " + options.key.key_id + ": " + error.message;
      co_return error;
    }
    co_await runtime::SleepFor(kStartPause);
  }
}

Task<Result<evm::Address>> KmsSigner::AskAddress() {
  const Result<evm::Bytes> der = co_await parts_->key.PublicKey();
  if (!der.ok()) co_return SignerError(der.error());
  Result<evm::Address> address = evm::AddressOfSubjectPublicKey(*der);
  if (!address.ok()) co_return BadAnswer(address.error());
  co_return address;
}

Task<Result<evm::Bytes>> KmsSigner::Sign(evm::Transaction transaction) {
  const evm::Hash32 digest = evm::SigningHash(transaction);
  const Result<evm::Bytes> der = co_await parts_->key.Sign(digest.bytes());
  if (!der.ok()) co_return SignerError(der.error());
  const Result<evm::EcdsaScalars> scalars = evm::ParseDerSignature(*der);
  if (!scalars.ok()) co_return BadAnswer(scalars.error());
  const Result<evm::Signature> signature =
      evm::RecoverableSignature(digest, scalars->r, scalars->s, address_);
  if (!signature.ok() && signature.error().reason == "SIGNER_MISMATCH") {
    co_return Error::FailedPrecondition("SIGNER_WRONG_KEY", signature.error().message);
  }
  if (!signature.ok()) co_return BadAnswer(signature.error());
  Result<evm::SignedTransaction> made = evm::AttachSignature(transaction, *signature);
  if (!made.ok()) co_return BadAnswer(made.error());
  co_return std::move(made->raw);
}

}  // namespace paymesh::settlement
