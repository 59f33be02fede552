#include "common/evm/signing/keystore.h"

#include <gtest/gtest.h>

#include "common/evm/testing/vectors.h"

namespace paymesh::evm {
namespace {

using boost::json::object;
using boost::json::value;
using vectors::Cases;
using vectors::Text;

object FirstVector() { return Cases("keystore")[0].as_object(); }

std::string ReasonOf(const object& file, const std::string& password) {
  const Result<PrivateKey> key = DecryptKeystore(boost::json::serialize(file), password);
  return key.ok() ? "OK" : key.error().reason;
}

TEST(Keystore, OpensFilesThatOthersMade) {
  int seen = 0;
  for (const value& entry : Cases("keystore")) {
    const object& vector = entry.as_object();
    SCOPED_TRACE(Text(vector, "name"));
    ++seen;
    const Result<PrivateKey> key =
        DecryptKeystore(boost::json::serialize(vector.at("keystore")), Text(vector, "password"));
    ASSERT_TRUE(key.ok()) << key.error().message;
    EXPECT_EQ(HexEncode(key->secret()), Text(vector, "privateKey"));
    EXPECT_EQ(key->address().ToChecksum(), Text(vector, "address"));
  }
  EXPECT_EQ(seen, 4);
}

TEST(Keystore, SaysWhenThePasswordIsWrong) {
  const object vector = FirstVector();
  const object& file = vector.at("keystore").as_object();
  EXPECT_EQ(ReasonOf(file, ""), "WRONG_PASSWORD");
  EXPECT_EQ(ReasonOf(file, Text(vector, "password") + " "), "WRONG_PASSWORD");
}

TEST(Keystore, IsRefusedWhenTamperedWith) {
  const object vector = FirstVector();
  const std::string password = Text(vector, "password");
  const object good = vector.at("keystore").as_object();
  const auto with = [&](const std::string& pointer, value replacement) {
    value file = good;
    file.at_pointer(pointer) = std::move(replacement);
    return ReasonOf(file.as_object(), password);
  };
  EXPECT_EQ(with("/crypto/kdfparams/n", 1024), "OK");
  EXPECT_EQ(with("/crypto/ciphertext", boost::json::string(64, '0')), "WRONG_PASSWORD");
  EXPECT_EQ(with("/address", "70997970c51812dc3a010c7d01b50e0d17dc79c8"), "INVALID_KEYSTORE");
  EXPECT_EQ(with("/version", 1), "INVALID_KEYSTORE");
  EXPECT_EQ(with("/crypto", "none"), "INVALID_KEYSTORE");
  EXPECT_EQ(with("/crypto/cipher", "aes-256-gcm"), "INVALID_KEYSTORE");
  EXPECT_EQ(with("/crypto/cipherparams/iv", "00"), "INVALID_KEYSTORE");
  EXPECT_EQ(with("/crypto/mac", "zz"), "INVALID_KEYSTORE");
  EXPECT_EQ(with("/crypto/kdf", "argon2"), "INVALID_KEYSTORE");
  EXPECT_EQ(with("/crypto/kdfparams/dklen", 16), "INVALID_KEYSTORE");
  EXPECT_EQ(with("/crypto/kdfparams/salt", ""), "INVALID_KEYSTORE");
}

TEST(Keystore, RefusesToSpendMoreThanItsLimits) {
  const object vector = FirstVector();
  const auto with = [&](const char* name, std::int64_t cost) {
    value file = vector.at("keystore");
    file.at_pointer("/crypto/kdfparams").as_object()[name] = cost;
    return ReasonOf(file.as_object(), Text(vector, "password"));
  };
  for (const std::int64_t n : {std::int64_t{0}, std::int64_t{1}, std::int64_t{1000},
                               std::int64_t{1} << 20, std::int64_t{1} << 62, std::int64_t{-1}}) {
    EXPECT_EQ(with("n", n), "INVALID_KEYSTORE") << n;
  }
  EXPECT_EQ(with("r", std::int64_t{1} << 40), "INVALID_KEYSTORE");
  EXPECT_EQ(with("r", 0), "INVALID_KEYSTORE");
  EXPECT_EQ(with("p", 17), "INVALID_KEYSTORE");
  EXPECT_EQ(with("p", 0), "INVALID_KEYSTORE");
}

TEST(Keystore, IsRefusedWhenNotAKeystore) {
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("[]"), std::string("{\"version\":3}"),
        std::string("null"), std::string("{\"version\":3,}"),
        std::string(kMaxKeystoreBytes + 1, ' '), std::string(10'000, '[')}) {
    EXPECT_EQ(DecryptKeystore(text, "x").error().reason, "INVALID_KEYSTORE");
  }
}

TEST(Keystore, OpensWhatItWrote) {
  const PrivateKey key = PrivateKey::FromBytes(Bytes(32, 9)).value();
  KeystoreParameters parameters;
  parameters.scrypt_n = 1024;
  parameters.salt.fill(1);
  parameters.initialization_vector.fill(2);
  parameters.uuid.fill(0xff);
  const std::string file = EncryptKeystore(key, "pass", parameters).value();
  EXPECT_EQ(DecryptKeystore(file, "pass")->address(), key.address());
  EXPECT_EQ(DecryptKeystore(file, "Pass").error().reason, "WRONG_PASSWORD");
  const object parsed = boost::json::parse(file).as_object();
  EXPECT_EQ(Text(parsed, "id"), "ffffffff-ffff-4fff-bfff-ffffffffffff");
  EXPECT_EQ(file.find(HexEncodeBare(key.secret())), std::string::npos);
  parameters.scrypt_n = 1000;
  EXPECT_EQ(EncryptKeystore(key, "pass", parameters).error().reason, "INVALID_KEYSTORE");
}

// What another writer makes of the same input, byte for byte.
TEST(Keystore, WritesWhatOthersWrite) {
  const object vector = FirstVector();
  const object& crypto = vector.at("keystore").at("crypto").as_object();
  const auto fill = [](auto& out, const std::string& hex) {
    const Bytes bytes = HexDecodeBare(hex).value();
    std::copy(bytes.begin(), bytes.end(), out.begin());
  };
  KeystoreParameters parameters;
  parameters.scrypt_n = 1024;
  fill(parameters.salt, Text(crypto.at("kdfparams").as_object(), "salt"));
  fill(parameters.initialization_vector, Text(crypto.at("cipherparams").as_object(), "iv"));
  fill(parameters.uuid, "3198bc9c66724ab399954942343ae5b6");
  const PrivateKey key = PrivateKey::FromBytes(vectors::Hex(vector, "privateKey")).value();
  const std::string file = EncryptKeystore(key, Text(vector, "password"), parameters).value();
  EXPECT_EQ(boost::json::parse(file), vector.at("keystore"));
}

}  // namespace
}  // namespace paymesh::evm
