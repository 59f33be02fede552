#include "services/settlement/workers/keystore_signer.h"

#include <fstream>
#include <iterator>

#include "common/evm/signing/keystore.h"

namespace paymesh::settlement {
namespace {

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error::NotFound("KEYSTORE_FILE", "cannot read " + path);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (text.size() > evm::kMaxKeystoreBytes) {
    return Error::InvalidArgument("KEYSTORE_FILE", path + " is too large to be a key file");
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<KeystoreSigner>> KeystoreSigner::Open(const std::string& keystore_file,
                                                             const std::string& password_file) {
  ASSIGN_OR_RETURN(const std::string json, ReadFile(keystore_file));
  ASSIGN_OR_RETURN(std::string password, ReadFile(password_file));
  password.erase(password.find_last_not_of(" \t\r\n") + 1);
  Result<evm::PrivateKey> key = evm::DecryptKeystore(json, password);
  std::fill(password.begin(), password.end(), '\0');
  if (!key.ok()) return key.error();
  return std::make_unique<KeystoreSigner>(std::move(key).value());
}

Task<Result<evm::Bytes>> KeystoreSigner::Sign(evm::Transaction transaction) {
  co_return evm::SignTransaction(transaction, key_).raw;
}

}  // namespace paymesh::settlement
