// Credentials from each source, and how long they are kept.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/aws/testing/aws_loop.h"

namespace paymesh::aws {
namespace {

using namespace std::chrono_literals;

std::chrono::steady_clock::time_point Soon() { return std::chrono::steady_clock::now() + 20s; }

// A file with a token, as the cluster projects it and writes it anew.
class TokenFile {
 public:
  explicit TokenFile(const std::string& token) {
    std::string folder = (std::filesystem::temp_directory_path() / "aws-token-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) std::abort();
    folder_ = folder;
    Write(token);
  }
  ~TokenFile() { std::filesystem::remove_all(folder_); }
  void Write(const std::string& token) { std::ofstream(path()) << token << "\n"; }
  std::string path() const { return folder_ + "/token"; }

 private:
  std::string folder_;
};

struct Source : AwsLoop {
  Result<Credentials> Fetch(const Environment& environment) {
    auto source = ChooseCredentialSource(environment, FakeAws::kRegion, client);
    if (!source.ok()) return source.error();
    return RunTask((*source)->Fetch());
  }
  Environment WebIdentity(const std::string& token_file) const {
    return {{"AWS_ROLE_ARN", FakeAws::kRole},
            {"AWS_WEB_IDENTITY_TOKEN_FILE", token_file},
            {"AWS_ENDPOINT_URL_STS", fake.url()}};
  }
  Environment Agent(const std::string& token_file) const {
    return {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", fake.agent_url()},
            {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token_file}};
  }
};

TEST(CredentialSource, TakesTheEnvironmentsKeys) {
  Source source;
  const auto found = source.Fetch({{"AWS_ACCESS_KEY_ID", "AKIA1"},
                                   {"AWS_SECRET_ACCESS_KEY", "s"},
                                   {"AWS_SESSION_TOKEN", "t"},
                                   {"AWS_ROLE_ARN", "not asked"}});
  ASSERT_TRUE(found.ok()) << found.error().ToString();
  EXPECT_EQ(found->access_key_id, "AKIA1");
  EXPECT_EQ(found->session_token, "t");
  EXPECT_FALSE(found->expire_time);
  EXPECT_EQ(source.fake.credential_requests(), 0);
}

TEST(CredentialSource, ExchangesAWebIdentityToken) {
  Source source;
  TokenFile token("header.payload.signature-_");
  source.fake.WantToken("header.payload.signature-_");
  const auto found = source.Fetch(source.WebIdentity(token.path()));
  ASSERT_TRUE(found.ok()) << found.error().ToString();
  EXPECT_EQ(found->access_key_id, "ASIA1");
  EXPECT_EQ(found->secret_access_key, "secret/ASIA1");
  EXPECT_EQ(found->session_token, "token+/ASIA1==");
  EXPECT_EQ(found->expire_time, source.clock.Now() + 1h);
}

TEST(CredentialSource, AsksTheAgentWithTheTokenThatIsInTheFileNow) {
  Source source;
  TokenFile token("first");
  source.fake.WantToken("second");
  const Environment environment = source.Agent(token.path());
  const auto refused = source.Fetch(environment);
  EXPECT_EQ(refused.error().reason, "AWS_CREDENTIALS_REFUSED");
  EXPECT_NE(refused.error().message.find("403 InvalidIdentityToken"), std::string::npos);
  token.Write("second");
  const auto found = source.Fetch(environment);
  ASSERT_TRUE(found.ok()) << found.error().ToString();
  EXPECT_EQ(found->session_token, "token+/ASIA1==");
}

TEST(CredentialSource, SaysWhatIsWrongWithAnEnvironment) {
  Source source;
  const auto reason = [&](const Environment& environment) {
    return source.Fetch(environment).error().reason;
  };
  EXPECT_EQ(reason({}), "AWS_NO_CREDENTIALS");
  EXPECT_EQ(reason({{"AWS_ACCESS_KEY_ID", "AKIA1"}}), "AWS_NO_CREDENTIALS");
  EXPECT_EQ(reason({{"AWS_ROLE_ARN", "arn"}}), "AWS_NO_CREDENTIALS");
  EXPECT_EQ(reason({{"AWS_ROLE_ARN", "arn"},
                    {"AWS_WEB_IDENTITY_TOKEN_FILE", "f"},
                    {"AWS_ENDPOINT_URL_STS", "http://sts.example.com"}}),
            "AWS_NO_CREDENTIALS");
  EXPECT_EQ(reason(source.Agent("/nowhere/token")), "AWS_CREDENTIALS_UNAVAILABLE");
}

TEST(CredentialSource, SendsAPodsTokenToTheAgentAlone) {
  http::Client client;
  const auto accepts = [&](const char* url) {
    return ChooseCredentialSource({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url}}, "eu-west-1",
                                  client)
        .ok();
  };
  EXPECT_TRUE(accepts("http://169.254.170.23/v1/credentials"));
  EXPECT_TRUE(accepts("http://[fd00:ec2::23]/v1/credentials"));
  EXPECT_TRUE(accepts("http://127.0.0.1:8080/v1/credentials"));
  EXPECT_TRUE(accepts("https://credentials.example.com/"));
  EXPECT_FALSE(accepts("http://169.254.169.254/latest/meta-data"));
  EXPECT_FALSE(accepts("http://10.0.0.1/v1/credentials"));
  EXPECT_FALSE(accepts("http://credentials.example.com/"));
  EXPECT_FALSE(accepts("file:///etc/passwd"));
}

TEST(Endpoint, IsTheRegionsOwnAndSafe) {
  EXPECT_EQ(DefaultEndpoint("kms", "eu-central-1"), "https://kms.eu-central-1.amazonaws.com");
  EXPECT_EQ(DefaultEndpoint("sts", "cn-north-1"), "https://sts.cn-north-1.amazonaws.com.cn");
  EXPECT_TRUE(IsSafeEndpoint("https://vpce-1.kms.eu-central-1.vpce.amazonaws.com"));
  EXPECT_TRUE(IsSafeEndpoint("http://127.0.0.1:4566"));
  EXPECT_TRUE(IsSafeEndpoint("http://localhost:4566"));
  EXPECT_FALSE(IsSafeEndpoint("http://kms.example.com"));
  EXPECT_FALSE(IsSafeEndpoint("https://kms.example.com/path"));
  EXPECT_FALSE(IsSafeEndpoint("https://kms.example.com/"));
  EXPECT_FALSE(IsSafeEndpoint("kms.example.com"));
}

TEST(CredentialCache, KeepsCredentialsUntilTheyAreNearlyOver) {
  AwsLoop loop;
  const auto id = [&] { return loop.RunTask(loop.credentials.Get(Soon())).value().access_key_id; };
  EXPECT_EQ(id(), "ASIA1");
  loop.clock.Advance(54min);
  EXPECT_EQ(id(), "ASIA1");
  EXPECT_EQ(loop.fake.credential_requests(), 1);
  loop.clock.Advance(2min);
  EXPECT_EQ(id(), "ASIA2");
  EXPECT_EQ(loop.fake.credential_requests(), 2);
}

TEST(CredentialCache, GoesOnWithTheOldOnesUntilTheyReallyExpire) {
  AwsLoop loop;
  const auto get = [&] { return loop.RunTask(loop.credentials.Get(Soon())); };
  ASSERT_TRUE(get().ok());
  loop.fake.AnswerCredentials(500, 100);
  loop.clock.Advance(56min);
  EXPECT_EQ(get().value().access_key_id, "ASIA1");
  EXPECT_EQ(get().value().access_key_id, "ASIA1");
  EXPECT_EQ(loop.fake.credential_requests(), 2);  // not asked again at once
  loop.clock.Advance(11s);
  EXPECT_EQ(get().value().access_key_id, "ASIA1");
  EXPECT_EQ(loop.fake.credential_requests(), 3);
  loop.clock.Advance(4min);
  EXPECT_EQ(get().error().reason, "AWS_CREDENTIALS_UNAVAILABLE");
  loop.fake.AnswerCredentials(200, 0);
  EXPECT_EQ(get().value().access_key_id, "ASIA2");
}

TEST(CredentialCache, RenewsOnceForAllThatAskTogether) {
  AwsLoop loop;
  std::vector<std::future<Result<Credentials>>> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(runtime::StartOn(loop.context.get_executor(), loop.credentials.Get(Soon())));
  }
  loop.context.run();
  for (auto& one : all) EXPECT_EQ(one.get().value().access_key_id, "ASIA1");
  EXPECT_EQ(loop.fake.credential_requests(), 1);
}

TEST(CredentialCache, DiscardsOnlyWhatItStillHolds) {
  AwsLoop loop;
  const auto id = [&] { return loop.RunTask(loop.credentials.Get(Soon())).value().access_key_id; };
  EXPECT_EQ(id(), "ASIA1");
  loop.credentials.Discard("ASIA1");
  EXPECT_EQ(id(), "ASIA2");
  loop.credentials.Discard("ASIA1");
  EXPECT_EQ(id(), "ASIA2");
  EXPECT_EQ(loop.fake.credential_requests(), 2);
}

}  // namespace
}  // namespace paymesh::aws
