// For tests: a key that OpenSSL holds and signs with as key services do, in DER, with random nonces
// and so with an s of either half. One thread.
#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <memory>

#include "common/evm/bytes.h"
#include "common/evm/signing/signature.h"

namespace paymesh::evm {

class OpenSslKey {
 public:
  // A new one.
  explicit OpenSslKey(const char* curve = "secp256k1") : key_(EVP_EC_gen(curve)) {}

  // The same key as the rest of the house has it.
  PrivateKey ToPrivateKey() const {
    BIGNUM* secret = nullptr;
    EVP_PKEY_get_bn_param(key_.get(), OSSL_PKEY_PARAM_PRIV_KEY, &secret);
    std::array<std::uint8_t, 32> bytes{};
    BN_bn2binpad(secret, bytes.data(), 32);
    BN_clear_free(secret);
    return PrivateKey::FromBytes(bytes).value();
  }

  // SubjectPublicKeyInfo.
  Bytes PublicDer() const {
    unsigned char* out = nullptr;
    const int size = i2d_PUBKEY(key_.get(), &out);
    Bytes der(out, out + size);
    OPENSSL_free(out);
    return der;
  }
  void CompressPublicKey() {
    EVP_PKEY_set_utf8_string_param(key_.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                   "compressed");
  }

  Bytes Sign(ByteView digest) const {
    const std::unique_ptr<EVP_PKEY_CTX, Free> context(EVP_PKEY_CTX_new(key_.get(), nullptr));
    std::size_t size = 128;
    Bytes der(size);
    EVP_PKEY_sign_init(context.get());
    EVP_PKEY_sign(context.get(), der.data(), &size, digest.data(), digest.size());
    der.resize(size);
    return der;
  }

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  };
  std::unique_ptr<EVP_PKEY, Free> key_;
};

}  // namespace paymesh::evm
