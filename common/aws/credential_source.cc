#include "common/aws/credential_source.h"

#include <array>
#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "common/base/hex.h"
#include "common/http/url.h"

namespace paymesh::aws {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds kFetchTimeout{3'000};
constexpr std::size_t kMaxTokenBytes = 16 * 1024;
constexpr std::string_view kUnreserved =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

std::string Get(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

Error NotSet(const std::string& what) {
  return Error::FailedPrecondition("AWS_NO_CREDENTIALS", what);
}
Error Refused(const std::string& what) {
  return Error::PermissionDenied("AWS_CREDENTIALS_REFUSED", what);
}
Error Unavailable(const std::string& what) {
  return Error::Unavailable("AWS_CREDENTIALS_UNAVAILABLE", what);
}

Result<std::string> ReadToken(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Unavailable("cannot read the token file " + path);
  std::string token(std::istreambuf_iterator<char>(file), {});
  token.erase(token.find_last_not_of(" \t\r\n") + 1);
  if (token.empty() || token.size() > kMaxTokenBytes) {
    return Unavailable("no token in the file " + path);
  }
  return token;
}

std::string FormEncode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (kUnreserved.find(c) != std::string_view::npos) {
      encoded.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded.append({'%', kUpperHexDigits[byte >> 4], kUpperHexDigits[byte & 0x0f]});
  }
  return encoded;
}

// The text of the first element of that name; STS's answers have no attributes and no entities.
std::string XmlText(std::string_view xml, const std::string& name) {
  const std::size_t open = xml.find("<" + name + ">");
  if (open == std::string_view::npos) return "";
  const std::string_view rest = xml.substr(open + name.size() + 2);
  const std::size_t close = rest.find("</" + name + ">");
  if (close == std::string_view::npos) return "";
  return std::string(rest.substr(0, close));
}

struct CredentialTexts {
  std::string id;
  std::string secret;
  std::string token;
  std::string expiration;
};

Result<Credentials> ToCredentials(const CredentialTexts& texts, const char* whose) {
  const Result<Time> expires = runtime::ParseTime(texts.expiration);
  if (texts.id.empty() || texts.secret.empty() || texts.token.empty() || !expires.ok()) {
    return Refused(std::string(whose) + " answered without complete credentials");
  }
  return Credentials{texts.id, texts.secret, texts.token, *expires};
}

Result<http::Response> Answered(Result<http::Response> response, const char* whose) {
  if (!response.ok()) {
    return Unavailable(std::string(whose) + " does not answer: " + response.error().message);
  }
  if (response->status == 200) return response;
  const std::string code = XmlText(response->body, "Code");
  const std::string what = std::string(whose) + " answered " + std::to_string(response->status) +
                           (code.empty() ? "" : " " + code);
  const bool final_answer = response->status < 500 && response->status != 429;
  return final_answer ? Refused(what) : Unavailable(what);
}

class EnvironmentSource final : public CredentialSource {
 public:
  explicit EnvironmentSource(Credentials credentials) : credentials_(std::move(credentials)) {}
  Task<Result<Credentials>> Fetch() override { co_return credentials_; }

 private:
  const Credentials credentials_;
};

class WebIdentitySource final : public CredentialSource {
 public:
  struct Options {
    std::string endpoint;
    std::string role_arn;
    std::string token_file;
    std::string session_name;
  };
  WebIdentitySource(Options options, http::Client& client)
      : options_(std::move(options)), client_(client) {}

  Task<Result<Credentials>> Fetch() override {
    static constexpr char kWhose[] = "the token service (STS)";
    ASSIGN_OR_CO_RETURN(const std::string token, ReadToken(options_.token_file));
    http::Request request;
    request.url = options_.endpoint + "/";
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    request.body = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=" +
                   FormEncode(options_.role_arn) +
                   "&RoleSessionName=" + FormEncode(options_.session_name) +
                   "&WebIdentityToken=" + FormEncode(token);
    request.timeout = kFetchTimeout;
    ASSIGN_OR_CO_RETURN(const http::Response response,
                        Answered(co_await client_.Send(std::move(request)), kWhose));
    const std::string xml = XmlText(response.body, "Credentials");
    co_return ToCredentials({XmlText(xml, "AccessKeyId"), XmlText(xml, "SecretAccessKey"),
                             XmlText(xml, "SessionToken"), XmlText(xml, "Expiration")},
                            kWhose);
  }

 private:
  const Options options_;
  http::Client& client_;
};

class ContainerSource final : public CredentialSource {
 public:
  struct Options {
    std::string url;
    std::string token;
    std::string token_file;
  };
  ContainerSource(Options options, http::Client& client)
      : options_(std::move(options)), client_(client) {}

