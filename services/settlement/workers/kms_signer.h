// A signer whose key lies in AWS KMS and never leaves it. KMS tells r and s in DER, of either half
// and without a parity: they are brought to the chain's form, and a signature that does not recover
// the wallet's address is never given out. Any thread; one request for the key is under way at a
// time, whoever asks.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "common/aws/credential_source.h"
#include "common/aws/kms_key.h"
#include "services/settlement/workers/sender_ports.h"

namespace paymesh::settlement {

struct KmsSignerOptions {
  aws::KmsKeyOptions key;
  std::string region;
  std::string endpoint = {};  // empty: the region's own
  std::chrono::milliseconds attempt_timeout{2'500};
  // How long the start waits for a service that does not answer.
  std::chrono::milliseconds start_timeout{30'000};
};

// Reasons of failures; of all but the last two the same call may be made again later.
//   SIGNER_THROTTLED    KMS has too much to do for this account
//   SIGNER_UNAVAILABLE  no answer from KMS, or no credentials at present
//   SIGNER_BAD_ANSWER   an answer that is no strict DER, or no signature at all
//   SIGNER_REFUSED      the role may not use the key, or there is no such key of the right kind
//   SIGNER_WRONG_KEY    the signature is another key's
class KmsSigner final : public Signer {
 public:
  // Learns the wallet's address from the public key, within start_timeout and one call more. The
  // environment names the source of credentials. Clock and randomness outlive the signer, and so
  // does the io_context of its callers.
  static Task<Result<std::unique_ptr<KmsSigner>>> Open(KmsSignerOptions options,
                                                       aws::Environment environment,
                                                       const runtime::Clock& clock,
                                                       runtime::RandomSource& random);
  ~KmsSigner() override;

  const evm::Address& address() const override { return address_; }
  Task<Result<evm::Bytes>> Sign(evm::Transaction transaction) override;

 private:
  struct Parts;
  explicit KmsSigner(std::unique_ptr<Parts> parts);
  Task<Result<evm::Address>> AskAddress();

  const std::unique_ptr<Parts> parts_;
  evm::Address address_;
};

}  // namespace paymesh::settlement
