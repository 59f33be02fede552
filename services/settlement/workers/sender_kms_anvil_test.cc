// Payouts whose transactions are signed by a key that lies in (a server that plays) AWS KMS: a real
// chain node takes them, and whatever befalls the key service, nothing is lost or paid twice.
#include "common/aws/testing/aws_loop.h"
#include "services/settlement/testing/sender_anvil_fixture.h"
#include "services/settlement/workers/kms_signer.h"

namespace paymesh::settlement {
namespace {

using aws::Fault;

// Before the sender's parts, which are made with its signer.
struct Kms {
  std::unique_ptr<Signer> MakeSigner() {
    KmsSignerOptions options;
    options.key = aws::AwsLoop::KeyOptions();
    options.region = aws::FakeAws::kRegion;
    options.endpoint = aws.fake.url();
    options.attempt_timeout = std::chrono::milliseconds(300);
    Result<std::unique_ptr<KmsSigner>> signer = aws.RunTask(
        KmsSigner::Open(options, {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", aws.fake.agent_url()}},
                        aws.clock, aws.random));
    return std::move(signer).value();
  }
  aws::AwsLoop aws;
};

class KmsSenderOnAnvil : protected Kms, public SenderOnAnvil {
 protected:
  KmsSenderOnAnvil() : SenderOnAnvil(MakeSigner(), aws.context) {}
};

TEST_F(KmsSenderOnAnvil, PaysPayoutsThatTheChainTakes) {
  Fund(1'000);
  // Signatures with s of either half and both parities.
  for (int i = 0; i < 8; ++i) {
    const std::string id = Pay(100);
    Run();
    MineAndFollow(4);
    EXPECT_EQ(Get(id).state, PayoutState::kFinalized) << last_error_;
  }
  EXPECT_EQ(Received(), U256(800));
  EXPECT_EQ(anvil_.broadcasts(), 8);
  EXPECT_EQ(aws.fake.kms_requests(), 9);
  ExpectSound();
}

TEST_F(KmsSenderOnAnvil, WaitsWhileTheKeyServiceFailsAndThenPaysOnce) {
  Fund(1'000);
  const std::string id = Pay(400);
  const std::pair<Fault, const char*> faults[] = {
      {Fault::kThrottle, "SIGNER_THROTTLED"},  {Fault::kServerError, "SIGNER_UNAVAILABLE"},
      {Fault::kSilence, "SIGNER_UNAVAILABLE"}, {Fault::kDenied, "SIGNER_REFUSED"},
      {Fault::kWrongKey, "SIGNER_WRONG_KEY"},  {Fault::kMalformedDer, "SIGNER_BAD_ANSWER"},
  };
  for (const auto& [fault, reason] : faults) {
    aws.fake.Meet(fault, 4);
    Run();
    EXPECT_NE(last_error_.find(reason), std::string::npos) << last_error_;
    aws.fake.ForgetFaults();
    // The slot waits as a draft: no bytes are stored, none were sent.
    ASSERT_EQ(Slots().size(), 1U);
    EXPECT_EQ(Slots()[0].slot.state, SlotState::kDraft);
    EXPECT_EQ(database_.Query("SELECT count(*) FROM chain_transaction_attempt"), "0");
  }
  EXPECT_EQ(anvil_.broadcasts(), 0);
  aws.fake.ExpireCredentials();
  aws.fake.Meet(Fault::kHighS);
  Run();
  MineAndFollow(1);
  MineAndFollow(3);
  EXPECT_EQ(Get(id).state, PayoutState::kFinalized);
  EXPECT_EQ(Received(), U256(400));
  EXPECT_EQ(anvil_.broadcasts(), 1);
  ExpectSound();
}

}  // namespace
}  // namespace paymesh::settlement
