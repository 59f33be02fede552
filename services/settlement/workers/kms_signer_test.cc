// The signer against a server that plays AWS, with each fault that a key service has had.
#include "services/settlement/workers/kms_signer.h"

#include <gtest/gtest.h>

#include "common/aws/testing/aws_loop.h"
#include "services/settlement/domain/chain_transaction_call.h"
#include "services/settlement/workers/sender_worker.h"

namespace paymesh::settlement {
namespace {

using namespace std::chrono_literals;
using aws::Fault;

class KmsSignerTest : public testing::Test, protected aws::AwsLoop {
 protected:
  KmsSignerTest() {
    options_.key = KeyOptions();
    options_.region = aws::FakeAws::kRegion;
    options_.endpoint = fake.url();
    options_.attempt_timeout = 500ms;
    options_.start_timeout = 300ms;
    transaction_.chain_id = 31337;
    transaction_.gas_limit = 21'000;
    transaction_.max_fee_per_gas = U256(7);
    transaction_.to = evm::Address();
  }
  aws::Environment Environment() const {
    return {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", fake.agent_url()}};
  }
  Result<std::unique_ptr<KmsSigner>> Open() { return Open(Environment()); }
  Result<std::unique_ptr<KmsSigner>> Open(aws::Environment environment) {
    return RunTask(KmsSigner::Open(options_, std::move(environment), clock, random));
  }
  // The next nonce's transaction, signed and believed as the sender does.
  Result<evm::SignedTransaction> Sign(KmsSigner& signer) {
    ++transaction_.nonce;
    Result<evm::Bytes> raw = RunTask(signer.Sign(transaction_));
    if (!raw.ok()) return raw.error();
    return VerifySigned(*raw, transaction_, signer.address());
  }
  std::string Reason(KmsSigner& signer) {
    const auto made = Sign(signer);
    return made.ok() ? "" : made.error().reason;
  }

  KmsSignerOptions options_;
  evm::Transaction transaction_;
};

TEST_F(KmsSignerTest, SignsForTheAddressOfItsPublicKey) {
  const auto signer = Open();
  ASSERT_TRUE(signer.ok()) << signer.error().ToString();
  EXPECT_EQ((*signer)->address(), fake.address());
  // Enough of them to meet both halves of s and both parities.
  for (int i = 0; i < 40; ++i) {
    const auto made = Sign(**signer);
    ASSERT_TRUE(made.ok()) << made.error().ToString();
    EXPECT_EQ(made->from, fake.address());
  }
  EXPECT_EQ(fake.kms_requests(), 41);
}

TEST_F(KmsSignerTest, BringsSToTheLowerHalf) {
  const auto signer = Open();
  fake.Meet(Fault::kHighS, 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Sign(**signer).ok());
}

TEST_F(KmsSignerTest, GivesOutNoSignatureOfAnotherKey) {
  const auto signer = Open();
  fake.Meet(Fault::kWrongKey);
  EXPECT_EQ(Reason(**signer), "SIGNER_WRONG_KEY");
  EXPECT_EQ(Reason(**signer), "");
}

TEST_F(KmsSignerTest, GivesOutNothingOfAMalformedAnswer) {
  const auto signer = Open();
  fake.Meet(Fault::kMalformedDer);
  EXPECT_EQ(Reason(**signer), "SIGNER_BAD_ANSWER");
  fake.Meet(Fault::kGarbage);
  EXPECT_EQ(Reason(**signer), "SIGNER_UNAVAILABLE");
  EXPECT_EQ(Reason(**signer), "");
}

TEST_F(KmsSignerTest, SaysThatItIsThrottled) {
  const auto signer = Open();
  fake.Meet(Fault::kThrottle, 4);
  EXPECT_EQ(Reason(**signer), "SIGNER_THROTTLED");
  fake.Meet(Fault::kThrottle, 3);
  EXPECT_EQ(Reason(**signer), "");
}

TEST_F(KmsSignerTest, HasADeadlineWhenKmsIsSlow) {
  options_.key.timeout = 800ms;
  const auto signer = Open();
  fake.Meet(Fault::kSilence, 9);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Reason(**signer), "SIGNER_UNAVAILABLE");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
  fake.ForgetFaults();
  EXPECT_EQ(Reason(**signer), "");
}

TEST_F(KmsSignerTest, SaysThatItsRoleLostTheUseOfTheKey) {
  const auto signer = Open();
  fake.Meet(Fault::kDenied);
  EXPECT_EQ(Reason(**signer), "SIGNER_REFUSED");
  EXPECT_EQ(Reason(**signer), "");
}

TEST_F(KmsSignerTest, GoesOnWhenItsCredentialsExpire) {
  const auto signer = Open();
  clock.Advance(2h);
  EXPECT_EQ(Reason(**signer), "");
  fake.ExpireCredentials();
  EXPECT_EQ(Reason(**signer), "");
  fake.AnswerCredentials(500, 100);
  clock.Advance(2h);
  EXPECT_EQ(Reason(**signer), "SIGNER_UNAVAILABLE");
  fake.AnswerCredentials(200, 0);
  EXPECT_EQ(Reason(**signer), "");
}

TEST_F(KmsSignerTest, WaitsAtTheStartForAServiceThatIsAway) {
  options_.start_timeout = 30s;
  fake.Meet(Fault::kServerError, 5);
  const auto signer = Open();
  ASSERT_TRUE(signer.ok()) << signer.error().ToString();
  EXPECT_EQ((*signer)->address(), fake.address());
}

TEST_F(KmsSignerTest, DoesNotStartWithoutAnAnswerAndSaysWhichKeyItWas) {
  fake.Meet(Fault::kServerError, 100);
  const auto away = Open();
  EXPECT_EQ(away.error().reason, "SIGNER_UNAVAILABLE");
  EXPECT_NE(away.error().message.find(aws::FakeAws::kKeyId), std::string::npos);
  fake.ForgetFaults();
  options_.key.key_id = "alias/of-another";
  const auto refused = Open();
  EXPECT_EQ(refused.error().reason, "SIGNER_REFUSED");
  EXPECT_NE(refused.error().message.find("NotFoundException"), std::string::npos);
  EXPECT_EQ(Open({}).error().reason, "SIGNER_REFUSED");
}

TEST_F(KmsSignerTest, SignsWithTheEnvironmentsKeysToo) {
  fake.AddCredentials("AKIADEV", "development");
  const auto signer =
      Open({{"AWS_ACCESS_KEY_ID", "AKIADEV"}, {"AWS_SECRET_ACCESS_KEY", "development"}});
  ASSERT_TRUE(signer.ok()) << signer.error().ToString();
  EXPECT_EQ(Reason(**signer), "");
  EXPECT_EQ(
      Open({{"AWS_ACCESS_KEY_ID", "AKIADEV"}, {"AWS_SECRET_ACCESS_KEY", "wrong"}}).error().reason,
      "SIGNER_REFUSED");
  EXPECT_EQ(fake.last_refusal(), "SignatureDoesNotMatch");
}

TEST(SignatureOutcome, IsOneOfAFew) {
  EXPECT_EQ(SignatureOutcome(""), "ok");
  EXPECT_EQ(SignatureOutcome("SIGNER_THROTTLED"), "throttled");
  EXPECT_EQ(SignatureOutcome("SIGNER_UNAVAILABLE"), "unavailable");
  EXPECT_EQ(SignatureOutcome("SIGNER_BAD_ANSWER"), "bad_answer");
  EXPECT_EQ(SignatureOutcome("SIGNER_REFUSED"), "refused");
  EXPECT_EQ(SignatureOutcome("SIGNER_WRONG_KEY"), "wrong_key");
  EXPECT_EQ(SignatureOutcome("SOMETHING_ELSE"), "failed");
}

}  // namespace
}  // namespace paymesh::settlement
