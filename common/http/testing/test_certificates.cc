#include "common/http/testing/test_certificates.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace paymesh::rpc {
namespace {

std::string Quote(const std::string& path) { return "'" + path + "'"; }

void MakeCa(const std::string& stem) {
  RunCommand(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
      "-subj '/CN=test CA' -keyout " +
      Quote(stem + ".key") + " -out " + Quote(stem + ".pem") + " 2>&1");
}

}  // namespace

std::string RunCommand(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) std::abort();
  std::string output;
  std::array<char, 4096> buffer;
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.append(buffer.data(), size);
  }
  if (::pclose(pipe) != 0) {
    std::fprintf(stderr, "%s\n%s\n", command.c_str(), output.c_str());
    std::abort();
  }
  return output;
}

TestCertificates::TestCertificates() {
  std::string pattern = std::filesystem::temp_directory_path() / "certificates_XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) std::abort();
  directory_ = pattern;
  MakeCa(directory_ + "/ca");
}

TestCertificates::~TestCertificates() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

TestCertificates::Files TestCertificates::Issue(const std::string& name,
                                                const std::vector<std::string>& uris) {
  return Sign(name, uris, directory_ + "/ca");
}

TestCertificates::Files TestCertificates::IssueForeign(const std::string& name,
                                                       const std::vector<std::string>& uris) {
  MakeCa(directory_ + "/foreign");
  return Sign(name, uris, directory_ + "/foreign");
}

TestCertificates::Files TestCertificates::Sign(const std::string& name,
                                               const std::vector<std::string>& uris,
                                               const std::string& ca) {
  const std::string stem = directory_ + "/" + name;
  std::ofstream extensions(stem + ".ext");
  extensions << "subjectAltName=DNS:localhost,IP:127.0.0.1";
  for (const std::string& uri : uris) extensions << ",URI:" << uri;
  extensions << "\nextendedKeyUsage=serverAuth,clientAuth\n";
  extensions.close();
  RunCommand(
      "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '/CN=" +
      name + "' -keyout " + Quote(stem + ".key.new") + " -out " + Quote(stem + ".csr") +
      " 2>&1 && openssl x509 -req -days 1 -in " + Quote(stem + ".csr") + " -CA " +
      Quote(ca + ".pem") + " -CAkey " + Quote(ca + ".key") +
      " -set_serial 0x$(openssl rand -hex 8)" + " -extfile " + Quote(stem + ".ext") + " -out " +
      Quote(stem + ".pem.new") + " 2>&1 && mv " + Quote(stem + ".key.new") + " " +
      Quote(stem + ".key") + " && mv " + Quote(stem + ".pem.new") + " " + Quote(stem + ".pem"));
  return {stem + ".pem", stem + ".key", directory_ + "/ca.pem"};
}

std::string TestCertificates::Serial(const Files& files) const {
  return RunCommand("openssl x509 -noout -serial -in " + Quote(files.certificate));
}

}  // namespace paymesh::rpc