  Task<Result<Credentials>> Fetch() override {
    static constexpr char kWhose[] = "the credential agent";
    http::Request request;
    request.method = "GET";
    request.url = options_.url;
    request.timeout = kFetchTimeout;
    std::string token = options_.token;
    if (!options_.token_file.empty()) {
      ASSIGN_OR_CO_RETURN(token, ReadToken(options_.token_file));
    }
    if (!token.empty()) request.headers = {{"Authorization", token}};
    ASSIGN_OR_CO_RETURN(const http::Response response,
                        Answered(co_await client_.Send(std::move(request)), kWhose));
    boost::system::error_code error;
    const json::value parsed = json::parse(response.body, error);
    const json::object* object = error ? nullptr : parsed.if_object();
    const auto text = [&](const char* name) {
      const json::value* value = object == nullptr ? nullptr : object->if_contains(name);
      return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
    };
    co_return ToCredentials(
        {text("AccessKeyId"), text("SecretAccessKey"), text("Token"), text("Expiration")}, kWhose);
  }

 private:
  const Options options_;
  http::Client& client_;
};

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

// Where a pod's token may go in plain text: this machine, and the agents of EKS and ECS.
bool IsAgent(const http::Url& url) {
  static constexpr std::array<std::string_view, 3> kAgents = {"169.254.170.23", "fd00:ec2::23",
                                                              "169.254.170.2"};
  for (const std::string_view agent : kAgents) {
    if (url.host == agent) return true;
  }
  return url.tls || IsLoopback(url.host);
}

using SourcePtr = std::unique_ptr<CredentialSource>;

Result<SourcePtr> FromKeys(const Environment& environment) {
  const Credentials keys{Get(environment, "AWS_ACCESS_KEY_ID"),
                         Get(environment, "AWS_SECRET_ACCESS_KEY"),
                         Get(environment, "AWS_SESSION_TOKEN")};
  if (keys.access_key_id.empty() || keys.secret_access_key.empty()) {
    return NotSet("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together");
  }
  return SourcePtr(std::make_unique<EnvironmentSource>(keys));
}

Result<SourcePtr> FromWebIdentity(const Environment& environment, const std::string& region,
                                  http::Client& client) {
  WebIdentitySource::Options options;
  options.role_arn = Get(environment, "AWS_ROLE_ARN");
  options.token_file = Get(environment, "AWS_WEB_IDENTITY_TOKEN_FILE");
  if (options.role_arn.empty() || options.token_file.empty()) {
    return NotSet("AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE go together");
  }
  options.session_name = Get(environment, "AWS_ROLE_SESSION_NAME");
  if (options.session_name.empty()) options.session_name = "paymesh";
  options.endpoint = Get(environment, "AWS_ENDPOINT_URL_STS");
  if (options.endpoint.empty()) options.endpoint = DefaultEndpoint("sts", region);
  if (!IsSafeEndpoint(options.endpoint)) {
    return NotSet("AWS_ENDPOINT_URL_STS must be https, or plain http to this machine");
  }
  return SourcePtr(std::make_unique<WebIdentitySource>(std::move(options), client));
}

Result<SourcePtr> FromContainer(const Environment& environment, http::Client& client) {
  ContainerSource::Options options;
  options.url = Get(environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  options.token = Get(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  options.token_file = Get(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  const Result<http::Url> parsed = http::ParseUrl(options.url);
  if (!parsed.ok() || !IsAgent(*parsed)) {
    return NotSet("AWS_CONTAINER_CREDENTIALS_FULL_URI must be https or the credential agent");
  }
  return SourcePtr(std::make_unique<ContainerSource>(std::move(options), client));
}

}  // namespace

std::string DefaultEndpoint(const std::string& service, const std::string& region) {
  const char* domain = region.starts_with("cn-") ? ".amazonaws.com.cn" : ".amazonaws.com";
  return "https://" + service + "." + region + domain;
}

bool IsSafeEndpoint(const std::string& url) {
  const Result<http::Url> parsed = http::ParseUrl(url);
  return parsed.ok() && parsed->target == "/" && !url.ends_with('/') &&
         (parsed->tls || IsLoopback(parsed->host));
}

Environment ProcessEnvironment() {
  Environment environment;
  for (const char* name :
       {"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
        "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_SESSION_NAME",
        "AWS_ENDPOINT_URL_STS", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"}) {
    if (const char* value = std::getenv(name)) environment[name] = value;
  }
  return environment;
}

Result<std::unique_ptr<CredentialSource>> ChooseCredentialSource(const Environment& environment,
                                                                 const std::string& region,
                                                                 http::Client& client) {
  const bool keys = !Get(environment, "AWS_ACCESS_KEY_ID").empty() ||
                    !Get(environment, "AWS_SECRET_ACCESS_KEY").empty();
  if (keys) return FromKeys(environment);
  const bool web_identity = !Get(environment, "AWS_ROLE_ARN").empty() ||
                            !Get(environment, "AWS_WEB_IDENTITY_TOKEN_FILE").empty();
  if (web_identity) return FromWebIdentity(environment, region, client);
  if (!Get(environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI").empty()) {
    return FromContainer(environment, client);
  }
  return NotSet("the environment names no source of AWS credentials");
}

}  // namespace paymesh::aws
