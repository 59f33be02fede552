#include "common/rpc/certificate_metrics.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "common/runtime/metrics.h"

namespace paymesh::rpc {
namespace {

std::optional<Time> NotAfter(const X509& certificate) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &parts) != 1) return std::nullopt;
  return Time(std::chrono::seconds(::timegm(&parts)));
}

}  // namespace

std::optional<Time> FirstExpiry(const std::string& file) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_file(file.c_str(), "r"), &BIO_free);
  std::optional<Time> first;
  while (bio) {
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), &X509_free);
    if (!certificate) break;
    const auto end = NotAfter(*certificate);
    if (end && (!first || *end < *first)) first = end;
  }
  ERR_clear_error();  // the end of a file is an error to the reader
  return first;
}

void ExportCertificates(runtime::Metrics& metrics, const TlsFiles& files) {
  constexpr char kName[] = "tls_certificate_not_after_timestamp_seconds";
  constexpr char kHelp[] = "When a certificate's validity ends, Unix time.";
  auto& own = metrics.Gauge(kName, kHelp, {{"cert", "own"}});
  auto& ca = metrics.Gauge(kName, kHelp, {{"cert", "ca"}});
  const auto show = [](prometheus::Gauge& gauge, const std::string& file) {
    const auto end = FirstExpiry(file);
    if (end) gauge.Set(std::chrono::duration<double>(end->time_since_epoch()).count());
  };
  metrics.OnCollect([&own, &ca, files, show] {
    show(own, files.certificate);
    show(ca, files.ca);
  });
}

}  // namespace paymesh::rpc
