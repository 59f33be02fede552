#include "common/aws/testing/fake_aws.h"

#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>

#include "common/evm/signing/der.h"

namespace paymesh::aws {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace json = boost::json;
using asio::ip::tcp;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

std::string Base64(evm::ByteView bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                  static_cast<int>(bytes.size()));
  text.pop_back();
  return text;
}

std::string FieldOf(const Request& request, std::string_view name) {
  const auto found = request.find(boost::beast::string_view(name.data(), name.size()));
  return found == request.end() ? "" : std::string(found->value());
}

}  // namespace

struct FakeAws::Exchange {
  Request request;
  Response response;

  void Say(int status, std::string body, const char* type = "application/x-amz-json-1.1") {
    response.result(static_cast<unsigned>(status));
    response.set(http::field::content_type, type);
    response.body() = std::move(body);
  }
  void Refuse(int status, const std::string& type, const std::string& message) {
    json::object body;
    body["__type"] = type;
    body["message"] = message;
    Say(status, json::serialize(body));
  }
};

FakeAws::FakeAws(const runtime::Clock& clock, const char* curve)
    : clock_(clock),
      key_(curve),
      acceptor_(context_, {asio::ip::make_address("127.0.0.1"), 0}),
      port_(acceptor_.local_endpoint().port()),
      acceptor_thread_([this] { Accept(); }) {}

FakeAws::~FakeAws() {
  boost::system::error_code ignored;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (tcp::socket* socket : open_) socket->shutdown(tcp::socket::shutdown_both, ignored);
  }
  stopped_.notify_all();
  tcp::socket wake(context_);
  wake.connect({asio::ip::make_address("127.0.0.1"), port_}, ignored);
  acceptor_thread_.join();
  for (std::thread& connection : connections_) connection.join();
}

void FakeAws::Accept() {
  for (;;) {
    auto socket = std::make_unique<tcp::socket>(context_);
    boost::system::error_code error;
    acceptor_.accept(*socket, error);
    std::lock_guard lock(mutex_);
    if (error || stopping_) return;
    open_.insert(socket.get());
    connections_.emplace_back([this, one = std::move(socket)] {
      Serve(*one);
      std::lock_guard inner(mutex_);
      open_.erase(one.get());
      boost::system::error_code ignored;
      one->close(ignored);
    });
  }
}

void FakeAws::Serve(tcp::socket& socket) {
  boost::beast::flat_buffer buffer;
  for (;;) {
    Exchange exchange;
    boost::system::error_code error;
    http::read(socket, buffer, exchange.request, error);
    if (error || !Answer(exchange)) return;
    exchange.response.keep_alive(true);
    exchange.response.prepare_payload();
    http::write(socket, exchange.response, error);
    if (error) return;
  }
}

bool FakeAws::Answer(Exchange& exchange) {
  if (exchange.request.method() == http::verb::get) {
    AnswerAgent(exchange);
    return true;
  }
  if (FieldOf(exchange.request, "X-Amz-Target").empty()) {
    AnswerSts(exchange);
    return true;
  }
  {
    std::lock_guard lock(mutex_);
    ++kms_requests_;
    most_at_once_ = std::max(most_at_once_, ++at_once_);
  }
  const bool answered = AnswerKms(exchange);
  std::lock_guard lock(mutex_);
  --at_once_;
  return answered;
}

