#include "services/watcher/testing/anvil.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "common/base/testing/source_dir.h"
#include "common/evm/abi.h"
#include "common/http/client.h"
#include "common/runtime/run_blocking.h"

namespace paymesh::watcher {
namespace {

// The first key of the node's published development mnemonic.
constexpr char kKey[] = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

[[noreturn]] void Die(const std::string& message) {
  std::fprintf(stderr, "anvil: %s\n", message.c_str());
  std::abort();
}

int FreePort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    Die("no free port");
  }
  ::close(fd);
  return ntohs(address.sin_port);
}

// A client of its own each time: kept connections belong to the loop that RunBlocking makes.
Result<http::Response> Ask(const http::Request& request) {
  http::Client client;
  return runtime::RunBlocking(client.Send(request));
}

evm::PrivateKey Key() { return *evm::PrivateKey::FromBytes(*evm::HexDecode(kKey)); }

}  // namespace

Anvil::Anvil(std::vector<std::string> arguments, std::uint64_t chain_id)
    : arguments_(std::move(arguments)), chain_id_(chain_id), port_(FreePort()) {
  url_ = "http://127.0.0.1:" + std::to_string(port_);
  Start();
}

Anvil::~Anvil() {
  if (pid_ > 0) Stop();
}

void Anvil::Start() {
  const char* binary = std::getenv("PAYMESH_ANVIL");
  if (binary == nullptr) Die("PAYMESH_ANVIL names no binary; tests/run sets it");
  std::vector<std::string> words{binary,
                                 "--host",
                                 "127.0.0.1",
                                 "--port",
                                 std::to_string(port_),
                                 "--chain-id",
                                 std::to_string(chain_id_),
                                 "--no-mining",
                                 "--silent"};
  words.insert(words.end(), arguments_.begin(), arguments_.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, 1);
    ::dup2(null, 2);
    ::execv(binary, argv.data());
    ::_exit(127);
  }
  nonce_ = 0;
  for (int attempt = 0; attempt < 1'000; ++attempt) {
    http::Request request;
    request.url = url_;
    request.headers.emplace_back("content-type", "application/json");
    request.body = R"({"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]})";
    if (Ask(request).ok()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  Die("does not answer");
}

void Anvil::Stop() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void Anvil::Pause() { ::kill(pid_, SIGSTOP); }
void Anvil::Continue() { ::kill(pid_, SIGCONT); }

boost::json::value Anvil::Rpc(const std::string& method, const std::string& params) {
  http::Request request;
  request.url = url_;
  request.headers.emplace_back("content-type", "application/json");
  request.body = R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}";
  request.timeout = std::chrono::seconds(30);
  const auto response = Ask(request);
  if (!response.ok()) Die(method + ": " + response.error().ToString());
  const boost::json::value answer = boost::json::parse(response->body);
  if (const auto* error = answer.as_object().if_contains("error")) {
    Die(method + ": " + boost::json::serialize(*error));
  }
  return answer.at("result");
}

void Anvil::Mine(int blocks) {
  for (int i = 0; i < blocks; ++i) Rpc("evm_mine", "[]");
}

std::uint64_t Anvil::Height() {
  return std::stoull(std::string(Rpc("eth_blockNumber", "[]").as_string()), nullptr, 16);
}

evm::Address Anvil::DeployToken() {
  std::ifstream file(SourcePath("/deploy/contracts/artifacts/TestDollar.json"));
  std::stringstream text;
  text << file.rdbuf();
  const boost::json::value artifact = boost::json::parse(text.str());
  std::string code(artifact.at("bytecode").as_string());
  if (!code.starts_with("0x")) code = "0x" + code;
  evm::Transaction transaction;
  transaction.chain_id = chain_id_;
  transaction.nonce = NextNonce();
  transaction.max_fee_per_gas = U256(100'000'000'000ULL);
  transaction.max_priority_fee_per_gas = U256(1'000'000'000ULL);
  transaction.gas_limit = 5'000'000;
  transaction.data = *evm::HexDecode(code);
  evm::AbiValue::List arguments;
  arguments.emplace_back(std::string("Test Dollar"));
  arguments.emplace_back(std::string("tUSD"));
  arguments.emplace_back(Key().address());
  evm::Append(transaction.data,
              *evm::AbiEncode(*evm::AbiType::ParseList("string,string,address"), arguments));
  const evm::SignedTransaction deployed = evm::SignTransaction(transaction, Key());
  Send(deployed);
  Mine();
  const auto receipt = Rpc("eth_getTransactionReceipt", "[\"" + deployed.hash.ToHex() + "\"]");
  if (receipt.at("status").as_string() != "0x1") Die("the token was not deployed");
  return *evm::Address::Parse(std::string(receipt.at("contractAddress").as_string()));
}

evm::SignedTransaction Anvil::SignMint(const evm::Address& token, const evm::Address& to,
                                       std::uint64_t amount, std::uint64_t nonce) {
  evm::Transaction transaction;
  transaction.chain_id = chain_id_;
  transaction.nonce = nonce;
  transaction.max_fee_per_gas = U256(100'000'000'000ULL);
  transaction.max_priority_fee_per_gas = U256(1'000'000'000ULL);
  transaction.gas_limit = 200'000;
  transaction.to = token;
  evm::AbiValue::List arguments;
  arguments.emplace_back(to);
  arguments.emplace_back(U256(amount));
  transaction.data = *evm::EncodeCall("mint(address,uint256)", arguments);
  return evm::SignTransaction(transaction, Key());
}

evm::SignedTransaction Anvil::SignMintAnd(const std::string& then, const evm::Address& token,
                                          const evm::Address& to, std::uint64_t amount,
                                          std::uint64_t nonce) {
  evm::AbiValue::List arguments;
  arguments.emplace_back(to);
  arguments.emplace_back(U256(amount));
  const evm::Bytes call = *evm::EncodeCall("mint(address,uint256)", arguments);
  // CODECOPY of the call, which stands after the code, into memory; CALL of the token; `then`;
  // STOP.
  const std::string copy =
      "6044"
      "60";  // and where the call begins
  const std::string rest =
      "5f39"
      "5f5f60445f5f73" +
      token.ToHex().substr(2) + "5af150" + then + "00";
  const std::size_t begin = (copy.size() + 2 + rest.size()) / 2;
  static constexpr char kDigits[] = "0123456789abcdef";
  const std::string at{kDigits[begin / 16], kDigits[begin % 16]};
  evm::Transaction transaction;
  transaction.chain_id = chain_id_;
  transaction.nonce = nonce;
  transaction.max_fee_per_gas = U256(100'000'000'000ULL);
  transaction.max_priority_fee_per_gas = U256(1'000'000'000ULL);
  transaction.gas_limit = 16'000'000;
  transaction.data = *evm::HexDecode("0x" + copy + at + rest);
  transaction.data.insert(transaction.data.end(), call.begin(), call.end());
  return evm::SignTransaction(transaction, Key());
}

void Anvil::Send(const evm::SignedTransaction& transaction) {
  Rpc("eth_sendRawTransaction", "[\"" + evm::HexEncode(transaction.raw) + "\"]");
}

void Anvil::Reorg(int depth,
                  const std::vector<std::pair<evm::SignedTransaction, int>>& transactions) {
  std::string list;
  for (const auto& [transaction, block] : transactions) {
    if (!list.empty()) list += ',';
    list += "[\"" + evm::HexEncode(transaction.raw) + "\"," + std::to_string(block) + "]";
  }
  Rpc("anvil_reorg", "[" + std::to_string(depth) + ",[" + list + "]]");
}

}  // namespace paymesh::watcher
