// Against what AWS published of its own signer, and what another implementation makes.
#include "common/aws/sigv4.h"

#include <gtest/gtest.h>

#include "common/evm/testing/vectors.h"

namespace paymesh::aws {
namespace {

using evm::vectors::Text;

// "20150830T123600Z"
Time TimeOf(const std::string& basic) {
  return runtime::ParseTime(basic.substr(0, 4) + "-" + basic.substr(4, 2) + "-" +
                            basic.substr(6, 5) + ":" + basic.substr(11, 2) + ":" + basic.substr(13))
      .value();
}

TEST(SigV4, GivesThePublishedSignatures) {
  int published = 0;
  for (const auto& entry : evm::vectors::Cases("sigv4")) {
    const auto& vector = entry.as_object();
    Credentials credentials{Text(vector, "access_key_id"), Text(vector, "secret_access_key")};
    SignableRequest request;
    request.method = Text(vector, "method");
    request.path = Text(vector, "path");
    request.query = Text(vector, "query");
    request.body = Text(vector, "body");
    for (const auto& header : vector.at("headers").as_array()) {
      const std::string name = Text(header.as_array()[0]);
      const std::string value = Text(header.as_array()[1]);
      // The time and the token are what signing adds.
      if (name == "X-Amz-Security-Token") credentials.session_token = value;
      if (name != "X-Amz-Date" && name != "x-amz-date" && name != "X-Amz-Security-Token") {
        request.headers.emplace_back(name, value);
      }
    }
    const Headers added =
        SignatureHeaders(request, credentials, {Text(vector, "region"), Text(vector, "service")},
                         TimeOf(Text(vector, "time")));
    EXPECT_EQ(added.front(),
              (std::pair<std::string, std::string>("X-Amz-Date", Text(vector, "time"))));
    EXPECT_EQ(added.back().first, "Authorization");
    EXPECT_EQ(added.back().second,
              "AWS4-HMAC-SHA256 Credential=" + credentials.access_key_id + "/" +
                  Text(vector, "time").substr(0, 8) + "/" + Text(vector, "region") + "/" +
                  Text(vector, "service") + "/aws4_request, SignedHeaders=" +
                  Text(vector, "signed_headers") + ", Signature=" + Text(vector, "signature"))
        << Text(vector, "name");
    EXPECT_EQ(added.size(), credentials.session_token.empty() ? 2U : 3U);
    if (Text(vector, "source") == "published") ++published;
  }
  EXPECT_GE(published, 20);
}

TEST(SigV4, HashesOneFormOfARequestHoweverItIsWritten) {
  SignableRequest request;
  request.method = "GET";
  request.path = "/a b/\xc3\xa9";
  request.query = "b=2&a=%7e&a=&c&b=1%2f%zz";
  request.headers = {{"Host", "example.com"}, {"X-Two", "  p \t q  "}, {"x-TWO", "r"}};
  EXPECT_EQ(CanonicalRequest(request),
            "GET\n/a%20b/%C3%A9\na=&a=~&b=1%2F%25zz&b=2&c=\nhost:example.com\nx-two:p q,r\n\n"
            "host;x-two\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace paymesh::aws
