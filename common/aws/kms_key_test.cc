// Calls of KMS, and every way in which they go wrong.
#include "common/aws/kms_key.h"

#include <gtest/gtest.h>

#include "common/aws/testing/aws_loop.h"
#include "common/evm/keccak.h"
#include "common/evm/signing/der.h"

namespace paymesh::aws {
namespace {

using namespace std::chrono_literals;

struct Kms : AwsLoop {
  explicit Kms(const char* curve = "secp256k1") : AwsLoop(curve) {}
  Result<KmsKey::Bytes> Sign() { return RunTask(key.Sign(digest.bytes())); }
  const evm::Hash32 digest = evm::Keccak256("a transaction");
  KmsKey key{KeyOptions(), kms};
};

TEST(KmsKey, SignsADigestWithTheKeyWhosePublicHalfItTells) {
  Kms kms;
  const auto public_key = kms.RunTask(kms.key.PublicKey());
  ASSERT_TRUE(public_key.ok()) << public_key.error().ToString();
  EXPECT_EQ(evm::AddressOfSubjectPublicKey(*public_key).value(), kms.fake.address());
  const auto signature = kms.Sign();
  ASSERT_TRUE(signature.ok()) << signature.error().ToString() << kms.fake.last_refusal();
  const auto scalars = evm::ParseDerSignature(*signature).value();
  EXPECT_TRUE(evm::RecoverableSignature(kms.digest, scalars.r, scalars.s, kms.fake.address()).ok());
  EXPECT_EQ(kms.fake.kms_requests(), 2);
  EXPECT_EQ(kms.fake.credential_requests(), 1);
}

TEST(KmsKey, ComesAgainAfterThrottlingFaultsAndBrokenConnections) {
  Kms kms;
  kms.fake.Meet(Fault::kThrottle);
  kms.fake.Meet(Fault::kServerError);
  kms.fake.Meet(Fault::kHangUp, 1);
  const auto signature = kms.Sign();
  ASSERT_TRUE(signature.ok()) << signature.error().ToString();
  EXPECT_EQ(kms.fake.kms_requests(), 4);
}

TEST(KmsKey, GivesUpAfterItsAttempts) {
  Kms kms;
  kms.fake.Meet(Fault::kThrottle, 4);
  EXPECT_EQ(kms.Sign().error().reason, "AWS_THROTTLED");
  kms.fake.Meet(Fault::kServerError, 4);
  const auto failed = kms.Sign();
  EXPECT_EQ(failed.error().reason, "AWS_UNAVAILABLE");
  EXPECT_EQ(failed.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(failed.error().message.find("KMSInternalException: try again"), std::string::npos);
  EXPECT_EQ(kms.fake.kms_requests(), 8);
  EXPECT_TRUE(kms.Sign().ok());
}

TEST(KmsKey, WaitsAsLongAsItIsAskedTo) {
  Kms kms;
  kms.fake.Meet(Fault::kThrottleForASecond);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(kms.Sign().ok());
  EXPECT_GE(std::chrono::steady_clock::now() - start, 1s);
}

TEST(KmsKey, AsksNobodyWhileALongPauseRuns) {
  Kms kms;
  kms.fake.Meet(Fault::kThrottleForAnHour);
  const auto first = kms.Sign();
  EXPECT_EQ(first.error().reason, "AWS_THROTTLED");
  EXPECT_EQ(first.error().retry_after, 1h);
  const auto second = kms.Sign();
  EXPECT_EQ(second.error().reason, "AWS_THROTTLED");
  EXPECT_LE(second.error().retry_after, 1h);
  EXPECT_EQ(kms.fake.kms_requests(), 1);
}

TEST(KmsKey, RestsAfterAFailureAndThenAsksAgain) {
  Kms kms;
  KmsKeyOptions options = AwsLoop::KeyOptions();
  options.rest_after_failure = 100ms;
  KmsKey key(options, kms.kms);
  kms.fake.Meet(Fault::kServerError, 4);
  const auto start = std::chrono::steady_clock::now();
  auto signature = kms.RunTask(key.Sign(kms.digest.bytes()));
  EXPECT_EQ(signature.error().reason, "AWS_UNAVAILABLE");
  while (!signature.ok()) {  // each at once and without a request
    EXPECT_EQ(signature.error().reason, "AWS_UNAVAILABLE");
    signature = kms.RunTask(key.Sign(kms.digest.bytes()));
  }
  EXPECT_GE(std::chrono::steady_clock::now() - start, 100ms);
  EXPECT_EQ(kms.fake.kms_requests(), 5);
}

TEST(KmsKey, HasADeadlineForASlowAnswerAndForAllOfThem) {
  Kms kms;
  kms.fake.Meet(Fault::kSilence);
  EXPECT_TRUE(kms.Sign().ok());  // half a second for the first attempt, then another
  EXPECT_EQ(kms.fake.kms_requests(), 2);
  KmsKey hasty(AwsLoop::KeyOptions(300ms), kms.kms);
  kms.fake.Meet(Fault::kSilence, 9);
  const auto start = std::chrono::steady_clock::now();
  const auto late = kms.RunTask(hasty.Sign(kms.digest.bytes()));
  EXPECT_EQ(late.error().reason, "AWS_UNAVAILABLE");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST(KmsKey, SaysWhyItIsRefusedAndDoesNotInsist) {
  Kms kms;
  kms.fake.Meet(Fault::kDenied);
  const auto refused = kms.Sign();
  EXPECT_EQ(refused.error().reason, "AWS_REFUSED");
  EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(refused.error().metadata.at("error"), "AccessDeniedException");
  EXPECT_EQ(kms.fake.kms_requests(), 1);
}

TEST(KmsKey, TakesNewCredentialsWhenTheOldOnesAreOverBeforeTheirTime) {
  Kms kms;
  ASSERT_TRUE(kms.Sign().ok());
  kms.fake.ExpireCredentials();
  ASSERT_TRUE(kms.Sign().ok());
  EXPECT_EQ(kms.fake.last_refusal(), "ExpiredTokenException");
  EXPECT_EQ(kms.fake.credential_requests(), 2);
}

TEST(KmsKey, KnowsNoAnswerThatIsNone) {
  Kms kms;
  kms.fake.Meet(Fault::kGarbage);
  EXPECT_EQ(kms.Sign().error().reason, "AWS_UNAVAILABLE");
}

TEST(KmsKey, SaysWhenNobodyIsThere) {
  Kms kms;
  JsonServiceOptions options = kms.ServiceOptions();
  options.endpoint = "http://127.0.0.1:1";
  JsonService nowhere(options, kms.client, kms.credentials, kms.clock, kms.random);
  KmsKey key(AwsLoop::KeyOptions(), nowhere);
  EXPECT_EQ(kms.RunTask(key.Sign(kms.digest.bytes())).error().reason, "AWS_UNAVAILABLE");
}

TEST(KmsKey, RefusesAKeyOfAnotherKind) {
  Kms kms("prime256v1");
  const auto key = kms.RunTask(kms.key.PublicKey());
  EXPECT_EQ(key.error().reason, "AWS_WRONG_KEY_TYPE");
  EXPECT_NE(key.error().message.find("ECC_NIST_P256"), std::string::npos);
}

TEST(KmsKey, KeepsOneRequestUnderWay) {
  Kms kms;
  std::vector<std::future<Result<KmsKey::Bytes>>> all;
  for (int i = 0; i < 12; ++i) {
    all.push_back(runtime::StartOn(kms.context.get_executor(), kms.key.Sign(kms.digest.bytes())));
  }
  kms.context.run();
  for (auto& one : all) EXPECT_TRUE(one.get().ok());
  EXPECT_EQ(kms.fake.most_at_once(), 1);
  EXPECT_EQ(kms.fake.kms_requests(), 12);
}

TEST(KmsKey, AsksNoFasterThanItsRate) {
  Kms kms;
  KmsKeyOptions options = AwsLoop::KeyOptions();
  options.requests_per_second = 20;
  options.burst = 1;
  KmsKey key(options, kms.kms);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(kms.RunTask(key.Sign(kms.digest.bytes())).ok());
  EXPECT_GE(std::chrono::steady_clock::now() - start, 140ms);
}

}  // namespace
}  // namespace paymesh::aws
