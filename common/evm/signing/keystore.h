// Encrypted key files: Web3 Secret Storage, version 3 (scrypt or PBKDF2, AES-128-CTR, keccak MAC).
// Randomness and cost are given by the caller. Slow by design: not for an I/O thread.
// Pure functions; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/error/error.h"
#include "common/evm/signing/signature.h"

namespace paymesh::evm {

inline constexpr std::size_t kMaxKeystoreBytes = 16 * 1024;

// The key in `json`. WRONG_PASSWORD when the MAC does not agree (a damaged file looks the same);
// INVALID_KEYSTORE for anything else, including an address that is not the key's and a cost above
// what this process is willing to spend (512 MiB of memory, 10 million PBKDF2 rounds).
Result<PrivateKey> DecryptKeystore(std::string_view json, std::string_view password);

struct KeystoreParameters {
  std::uint64_t scrypt_n = 1 << 17;  // 128 MiB and about half a second
  std::uint32_t scrypt_r = 8;
  std::uint32_t scrypt_p = 1;
  std::array<std::uint8_t, 32> salt{};                   // random
  std::array<std::uint8_t, 16> initialization_vector{};  // random
  std::array<std::uint8_t, 16> uuid{};                   // random; version bits are set here
};
// A keystore file in JSON. INVALID_KEYSTORE for parameters that DecryptKeystore would refuse.
Result<std::string> EncryptKeystore(const PrivateKey& key, std::string_view password,
                                    const KeystoreParameters& parameters);

}  // namespace paymesh::evm
