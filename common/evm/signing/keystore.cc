#include "common/evm/signing/keystore.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "common/evm/keccak.h"

namespace paymesh::evm {
namespace {

namespace json = boost::json;

constexpr std::size_t kDerivedBytes = 32;
constexpr std::size_t kIvBytes = 16;
constexpr std::uint64_t kMaxScryptMemory = 512ull * 1024 * 1024;
constexpr std::uint64_t kMaxScryptParallelism = 16;
constexpr std::uint64_t kMaxPbkdf2Rounds = 10'000'000;
constexpr std::size_t kMaxSaltBytes = 64;

Error BadFile(std::string why) {
  return Error::InvalidArgument("INVALID_KEYSTORE", std::move(why));
}

// Secret bytes that are wiped when they go.
template <std::size_t N>
struct Secret {
  std::array<std::uint8_t, N> bytes{};
  Secret() = default;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};
using DerivedKey = Secret<kDerivedBytes>;

// ---- Key derivation

// scrypt's cost: memory is 128 * n * r bytes, time grows with p besides.
struct ScryptCost {
  std::uint64_t n;
  std::uint64_t r;
  std::uint64_t p;
};

Status CheckCost(const ScryptCost& cost) {
  if (cost.n < 2 || !std::has_single_bit(cost.n) || cost.r == 0 || cost.p == 0) {
    return BadFile("scrypt's n must be a power of two, r and p positive");
  }
  if (cost.r > kMaxScryptMemory / 128 || cost.n > kMaxScryptMemory / (128 * cost.r) ||
      cost.p > kMaxScryptParallelism) {
    return BadFile("scrypt's cost is above 512 MiB or 16 passes");
  }
  return {};
}

Status Scrypt(std::string_view password, ByteView salt, const ScryptCost& cost, DerivedKey& out) {
  RETURN_IF_ERROR(CheckCost(cost));
  // OpenSSL counts its small buffers too.
  const std::uint64_t limit = kMaxScryptMemory + 16ull * 1024 * 1024;
  if (EVP_PBE_scrypt(password.data(), password.size(), salt.data(), salt.size(), cost.n, cost.r,
                     cost.p, limit, out.bytes.data(), out.bytes.size()) != 1) {
    return BadFile("scrypt refuses the parameters");
  }
  return {};
}

Status Pbkdf2(std::string_view password, ByteView salt, std::uint64_t rounds, DerivedKey& out) {
  if (rounds == 0 || rounds > kMaxPbkdf2Rounds) return BadFile("PBKDF2's rounds are unreasonable");
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt.data(),
                        static_cast<int>(salt.size()), static_cast<int>(rounds), EVP_sha256(),
                        static_cast<int>(out.bytes.size()), out.bytes.data()) != 1) {
    return BadFile("PBKDF2 refuses the parameters");
  }
  return {};
}

// ---- Cipher

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

// AES-128-CTR under the first half of the derived key; encrypting and decrypting are the same.
Status ApplyCipher(const DerivedKey& key, ByteView iv, std::span<const std::uint8_t, 32> in,
                   std::span<std::uint8_t, 32> out) {
  const std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> context(EVP_CIPHER_CTX_new());
  int size = 0;
  if (context == nullptr ||
      EVP_EncryptInit_ex(context.get(), EVP_aes_128_ctr(), nullptr, key.bytes.data(), iv.data()) !=
          1 ||
      EVP_EncryptUpdate(context.get(), out.data(), &size, in.data(), 32) != 1 || size != 32) {
    return BadFile("the cipher failed");
  }
  return {};
}

// keccak256 over the second half of the derived key and the ciphertext.
Hash32 Mac(const DerivedKey& key, ByteView ciphertext) {
  Bytes preimage(key.bytes.begin() + 16, key.bytes.end());
  Append(preimage, ciphertext);
  const Hash32 mac = Keccak256(preimage);
  OPENSSL_cleanse(preimage.data(), preimage.size());
  return mac;
}

// ---- JSON

Result<const json::object*> ObjectAt(const json::object& object, const char* name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_object()) return BadFile(std::string("lacks ") + name);
  return &value->get_object();
}

Result<std::string> TextAt(const json::object& object, const char* name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return BadFile(std::string("lacks ") + name);
  return std::string(value->get_string());
}

Result<std::uint64_t> NumberAt(const json::object& object, const char* name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_int64() || value->get_int64() < 0) {
    return BadFile(std::string("lacks ") + name);
  }
  return static_cast<std::uint64_t>(value->get_int64());
}

Result<Bytes> BytesAt(const json::object& object, const char* name, std::size_t least,
                      std::size_t most) {
  ASSIGN_OR_RETURN(const std::string text, TextAt(object, name));
  const Result<Bytes> bytes = HexDecodeBare(text);
  if (!bytes.ok() || bytes->size() < least || bytes->size() > most) {
    return BadFile(std::string("has a malformed ") + name);
  }
  return *bytes;
}

Status ExpectText(const json::object& object, const char* name, std::string_view expected) {
  ASSIGN_OR_RETURN(const std::string text, TextAt(object, name));
  if (text != expected) return BadFile(std::string("has a ") + name + " that is not supported");
  return {};
}

