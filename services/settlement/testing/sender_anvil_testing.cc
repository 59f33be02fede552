#include "services/settlement/testing/sender_anvil_testing.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "common/base/testing/source_dir.h"
#include "common/evm/abi.h"
#include "common/money/unit.h"

namespace paymesh::settlement {
namespace {

namespace json = boost::json;

// The node's first two development accounts: they hold development money only.
constexpr char kOwnerKey[] = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
constexpr char kOwner[] = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
constexpr char kRich[] = "\"0x56bc75e2d63100000\"";  // 100 coins

[[noreturn]] void Abort(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::abort();
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// One HTTP exchange on a connection of its own.
std::string Post(int port, const std::string& body) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    Abort("the chain node does not answer");
  }
  const std::string request =
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: "
      "close\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  for (std::size_t sent = 0; sent < request.size();) {
    const ssize_t n = write(fd, request.data() + sent, request.size() - sent);
    if (n <= 0) Abort("the chain node hung up");
    sent += static_cast<std::size_t>(n);
  }
  std::string response;
  std::array<char, 65536> buffer{};
  for (ssize_t n; (n = read(fd, buffer.data(), buffer.size())) > 0;) {
    response.append(buffer.data(), static_cast<std::size_t>(n));
  }
  close(fd);
  const std::size_t head = response.find("\r\n\r\n");
  if (head == std::string::npos) Abort("the chain node answered nothing");
  return response.substr(head + 4);
}

std::string RunAndRead(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  std::string out;
  std::array<char, 4096> buffer{};
  for (std::size_t n; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    out.append(buffer.data(), n);
  }
  if (pclose(pipe) != 0) Abort("failed: " + command);
  return out;
}

std::string Text(const json::value& value) { return std::string(value.as_string()); }
std::uint64_t Number(const json::value& value) {
  return U256::FromQuantity(Text(value)).value().ToUint64().value();
}
std::string Quote(const std::string& text) { return "\"" + text + "\""; }

std::string CallObject(const evm::Address& from, const evm::Address& to, const evm::Bytes& data) {
  return R"({"from":")" + from.ToHex() + R"(","to":")" + to.ToHex() + R"(","data":")" +
         evm::HexEncode(data) + R"("})";
}

Reply ReplyOf(std::string_view message) {
  const auto has = [&](std::string_view part) {
    return message.find(part) != std::string_view::npos;
  };
  if (has("already imported") || has("already known")) return Reply::kAlreadyKnown;
  if (has("nonce too low")) return Reply::kNonceTooLow;
  if (has("underpriced")) return Reply::kUnderpriced;
  if (has("less than block base fee")) return Reply::kFeeTooLow;
  if (has("Insufficient funds") || has("insufficient funds")) return Reply::kInsufficientFunds;
  return Reply::kRejected;
}

}  // namespace

AnvilChain::AnvilChain(const evm::Address& wallet)
    : wallet_(wallet), owner_(evm::Address::Parse(kOwner).value()) {
  const char* binary = std::getenv("PAYMESH_ANVIL");
  if (binary == nullptr) Abort("PAYMESH_ANVIL must name the chain node's program");
  folder_ = (std::filesystem::temp_directory_path() / "settlement-anvil-XXXXXX").string();
  if (mkdtemp(folder_.data()) == nullptr) Abort("no folder for the chain node");
  const std::string log = folder_ + "/log";
  node_ = fork();
  if (node_ == 0) {
    const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    execl(binary, binary, "--host", "127.0.0.1", "--port", "0", "--slots-in-an-epoch", "1",
          static_cast<char*>(nullptr));
    _exit(127);
  }
  for (int i = 0; i < 1'000 && port_ == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const std::string text = ReadFile(log);
    const std::size_t at = text.find("Listening on 127.0.0.1:");
    if (at != std::string::npos) port_ = std::atoi(text.c_str() + at + 23);
  }
  if (port_ == 0) Abort("the chain node does not listen: " + ReadFile(log));
  url_ = "http://127.0.0.1:" + std::to_string(port_);
  contracts_ = json::parse(RunAndRead("node " + SourcePath("/deploy/contracts/deploy.mjs") +
                                      " --rpc " + url_ + " --key " + kOwnerKey + " --operator " +
                                      wallet.ToHex() + " --dev 2>/dev/null"));
  Rpc("anvil_setBalance", "[" + Quote(wallet.ToHex()) + "," + kRich + "]");
  Rpc("evm_setAutomine", "[false]");
}

