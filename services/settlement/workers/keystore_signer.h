// A signer whose key lies in an encrypted keystore file (Web3 secret storage), decrypted once at
// the start with a password from another file. Any thread.
#pragma once

#include <memory>
#include <string>

#include "common/error/error.h"
#include "common/evm/signing/signature.h"
#include "services/settlement/workers/sender_ports.h"

namespace paymesh::settlement {

class KeystoreSigner final : public Signer {
 public:
  // Reads both files; slow on purpose. The password file's trailing white space is not part of it.
  // NOT_FOUND KEYSTORE_FILE; else as evm::DecryptKeystore.
  static Result<std::unique_ptr<KeystoreSigner>> Open(const std::string& keystore_file,
                                                      const std::string& password_file);
  explicit KeystoreSigner(evm::PrivateKey key) : key_(std::move(key)) {}

  const evm::Address& address() const override { return key_.address(); }
  Task<Result<evm::Bytes>> Sign(evm::Transaction transaction) override;

 private:
  const evm::PrivateKey key_;
};

}  // namespace paymesh::settlement