Status Derive(const json::object& crypto, std::string_view password, DerivedKey& out) {
  ASSIGN_OR_RETURN(const std::string kdf, TextAt(crypto, "kdf"));
  ASSIGN_OR_RETURN(const json::object* parameters, ObjectAt(crypto, "kdfparams"));
  ASSIGN_OR_RETURN(const std::uint64_t size, NumberAt(*parameters, "dklen"));
  if (size != kDerivedBytes) return BadFile("has a dklen that is not 32");
  ASSIGN_OR_RETURN(const Bytes salt, BytesAt(*parameters, "salt", 1, kMaxSaltBytes));
  if (kdf == "scrypt") {
    ScryptCost cost{};
    ASSIGN_OR_RETURN(cost.n, NumberAt(*parameters, "n"));
    ASSIGN_OR_RETURN(cost.r, NumberAt(*parameters, "r"));
    ASSIGN_OR_RETURN(cost.p, NumberAt(*parameters, "p"));
    return Scrypt(password, salt, cost, out);
  }
  if (kdf != "pbkdf2") return BadFile("has a kdf that is neither scrypt nor pbkdf2");
  RETURN_IF_ERROR(ExpectText(*parameters, "prf", "hmac-sha256"));
  ASSIGN_OR_RETURN(const std::uint64_t rounds, NumberAt(*parameters, "c"));
  return Pbkdf2(password, salt, rounds, out);
}

// The file's address, which some writers leave out and some write with 0x.
Status CheckAddress(const json::object& file, const Address& address) {
  if (file.if_contains("address") == nullptr) return {};
  ASSIGN_OR_RETURN(std::string text, TextAt(file, "address"));
  if (!text.starts_with("0x")) text.insert(0, "0x");
  const Result<Address> claimed = Address::Parse(text);
  if (!claimed.ok() || *claimed != address) {
    return BadFile("names an address that is not the one of its key");
  }
  return {};
}

Result<PrivateKey> Decrypt(const json::object& file, std::string_view password) {
  ASSIGN_OR_RETURN(const std::uint64_t version, NumberAt(file, "version"));
  if (version != 3) return BadFile("has a version that is not 3");
  ASSIGN_OR_RETURN(const json::object* crypto, ObjectAt(file, "crypto"));
  RETURN_IF_ERROR(ExpectText(*crypto, "cipher", "aes-128-ctr"));
  ASSIGN_OR_RETURN(const json::object* cipher, ObjectAt(*crypto, "cipherparams"));
  ASSIGN_OR_RETURN(const Bytes iv, BytesAt(*cipher, "iv", kIvBytes, kIvBytes));
  ASSIGN_OR_RETURN(const Bytes ciphertext, BytesAt(*crypto, "ciphertext", 32, 32));
  ASSIGN_OR_RETURN(const Bytes mac, BytesAt(*crypto, "mac", 32, 32));

  DerivedKey derived;
  RETURN_IF_ERROR(Derive(*crypto, password, derived));
  if (CRYPTO_memcmp(Mac(derived, ciphertext).bytes().data(), mac.data(), mac.size()) != 0) {
    return Error::InvalidArgument("WRONG_PASSWORD",
                                  "the password does not open this keystore, or it is damaged");
  }
  Secret<32> secret;
  RETURN_IF_ERROR(ApplyCipher(derived, iv, ByteView(ciphertext).first<32>(), secret.bytes));
  Result<PrivateKey> key = PrivateKey::FromBytes(secret.bytes);
  if (!key.ok()) return BadFile(key.error().message);
  RETURN_IF_ERROR(CheckAddress(file, key->address()));
  return key;
}

// A random (version 4) UUID of RFC 9562 out of random bytes.
std::string FormatUuid(std::array<std::uint8_t, 16> bytes) {
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  std::string text = HexEncodeBare(bytes);
  for (const std::size_t at : {20, 16, 12, 8}) text.insert(at, 1, '-');
  return text;
}

}  // namespace

Result<PrivateKey> DecryptKeystore(std::string_view text, std::string_view password) {
  if (text.size() > kMaxKeystoreBytes) return BadFile("is larger than 16 KiB");
  boost::system::error_code error;
  const json::value file = json::parse(text, error);
  if (error || !file.is_object()) return BadFile("is not a JSON object");
  return Decrypt(file.get_object(), password);
}

Result<std::string> EncryptKeystore(const PrivateKey& key, std::string_view password,
                                    const KeystoreParameters& parameters) {
  DerivedKey derived;
  RETURN_IF_ERROR(Scrypt(password, parameters.salt,
                         {parameters.scrypt_n, parameters.scrypt_r, parameters.scrypt_p}, derived));
  std::array<std::uint8_t, 32> ciphertext{};
  RETURN_IF_ERROR(
      ApplyCipher(derived, parameters.initialization_vector, key.secret().first<32>(), ciphertext));
  const json::object file{
      {"version", 3},
      {"id", FormatUuid(parameters.uuid)},
      {"address", key.address().ToHex().substr(2)},
      {"crypto",
       {{"cipher", "aes-128-ctr"},
        {"cipherparams", {{"iv", HexEncodeBare(parameters.initialization_vector)}}},
        {"ciphertext", HexEncodeBare(ciphertext)},
        {"kdf", "scrypt"},
        {"kdfparams",
         {{"dklen", kDerivedBytes},
          {"n", parameters.scrypt_n},
          {"r", parameters.scrypt_r},
          {"p", parameters.scrypt_p},
          {"salt", HexEncodeBare(parameters.salt)}}},
        {"mac", Mac(derived, ciphertext).ToHex().substr(2)}}}};
  return json::serialize(file);
}

}  // namespace paymesh::evm