bool FakeAws::AnswerKms(Exchange& exchange) {
  std::optional<Fault> fault;
  {
    std::unique_lock lock(mutex_);
    if (!faults_.empty()) {
      fault = faults_.front();
      faults_.pop_front();
    }
    if (fault == Fault::kSilence) {
      stopped_.wait(lock, [this] { return stopping_; });
      return false;
    }
  }
  if (fault == Fault::kHangUp) return false;
  if (fault == Fault::kGarbage) {
    exchange.Say(200, "<html>captive portal</html>", "text/html");
    return true;
  }
  if (fault == Fault::kServerError) {
    exchange.Refuse(500, "KMSInternalException", "try again");
    return true;
  }
  if (fault == Fault::kThrottle || fault == Fault::kThrottleForAnHour ||
      fault == Fault::kThrottleForASecond) {
    exchange.Refuse(400, "ThrottlingException", "Rate exceeded");
    if (fault != Fault::kThrottle) {
      exchange.response.set(http::field::retry_after,
                            fault == Fault::kThrottleForAnHour ? "3600" : "1");
    }
    return true;
  }
  if (const std::string refusal = CheckArrived(exchange); !refusal.empty()) {
    std::lock_guard lock(mutex_);
    last_refusal_ = refusal;
    exchange.Refuse(400, "com.amazon.coral.service#" + refusal, "the request was not accepted");
    return true;
  }
  if (fault == Fault::kDenied) {
    exchange.Refuse(400, "AccessDeniedException", "the role may not kms:Sign");
    return true;
  }
  Sign(exchange, fault);
  return true;
}

void FakeAws::Sign(Exchange& exchange, std::optional<Fault> fault) {
  boost::system::error_code error;
  const json::value parsed = json::parse(exchange.request.body(), error);
  const json::object body = error || !parsed.is_object() ? json::object() : parsed.get_object();
  const auto text = [&](const char* name) {
    const json::value* value = body.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
  };
  if (text("KeyId") != kKeyId) {
    exchange.Refuse(400, "NotFoundException", "no such key");
    return;
  }
  json::object answer;
  answer["KeyId"] = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd";
  if (FieldOf(exchange.request, "X-Amz-Target") == "TrentService.GetPublicKey") {
    answer["KeySpec"] = key_.PublicDer().size() == 88 ? "ECC_SECG_P256K1" : "ECC_NIST_P256";
    answer["KeyUsage"] = "SIGN_VERIFY";
    answer["PublicKey"] =
        Base64(fault == Fault::kWrongKey ? other_key_.PublicDer() : key_.PublicDer());
    exchange.Say(200, json::serialize(answer));
    return;
  }
  const std::string message = text("Message");
  evm::Bytes digest(33);  // 44 characters with one '='
  if (text("MessageType") != "DIGEST" || text("SigningAlgorithm") != "ECDSA_SHA_256" ||
      message.size() != 44 ||
      EVP_DecodeBlock(digest.data(), reinterpret_cast<const unsigned char*>(message.data()), 44) !=
          33) {
    exchange.Refuse(400, "ValidationException", "Digest is invalid length for algorithm");
    return;
  }
  digest.resize(32);
  answer["Signature"] = Base64(Signature(digest, fault));
  answer["SigningAlgorithm"] = "ECDSA_SHA_256";
  exchange.Say(200, json::serialize(answer));
}

evm::Bytes FakeAws::Signature(evm::ByteView digest, std::optional<Fault> fault) const {
  evm::Bytes der = (fault == Fault::kWrongKey ? other_key_ : key_).Sign(digest);
  while (fault == Fault::kHighS &&
         evm::ParseDerSignature(der).value().s.BitLength() < 256) {  // above n/2 for certain
    der = key_.Sign(digest);
  }
  if (fault == Fault::kMalformedDer) der.pop_back();
  return der;
}

// What AWS would answer to such a signature, or "".
std::string FakeAws::CheckArrived(const Exchange& exchange) {
  ArrivedRequest arrived;
  arrived.body = exchange.request.body();
  for (const auto& field : exchange.request) {
    std::string name(field.name_string());
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    arrived.headers[name] = std::string(field.value());
  }
  const auto find = [this](const std::string& id) -> std::optional<IssuedKey> {
    std::lock_guard lock(mutex_);
    const auto found = issued_.find(id);
    return found == issued_.end() ? std::nullopt : std::optional(found->second);
  };
  return CheckSignature(arrived, find, kRegion, clock_.Now());
}

bool FakeAws::RefuseCredentials(Exchange& exchange, const std::string& token) {
  std::lock_guard lock(mutex_);
  ++credential_requests_;
  if (credential_failures_ > 0) {
    --credential_failures_;
    exchange.Say(credential_status_, "<Error><Code>ServiceFailure</Code></Error>", "text/xml");
    return true;
  }
  if (wanted_token_.empty() || token == wanted_token_) return false;
  exchange.Say(403, "<Error><Code>InvalidIdentityToken</Code></Error>", "text/xml");
  return true;
}

