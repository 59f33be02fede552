// tls_certificate_not_after_timestamp_seconds{cert}: when the process's own certificate ("own") and
// the first of the CA's that it trusts ("ca") end, from the files as they are now. Any thread.
#pragma once

#include <optional>
#include <string>

#include "common/rpc/credentials.h"
#include "common/runtime/clock.h"

namespace paymesh::runtime {
class Metrics;
}

namespace paymesh::rpc {

// The earliest end of the validity of a PEM file's certificates; nothing when there is none in it.
std::optional<Time> FirstExpiry(const std::string& file);

// The files are looked at each time the metrics are collected; a replaced certificate shows at
// the next scrape, one that cannot be read leaves what was known.
void ExportCertificates(runtime::Metrics& metrics, const TlsFiles& files);

}  // namespace paymesh::rpc
