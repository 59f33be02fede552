// Certificates for tests, made by the openssl program in a directory that is removed at the end.
// One thread.
#pragma once

#include <string>
#include <vector>

namespace paymesh::rpc {

class TestCertificates {
 public:
  struct Files {
    std::string certificate, key, ca;
  };

  TestCertificates();  // makes the directory and a CA
  ~TestCertificates();
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;

  // A certificate for localhost, 127.0.0.1 and `uris`, signed by the CA; the same name again writes
  // the same files anew.
  Files Issue(const std::string& name, const std::vector<std::string>& uris);
  // One that another CA signed; `ca` is still ours.
  Files IssueForeign(const std::string& name, const std::vector<std::string>& uris);
  // The serial number in the certificate's file, as openssl prints it.
  std::string Serial(const Files& files) const;

  const std::string& directory() const { return directory_; }

 private:
  Files Sign(const std::string& name, const std::vector<std::string>& uris, const std::string& ca);
  std::string directory_;
};

// Runs a shell command and returns what it printed; aborts when it fails.
std::string RunCommand(const std::string& command);

}  // namespace paymesh::rpc
