#include "common/rpc/certificate_metrics.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/http/testing/test_certificates.h"
#include "common/runtime/metrics.h"

namespace paymesh::rpc {
namespace {

using namespace std::chrono_literals;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

double Shown(runtime::Metrics& metrics, const std::string& cert) {
  const std::string page = metrics.Render();
  const std::string series = "tls_certificate_not_after_timestamp_seconds{cert=\"" + cert + "\"} ";
  return std::stod(page.substr(page.find(series) + series.size()));
}

TEST(Certificates, ShowWhenTheyEndAndFollowTheirFiles) {
  TestCertificates certificates;  // valid for two days
  const auto files = certificates.Issue("echo", {"spiffe://test/service/echo"});
  runtime::Metrics metrics;
  ExportCertificates(metrics, {files.certificate, files.key, files.ca});
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_GT(Shown(metrics, "own"), now);
  EXPECT_NEAR(Shown(metrics, "ca"), now + 2 * 86'400, 120);
  RunCommand(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9"
      " -subj /CN=new -keyout /dev/null -out '" +
      files.certificate + ".new' 2>&1");
  std::filesystem::rename(files.certificate + ".new", files.certificate);
  EXPECT_NEAR(Shown(metrics, "own"), now + 9 * 86'400, 120);
}

TEST(Certificates, OfABundleTheFirstToEndCounts) {
  TestCertificates one, other;
  const auto files = one.Issue("echo", {"spiffe://test/service/echo"});
  const std::string bundle = one.directory() + "/bundle.pem";
  RunCommand(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 300"
      " -subj /CN=long -keyout /dev/null -out '" +
      bundle + "' 2>&1");
  const auto alone = FirstExpiry(bundle);
  std::ofstream(bundle, std::ios::app) << ReadFile(files.ca);
  EXPECT_EQ(FirstExpiry(bundle), FirstExpiry(files.ca));
  EXPECT_LT(FirstExpiry(bundle), alone);
  EXPECT_FALSE(FirstExpiry(one.directory() + "/none"));
}

}  // namespace
}  // namespace paymesh::rpc