AnvilChain::~AnvilChain() {
  kill(node_, SIGKILL);
  waitpid(node_, nullptr, 0);
  std::filesystem::remove_all(folder_);
}

json::object AnvilChain::RpcAnswer(std::string_view method, std::string_view params) {
  const std::string body = R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(method) +
                           R"(","params":)" + std::string(params) + "}";
  return json::parse(Post(port_, body)).as_object();
}

json::value AnvilChain::Rpc(std::string_view method, std::string_view params) {
  json::object answer = RpcAnswer(method, params);
  if (answer.contains("error")) {
    Abort(std::string(method) + ": " + json::serialize(answer["error"]));
  }
  return answer["result"];
}

void AnvilChain::Mine(int blocks) {
  for (int i = 0; i < blocks; ++i) Rpc("evm_mine", "[]");
}

void AnvilChain::SendAs(const evm::Address& from, const evm::Address& to, const evm::Bytes& data) {
  Rpc("eth_sendTransaction", "[" + CallObject(from, to, data) + "]");
  Mine();
}

U256 AnvilChain::BalanceOf(const evm::Address& token, const evm::Address& holder,
                           std::string_view block) {
  const evm::Bytes data = evm::EncodeCall("balanceOf(address)", {holder}).value();
  const json::value result = Rpc(
      "eth_call", "[" + CallObject(holder, token, data) + "," + Quote(std::string(block)) + "]");
  return U256::FromHex(Text(result)).value();
}

evm::Address AnvilChain::Contract(std::string_view name) const {
  return evm::Address::Parse(Text(contracts_.at(name))).value();
}
evm::Address AnvilChain::Token(std::string_view name) const {
  return evm::Address::Parse(Text(contracts_.at("tokens").at(name))).value();
}

