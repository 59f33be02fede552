// DER as OpenSSL writes it, and what only looks like it.
#include "common/evm/signing/der.h"

#include <gtest/gtest.h>

#include <array>

#include "common/evm/keccak.h"
#include "common/evm/signing/openssl_key.h"
#include "common/evm/signing/signature.h"
#include "common/evm/transaction.h"

namespace paymesh::evm {
namespace {

PrivateKey KeyOf(std::uint8_t last) {
  std::array<std::uint8_t, 32> bytes{};
  bytes[31] = last;
  return PrivateKey::FromBytes(bytes).value();
}

TEST(Der, SignaturesOfOpenSslBecomeOnesThatTheChainTakes) {
  const OpenSslKey key;
  const Address address = key.ToPrivateKey().address();
  int high = 0;
  for (int i = 0; i < 200; ++i) {
    const Hash32 digest = Keccak256("message " + std::to_string(i));
    const auto scalars = ParseDerSignature(key.Sign(digest.view()));
    ASSERT_TRUE(scalars.ok()) << scalars.error().ToString();
    const auto signature = RecoverableSignature(digest, scalars->r, scalars->s, address);
    ASSERT_TRUE(signature.ok()) << signature.error().ToString();
    EXPECT_EQ(RecoverSigner(digest, *signature).value(), address);
    if (signature->s.ToU256() != scalars->s) ++high;
  }
  EXPECT_GT(high, 50);  // half of them, and OpenSSL's nonces are random
  EXPECT_LT(high, 150);
}

TEST(Der, ThePublicKeyGivesTheAddress) {
  const OpenSslKey key;
  EXPECT_EQ(AddressOfSubjectPublicKey(key.PublicDer()).value(), key.ToPrivateKey().address());
}

TEST(Der, RefusesPublicKeysOfOtherForms) {
  OpenSslKey key;
  Bytes der = key.PublicDer();
  const auto reason = [](ByteView bytes) {
    return AddressOfSubjectPublicKey(bytes).error().reason;
  };
  Bytes longer = der;
  longer.push_back(0);
  EXPECT_EQ(reason(longer), "INVALID_DER");
  EXPECT_EQ(reason(ByteView(der).first(87)), "INVALID_DER");
  EXPECT_EQ(reason({}), "INVALID_DER");
  EXPECT_EQ(reason(OpenSslKey("prime256v1").PublicDer()), "INVALID_DER");
  der.back() ^= 1;
  EXPECT_EQ(reason(der), "INVALID_KEY");
  key.CompressPublicKey();
  EXPECT_EQ(reason(key.PublicDer()), "INVALID_DER");
}

TEST(Der, RefusesEverySignatureThatIsNotTheOneEncoding) {
  ASSERT_TRUE(ParseDerSignature(HexDecode("0x3006020101020101").value()).ok());
  ASSERT_TRUE(ParseDerSignature(HexDecode("0x3008020200800202007f").value()).error().reason ==
              "INVALID_DER");  // 0x007f is padded
  for (const char* text : {
           "0x",                    // nothing
           "0x30",                  // no length
           "0x3000",                // no integers
           "0x3106020101020101",    // a set
           "0x300602010102010100",  // something after it
           "0x3007020101020101",    // the sequence says more than there is
           "0x3005020101020101",    // the sequence says less
           "0x308106020101020101",  // long form where the short one does
           "0x3080020101020101"
           "0000",                      // indefinite length
           "0x3009020101020101020101",  // three integers
           "0x3003020101",              // one integer
           "0x3006020181020101",        // negative
           "0x300702020001020101",      // padded
           "0x30050200020101",          // an integer without bytes
           "0x3006020101030101",        // a bit string for s
       }) {
    EXPECT_EQ(ParseDerSignature(HexDecode(text).value()).error().reason, "INVALID_DER") << text;
  }
  Bytes wide = {0x30, 0x26, 0x02, 0x21, 0x01};  // 2^256
  wide.resize(37, 0x00);
  wide.insert(wide.end(), {0x02, 0x01, 0x01});
  EXPECT_EQ(ParseDerSignature(wide).error().reason, "INVALID_DER");
}

TEST(Der, EveryCutOfASignatureIsRefused) {
  const Bytes der = OpenSslKey().Sign(Keccak256("x").view());
  for (std::size_t size = 0; size < der.size(); ++size) {
    EXPECT_FALSE(ParseDerSignature(ByteView(der).first(size)).ok()) << size;
  }
}

TEST(RecoverableSignature, RefusesAnotherSignerAndScalarsOutOfRange) {
  const PrivateKey key = KeyOf(7);
  const Hash32 digest = Keccak256("x");
  const Signature made = key.Sign(digest);
  const U256 r = made.r.ToU256();
  const U256 s = made.s.ToU256();
  const auto reason = [&](const U256& a, const U256& b, const Address& signer) {
    const auto result = RecoverableSignature(digest, a, b, signer);
    return result.ok() ? "" : result.error().reason;
  };
  EXPECT_EQ(RecoverableSignature(digest, r, s, key.address()).value(), made);
  EXPECT_EQ(reason(r, s, KeyOf(8).address()), "SIGNER_MISMATCH");
  EXPECT_EQ(reason(U256(), s, key.address()), "INVALID_SIGNATURE");
  EXPECT_EQ(reason(r, U256(), key.address()), "INVALID_SIGNATURE");
  EXPECT_EQ(reason(U256::Max(), s, key.address()), "INVALID_SIGNATURE");
  EXPECT_EQ(reason(r, U256::Max(), key.address()), "INVALID_SIGNATURE");
}

TEST(AttachSignature, MakesTheBytesThatSigningHereMakes) {
  const PrivateKey key = KeyOf(7);
  Transaction transaction;
  transaction.chain_id = 31337;
  transaction.nonce = 4;
  transaction.gas_limit = 21'000;
  transaction.max_fee_per_gas = U256(9);
  transaction.to = key.address();
  const SignedTransaction here = SignTransaction(transaction, key);
  const auto elsewhere = AttachSignature(transaction, here.signature);
  ASSERT_TRUE(elsewhere.ok());
  EXPECT_EQ(elsewhere->raw, here.raw);
  EXPECT_EQ(elsewhere->hash, here.hash);
  EXPECT_EQ(elsewhere->from, key.address());
}

}  // namespace
}  // namespace paymesh::evm
