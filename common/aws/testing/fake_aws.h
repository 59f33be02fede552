// For tests: a server on this machine that plays three parts of AWS - KMS with one real secp256k1
// key, STS, and the agent that hands credentials to containers - and that misbehaves when it is
// told to. It verifies every signature by itself, from the bytes that arrived. Any thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "common/aws/testing/fake_signature.h"
#include "common/evm/signing/openssl_key.h"
#include "common/runtime/clock.h"

namespace paymesh::aws {

// What befalls one request to KMS.
enum class Fault {
  kThrottle,           // 400 ThrottlingException
  kThrottleForAnHour,  // the same with Retry-After
  kThrottleForASecond,
  kServerError,   // 500 KMSInternalException
  kSilence,       // no answer as long as the server lives
  kHangUp,        // the connection ends
  kDenied,        // 400 AccessDeniedException
  kGarbage,       // 200 and no JSON
  kMalformedDer,  // the signature's last byte is missing
  kWrongKey,      // signed with another key
  kHighS,         // a good signature with s in the upper half
};

class FakeAws {
 public:
  static constexpr char kRegion[] = "eu-central-1";
  static constexpr char kKeyId[] = "alias/paymesh/signing/operator";
  static constexpr char kRole[] = "arn:aws:iam::123456789012:role/paymesh-settlement";

  // Its time is the clock's, which outlives it. `curve` of the key.
  explicit FakeAws(const runtime::Clock& clock, const char* curve = "secp256k1");
  ~FakeAws();
  FakeAws(const FakeAws&) = delete;
  FakeAws& operator=(const FakeAws&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::string agent_url() const { return url() + "/v1/credentials"; }
  evm::Address address() const { return key_.ToPrivateKey().address(); }

  // The next `times` requests to KMS meet this, after those of earlier calls.
  void Meet(Fault fault, int times = 1);
  void ForgetFaults();
  // The next requests for credentials are answered with this status.
  void AnswerCredentials(int status, int times = 1);
  // The token that agent and STS want to see.
  void WantToken(std::string token);
  void SetLifetime(std::chrono::seconds lifetime);
  // What was issued until now is expired, whatever was said of it.
  void ExpireCredentials();
  // Keys that do not come from here, as in an environment.
  void AddCredentials(const std::string& id, const std::string& secret);

  int kms_requests() const;
  int credential_requests() const;
  int most_at_once() const;  // requests to KMS
  std::string last_refusal() const;

 private:
  struct Exchange;  // a request and its answer
  void Accept();
  void Serve(boost::asio::ip::tcp::socket& socket);
  // False: the connection ends.
  bool Answer(Exchange& exchange);
  bool AnswerKms(Exchange& exchange);
  void AnswerSts(Exchange& exchange);
  void AnswerAgent(Exchange& exchange);
  bool RefuseCredentials(Exchange& exchange, const std::string& token);
  std::string Issue(IssuedKey& issued, std::string& expiration);
  std::string CheckArrived(const Exchange& exchange);
  void Sign(Exchange& exchange, std::optional<Fault> fault);
  evm::Bytes Signature(evm::ByteView digest, std::optional<Fault> fault) const;

  const runtime::Clock& clock_;
  const evm::OpenSslKey key_;
  const evm::OpenSslKey other_key_;
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  const std::uint16_t port_;

  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::deque<Fault> faults_;
  int credential_status_ = 200;
  int credential_failures_ = 0;
  std::string wanted_token_;
  std::chrono::seconds lifetime_{3'600};
  std::map<std::string, IssuedKey> issued_;
  int issue_count_ = 0;
  int kms_requests_ = 0;
  int credential_requests_ = 0;
  int at_once_ = 0;
  int most_at_once_ = 0;
  std::string last_refusal_;
  std::set<boost::asio::ip::tcp::socket*> open_;
  std::list<std::thread> connections_;
  std::thread acceptor_thread_;
};

}  // namespace paymesh::aws