Fate AnvilChain::ReadFate(const std::string& hash, std::uint64_t finalized) {
  Fate fate;
  fate.chain = "eip155:31337";
  fate.transaction_hash = hash;
  fate.from = wallet_.ToHex();
  const json::value receipt = Rpc("eth_getTransactionReceipt", "[" + Quote(hash) + "]");
  if (receipt.is_null()) return fate;
  fate.block_number = Number(receipt.at("blockNumber"));
  fate.block_hash = Text(receipt.at("blockHash"));
  fate.block_time = Time(std::chrono::seconds(1'700'000'000 + fate.block_number));
  fate.state = fate.block_number <= finalized ? FateState::kFinalized : FateState::kIncluded;
  fate.success = Number(receipt.at("status")) == 1;
  fate.gas_cost =
      CheckedMul(U256(Number(receipt.at("gasUsed"))), U256(Number(receipt.at("effectiveGasPrice"))))
          .value();
  for (const json::value& entry : receipt.at("logs").as_array()) {
    ReceiptLog log;
    log.address = evm::Address::Parse(Text(entry.at("address"))).value();
    for (const json::value& topic : entry.at("topics").as_array()) {
      log.topics.push_back(evm::Hash32::Parse(Text(topic)).value());
    }
    log.data = evm::HexDecode(Text(entry.at("data"))).value();
    fate.logs.push_back(std::move(log));
  }
  return fate;
}

std::vector<Fate> AnvilChain::Fates() {
  const json::value block = Rpc("eth_getBlockByNumber", R"(["finalized",false])");
  const std::uint64_t finalized = Number(block.at("number"));
  std::vector<Fate> left, arrived;
  for (auto& [hash, known] : known_) {
    Fate fate = ReadFate(hash, finalized);
    if (fate.state == known.state && fate.block_hash == known.block_hash) continue;
    const bool was_in = known.state == FateState::kIncluded;
    if (was_in && fate.block_hash != known.block_hash) {
      Fate orphan = fate;
      orphan.state = FateState::kOrphaned;
      left.push_back(std::move(orphan));
    }
    known = {fate.state, fate.block_hash};
    if (fate.state != FateState::kPending) arrived.push_back(std::move(fate));
  }
  for (Fate& fate : arrived) left.push_back(std::move(fate));
  return left;
}

Task<Result<AccountNonces>> AnvilChain::Nonces() {
  const auto count = [&](std::string_view tag) {
    return Number(Rpc("eth_getTransactionCount",
                      "[" + Quote(wallet_.ToHex()) + "," + Quote(std::string(tag)) + "]"));
  };
  co_return AccountNonces{count("latest"), count("pending"), count("finalized")};
}

Task<Result<Market>> AnvilChain::Fees() {
  const json::value block = Rpc("eth_getBlockByNumber", R"(["latest",false])");
  const U256 base = U256::FromQuantity(Text(block.at("baseFeePerGas"))).value();
  const U256 tip(1'000'000'000);
  const U256 cap = CheckedAdd(CheckedAdd(base, base).value(), tip).value();
  co_return Market{base, {cap, tip}};
}

Task<Result<std::map<std::string, U256>>> AnvilChain::VaultBalances(
    std::vector<std::string> units) {
  std::map<std::string, U256> balances;
  for (const std::string& unit : units) {
    const evm::Address token = evm::Address::Of(*Unit::Parse(unit).value().asset());
    balances[unit] = BalanceOf(token, Contract("vault"), "finalized");
  }
  co_return balances;
}

Task<Result<std::map<std::string, U256>>> AnvilChain::DailyAllowances(
    std::vector<std::string> units) {
  const auto ask = [&](const evm::Bytes& data) {
    const json::value result =
        Rpc("eth_call", "[" + CallObject(wallet_, Contract("vault"), data) + R"(,"latest"])");
    return ParseUint(evm::HexDecode(Text(result)).value()).value();
  };
  std::map<std::string, U256> left;
  for (const std::string& unit : units) {
    const evm::Address token = evm::Address::Of(*Unit::Parse(unit).value().asset());
    left[unit] =
        SaturatingSub(ask(LimitCallData(token).value()), ask(SpentCallData(token).value()));
  }
  co_return left;
}

Task<Result<std::string>> AnvilChain::DryRun(PayItem item) {
  const evm::Bytes data = PayCallData(item).value();
  json::object answer =
      RpcAnswer("eth_call", "[" + CallObject(wallet_, Contract("vault"), data) + R"(,"latest"])");
  if (!answer.contains("error")) co_return std::string();
  const json::object& error = answer["error"].as_object();
  const json::value* revert = error.if_contains("data");
  if (revert == nullptr || !revert->is_string()) co_return Text(error.at("message"));
  co_return RevertReason(evm::HexDecode(Text(*revert)).value());
}

Task<Result<bool>> AnvilChain::IsPaid(std::string payout_id) {
  const evm::Bytes data = PaidCallData(payout_id).value();
  const json::value result =
      Rpc("eth_call", "[" + CallObject(wallet_, Contract("vault"), data) + R"(,"finalized"])");
  co_return ParseBool(evm::HexDecode(Text(result)).value());
}

Task<Result<Reply>> AnvilChain::Broadcast(evm::Bytes raw) {
  ++broadcasts_;
  const std::string hash = evm::DecodeSigned(raw).value().hash.ToHex();
  known_.try_emplace(hash);
  json::object answer = RpcAnswer("eth_sendRawTransaction", "[" + Quote(evm::HexEncode(raw)) + "]");
  if (std::exchange(lose_reply_, false)) {
    co_return Error::Unavailable("NODE_UNAVAILABLE", "the answer was lost");
  }
  if (!answer.contains("error")) co_return Reply::kAccepted;
  // The same bytes, mined already, are known, whatever the node calls it.
  if (!Rpc("eth_getTransactionReceipt", "[" + Quote(hash) + "]").is_null()) {
    co_return Reply::kAlreadyKnown;
  }
  co_return ReplyOf(Text(answer["error"].at("message")));
}

Task<Result<Whereabouts>> AnvilChain::Find(evm::Hash32 hash) {
  const auto known = known_.find(hash.ToHex());
  if (known == known_.end()) co_return Whereabouts::kUnknown;
  const json::value receipt = Rpc("eth_getTransactionReceipt", "[" + Quote(hash.ToHex()) + "]");
  co_return receipt.is_null() ? Whereabouts::kPending : Whereabouts::kInBlock;
}

}  // namespace paymesh::settlement
