#include "common/http/url.h"

#include <gtest/gtest.h>

#include "common/http/egress.h"

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

TEST(Egress, KnowsThePublicInternetFromAllElse) {
  for (const char* good : {"93.184.216.34", "1.1.1.1", "172.32.0.1", "2606:4700::1111",
                           "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:0101:0101::1"}) {
    EXPECT_TRUE(IsPublicAddress(good)) << good;
  }
  for (const char* bad : {"127.0.0.1",
                          "10.0.0.1",
                          "172.16.0.1",
                          "172.31.255.255",
                          "192.168.1.1",
                          "169.254.169.254",
                          "100.64.0.1",
                          "0.0.0.0",
                          "0.1.2.3",
                          "224.0.0.1",
                          "255.255.255.255",
                          "198.18.0.1",
                          "192.0.2.1",
                          "::",
                          "::1",
                          "fc00::1",
                          "fd00::1",
                          "fe80::1",
                          "ff02::1",
                          "::ffff:127.0.0.1",
                          "::ffff:169.254.169.254",
                          "::7f00:1",
                          "64:ff9b::7f00:1",
                          "64:ff9b:1::1",
                          "2002:7f00:1::1",
                          "2001::1",
                          "2001:db8::1",
                          "localhost",
                          "",
                          "127.1"}) {
    EXPECT_FALSE(IsPublicAddress(bad)) << bad;
  }
}

}  // namespace
}  // namespace paymesh::http
