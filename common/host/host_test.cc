// The run loop from outside: a small service as a process of its own.
#include "common/host/host.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grpcpp/channel.h>
#include <gtest/gtest.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <regex>

#include "common/http/client.h"
#include "common/http/testing/test_certificates.h"
#include "common/rpc/credentials.h"
#include "common/rpc/testing/echo_test.grpc.pb.h"
#include "common/runtime/run_blocking.h"

namespace paymesh::runtime {
namespace {

using namespace std::chrono_literals;
namespace echo = paymesh::echotest::v1;

// A child process with its output in our hands.
class Process {
 public:
  explicit Process(std::vector<std::string> arguments) {
    int out[2];
    EXPECT_EQ(::pipe(out), 0);
    arguments.insert(arguments.begin(), HOST_TEST_SERVICE);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(out[1], 1);
      ::dup2(out[1], 2);
      ::close(out[0]);
      ::close(out[1]);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(out[1]);
    out_ = out[0];
  }
  ~Process() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(out_);
  }
  void Signal(int signal) { ::kill(pid_, signal); }

  // Reads on until the output matches; the first group, or all where there is none.
  std::string WaitFor(const std::string& pattern) {
    const std::regex regex(pattern);
    std::smatch match;
    const auto end = std::chrono::steady_clock::now() + 15s;
    while (!std::regex_search(output_, match, regex)) {
      if (std::chrono::steady_clock::now() > end || !ReadSome()) {
        ADD_FAILURE() << "no " << pattern << " in:\n" << output_;
        return "";
      }
    }
    return match.size() > 1 ? match[1].str() : match[0].str();
  }
  int Wait() {
    while (ReadSome()) {
    }
    int status = 0;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  const std::string& output() const { return output_; }

 private:
  bool ReadSome() {
    pollfd fd{out_, POLLIN, 0};
    if (::poll(&fd, 1, 15'000) <= 0) return false;
    char buffer[4096];
    const ssize_t size = ::read(out_, buffer, sizeof buffer);
    if (size <= 0) return false;
    output_.append(buffer, static_cast<std::size_t>(size));
    return true;
  }
  pid_t pid_ = 0;
  int out_ = -1;
  std::string output_;
};

class HostTest : public testing::Test {
 protected:
  std::string Config(const std::string& more = "", const std::string& grpc_port = "0",
                     const std::string& metrics_address = "127.0.0.1") {
    const auto files = certificates_.Issue("server", {"spiffe://test/service/echo"});
    const std::string path = certificates_.directory() + "/config.yaml";
    std::ofstream(path) << "listen: {grpc: 127.0.0.1:" << grpc_port
                        << ", health: 127.0.0.1:0, metrics: \"" << metrics_address << ":0\"}\n"
                        << "tls: {certificate: " << files.certificate << ", key: " << files.key
                        << ", ca: " << files.ca << "}\n"
                        << "identities:\n  - {uri: spiffe://test/service/friend, role: service, "
                        << "name: friend}\n"
                        << more;
    return path;
  }
  std::shared_ptr<grpc::Channel> Channel(const std::string& target) {
    const auto files = certificates_.Issue("friend", {"spiffe://test/service/friend"});
    return rpc::MakeChannel({files.certificate, files.key, files.ca, 1s},
                            {target, "spiffe://test/service/echo", false});
  }
  std::string Http(const std::string& method, const std::string& url, const std::string& body) {
    http::Request request;
    request.method = method;
    request.url = url;
    request.body = body;
    boost::asio::io_context context;
    http::Client client;
    auto future = StartOn(context.get_executor(), client.Send(std::move(request)));
    context.run();
    const auto answer = future.get();
    return answer.ok() ? answer->body : answer.error().ToString();
  }
  rpc::TestCertificates certificates_;
};

constexpr char kGrpc[] = R"re("grpc":"([^"]*)")re";

TEST_F(HostTest, SigtermLetsCallsFinishAndEndsStreams) {
  Process process({"--config", Config()});
  const std::string target = process.WaitFor(kGrpc);
  auto stub = echo::EchoService::NewStub(Channel(target));
  grpc::ClientContext stream_context;
  auto stream = stub->Count(&stream_context, echo::CountRequest());
  echo::CountResponse first;
  ASSERT_TRUE(stream->Read(&first));
  auto slow = std::async(std::launch::async, [&] {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + 10s);
    echo::EchoRequest request;
    request.set_text("700");
    echo::EchoResponse response;
    return stub->Echo(&context, request, &response);
  });
  std::this_thread::sleep_for(200ms);  // the call must be under way
  const auto start = std::chrono::steady_clock::now();
  process.Signal(SIGTERM);
  EXPECT_FALSE(stream->Read(&first));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  const grpc::Status status = slow.get();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(process.Wait(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 8s);
  EXPECT_NE(process.output().find("\"msg\":\"stopped\""), std::string::npos);
}

TEST_F(HostTest, ServesMetricsAndChangesTheLogLevel) {
  Process process({"--config", Config()});
  const std::string port = process.WaitFor("\"metrics_port\":([0-9]+)");
  process.WaitFor("\"msg\":\"ready\"");
  const std::string base = "http://127.0.0.1:" + port;
  const std::string metrics = Http("GET", base + "/metrics", "");
  for (const char* name : {"paymesh_build_info{", "grpc_server_started_total{", "paymesh_ready 1",
                           "process_open_fds "}) {
    EXPECT_NE(metrics.find(name), std::string::npos) << name;
  }
  EXPECT_EQ(Http("GET", base + "/log-level", ""), "info\n");
  EXPECT_EQ(Http("PUT", base + "/log-level", "debug"), "debug\n");
  EXPECT_EQ(Http("GET", base + "/log-level", ""), "debug\n");
  EXPECT_NE(Http("PUT", base + "/log-level", "loud"), "loud\n");
  process.Signal(SIGINT);
  EXPECT_EQ(process.Wait(), 0);
}

// An IPv4 address of this machine that is not its loopback; empty when it has none.
std::string OutwardAddress() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return "";
  std::string found;
  for (const ifaddrs* each = all; each != nullptr && found.empty(); each = each->ifa_next) {
    const bool up = (each->ifa_flags & IFF_UP) != 0 && (each->ifa_flags & IFF_LOOPBACK) == 0;
    if (!up || each->ifa_addr == nullptr || each->ifa_addr->sa_family != AF_INET) continue;
    char text[INET_ADDRSTRLEN];
    const auto* address = reinterpret_cast<const sockaddr_in*>(each->ifa_addr);
    found = ::inet_ntop(AF_INET, &address->sin_addr, text, sizeof text);
  }
  ::freeifaddrs(all);
  return found;
}

TEST_F(HostTest, TheLogLevelIsReadFromEverywhereAndChangedFromThisMachineAlone) {
  const std::string address = OutwardAddress();
  if (address.empty()) GTEST_SKIP() << "this machine has no address beside its loopback";
  Process process({"--config", Config("", "0", address)});
  const std::string port = process.WaitFor("\"metrics_port\":([0-9]+)");
  const std::string base = "http://" + address + ":" + port;
  EXPECT_EQ(Http("PUT", base + "/log-level", "debug"), "changes come from this machine alone\n");
  EXPECT_EQ(Http("GET", base + "/log-level", ""), "info\n");
  Process both({"--config", Config("", "0", "::")});  // a dual-stack listener sees IPv4 as mapped
  const std::string any = both.WaitFor("\"metrics_port\":([0-9]+)");
  EXPECT_EQ(Http("PUT", "http://127.0.0.1:" + any + "/log-level", "debug"), "debug\n");
  EXPECT_EQ(Http("PUT", "http://" + address + ":" + any + "/log-level", "info"),
            "changes come from this machine alone\n");
}

TEST_F(HostTest, AWrongConfigurationIsOneLineAndCodeTwo) {
  Process process({"--config", Config("colour: red\n")});
  EXPECT_EQ(process.Wait(), 2);
  EXPECT_EQ(process.output(),
            "echo: " + certificates_.directory() + "/config.yaml:5: unknown key colour\n");
  Process missing({"--config", "/nowhere.yaml"});
  EXPECT_EQ(missing.Wait(), 2);
  EXPECT_EQ(missing.output(), "echo: /nowhere.yaml: cannot be read\n");
  Process usage({"--verbose"});
  EXPECT_EQ(usage.Wait(), 2);
}

TEST_F(HostTest, CheckConfigAndMigrateDoTheirWorkAndEnd) {
  Process check({"--config", Config(), "--check-config"});
  EXPECT_EQ(check.Wait(), 0);
  Process migrate({"migrate", "--config", Config()});
  EXPECT_EQ(migrate.Wait(), 0);
}

TEST_F(HostTest, ATakenPortEndsTheStartWithCodeTwo) {
  Process first({"--config", Config()});
  const std::string target = first.WaitFor(kGrpc);
  const std::string port = target.substr(target.rfind(':') + 1);
  Process second({"--config", Config("", port)});
  EXPECT_EQ(second.Wait(), 2);
  EXPECT_NE(second.output().find("cannot listen on " + target), std::string::npos)
      << second.output();
}

TEST_F(HostTest, AWorkerThatEndsTakesTheServiceDown) {
  Process process({"--config", Config("worker_lifetime: 100ms\n")});
  EXPECT_EQ(process.Wait(), 1);
  EXPECT_NE(process.output().find("\"worker\":\"idler\""), std::string::npos);
}

}  // namespace
}  // namespace paymesh::runtime
