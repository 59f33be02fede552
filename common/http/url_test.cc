#include "common/http/url.h"

#include <gtest/gtest.h>

namespace paymesh::http {
namespace {

TEST(Url, IsTakenApart) {
  const Url plain = ParseUrl("http://Example.com/a?b=c#d").value();
  EXPECT_FALSE(plain.tls);
  EXPECT_EQ(plain.Origin(), "http://example.com:80");
  EXPECT_EQ(plain.HostHeader(), "example.com");
  EXPECT_EQ(plain.target, "/a?b=c");
  const Url v6 = ParseUrl("HTTPS://[::1]:8443?x").value();
  EXPECT_TRUE(v6.tls);
  EXPECT_EQ(v6.host, "::1");
  EXPECT_EQ(v6.HostHeader(), "[::1]:8443");
  EXPECT_EQ(v6.target, "/?x");
}

TEST(Url, IsRefusedWhenItIsNotPlainHttp) {
  for (const char* bad :
       {"", "ftp://a/", "//a", "http://", "http:///x", "http://u@h/", "http://u:p@h", "http://h:0/",
        "http://h:65536/", "http://h:x/", "http://h /", "http://h\n/", "http://h\\@evil/",
        "http://[::1", "http://[::1]x", "file:///etc/passwd"}) {
    EXPECT_FALSE(ParseUrl(bad).ok()) << bad;
  }
  EXPECT_FALSE(ParseUrl("http://h/" + std::string(3'000, 'x')).ok());
}

}  // namespace
}  // namespace paymesh::http