std::string FakeAws::Issue(IssuedKey& issued, std::string& expiration) {
  std::lock_guard lock(mutex_);
  const std::string id = "ASIA" + std::to_string(++issue_count_);
  issued = {"secret/" + id, "token+/" + id + "==", false};
  issued_[id] = issued;
  expiration = runtime::FormatTime(clock_.Now() + lifetime_).substr(0, 19) + "Z";
  return id;
}

void FakeAws::AnswerAgent(Exchange& exchange) {
  if (RefuseCredentials(exchange, FieldOf(exchange.request, "Authorization"))) return;
  IssuedKey issued;
  std::string expiration;
  json::object answer;
  answer["AccessKeyId"] = Issue(issued, expiration);
  answer["SecretAccessKey"] = issued.secret;
  answer["Token"] = issued.token;
  answer["AccountId"] = "123456789012";
  answer["Expiration"] = expiration;
  exchange.Say(200, json::serialize(answer), "application/json");
}

void FakeAws::AnswerSts(Exchange& exchange) {
  const std::string form = exchange.request.body() + "&";
  if (RefuseCredentials(exchange, Between(form, "WebIdentityToken=", '&'))) return;
  if (Between(form, "Action=", '&') != "AssumeRoleWithWebIdentity" ||
      Between(form, "Version=", '&') != "2011-06-15" ||
      Between(form, "RoleArn=", '&') !=
          "arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fpaymesh-settlement") {
    exchange.Say(400, "<ErrorResponse><Error><Code>ValidationError</Code></Error></ErrorResponse>",
                 "text/xml");
    return;
  }
  IssuedKey issued;
  std::string expiration;
  const std::string id = Issue(issued, expiration);
  exchange.Say(200,
               "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult>"
               "<Audience>sts.amazonaws.com</Audience><AssumedRoleUser><Arn>x</Arn>"
               "</AssumedRoleUser><Credentials><AccessKeyId>" +
                   id + "</AccessKeyId>" + "<SecretAccessKey>" + issued.secret +
                   "</SecretAccessKey><SessionToken>" + issued.token +
                   "</SessionToken><Expiration>" + expiration +
                   "</Expiration></Credentials></AssumeRoleWithWebIdentityResult>"
                   "</AssumeRoleWithWebIdentityResponse>",
               "text/xml");
}

void FakeAws::Meet(Fault fault, int times) {
  std::lock_guard lock(mutex_);
  faults_.insert(faults_.end(), static_cast<std::size_t>(times), fault);
}
void FakeAws::ForgetFaults() {
  std::lock_guard lock(mutex_);
  faults_.clear();
}
void FakeAws::AnswerCredentials(int status, int times) {
  std::lock_guard lock(mutex_);
  credential_status_ = status;
  credential_failures_ = times;
}
void FakeAws::WantToken(std::string token) {
  std::lock_guard lock(mutex_);
  wanted_token_ = std::move(token);
}
void FakeAws::SetLifetime(std::chrono::seconds lifetime) {
  std::lock_guard lock(mutex_);
  lifetime_ = lifetime;
}
void FakeAws::ExpireCredentials() {
  std::lock_guard lock(mutex_);
  for (auto& [id, issued] : issued_) issued.expired = true;
}
void FakeAws::AddCredentials(const std::string& id, const std::string& secret) {
  std::lock_guard lock(mutex_);
  issued_[id] = {secret, "", false};
}
int FakeAws::kms_requests() const {
  std::lock_guard lock(mutex_);
  return kms_requests_;
}
int FakeAws::credential_requests() const {
  std::lock_guard lock(mutex_);
  return credential_requests_;
}
int FakeAws::most_at_once() const {
  std::lock_guard lock(mutex_);
  return most_at_once_;
}
std::string FakeAws::last_refusal() const {
  std::lock_guard lock(mutex_);
  return last_refusal_;
}

}  // namespace paymesh::aws
