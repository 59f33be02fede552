// One run of payctl: what the command line said, the mesh it speaks to and where its output goes.
// One thread.
#pragma once

#include <google/protobuf/message.h>

#include <chrono>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error/error.h"
#include "services/payctl/mesh_file.h"
#include "services/payctl/message_text.h"
#include "services/payctl/table.h"

namespace paymesh::payctl {

class Connection;

enum class OutputFormat { kTable, kJson, kCsv };

struct Options {
  std::string mesh;  // file; empty means look for it
  std::string as;    // role in the mesh file; empty means the command's own choice
  OutputFormat output = OutputFormat::kTable;
  std::string timeout = "10s";
  std::string request_id;
  std::string api_key;
  std::string ca, certificate, key;    // instead of the mesh file's
  std::vector<std::string> addresses;  // "checkout=127.0.0.1:7101"
  std::vector<std::string> health_addresses;
  std::vector<std::string> identities;  // "checkout=spiffe://…"
};

// What surrounds the program.
struct Environment {
  std::ostream& out;
  std::ostream& err;
  std::string directory;                              // where the search for mesh.json begins
  std::map<std::string, std::string> variables = {};  // PAYMESH_MESH, PAYMESH_API_KEY, NO_COLOR
  bool out_is_terminal = false;
  bool err_is_terminal = false;

  std::string Variable(const std::string& name) const;
};

// Whose certificate a command comes with when --as does not say.
enum class Who { kOperator, kApprover };

class Session {
 public:
  explicit Session(Environment environment);
  ~Session();

  Options& options() { return options_; }
  const Environment& environment() const { return environment_; }

  // A command's work, chosen while the command line is parsed and run after it.
  using Action = std::function<Status(Session&)>;
  void Choose(Action action) { action_ = std::move(action); }
  Status Run();

  // Before the first call.
  void ActAs(Who who) { who_ = who; }
  Status Call(const google::protobuf::Message& request, google::protobuf::Message& reply);
  // As Call, with the request id set, and told on stderr so that the command can be repeated.
  Status Change(google::protobuf::Message& request, google::protobuf::Message& reply);
  // Follows the pages until `limit` elements of the reply's one list are there; the reply's token
  // then says whether there is more.
  Status List(google::protobuf::Message& request, google::protobuf::Message& reply, int limit);
  // Reads a stream until `on_reply` says false, across restarts of the server: it is opened again
  // with `request`, in which `on_reply` keeps the position.
  Status Follow(const google::protobuf::Message& request, google::protobuf::Message& reply,
                const std::function<bool()>& on_reply);
  Result<std::map<std::string, std::string>> HealthAddresses();
  Result<std::chrono::milliseconds> Timeout() const;

  // The result of a command: the message as JSON, or the table.
  void Show(const google::protobuf::Message& message, const Table& table);
  // The same where the contracts have no message for it.
  void ShowText(const Table& table, const std::string& json);
  // Results that come one by one: Begin names the columns with their least widths, then rows.
  void BeginRows(const std::vector<std::pair<std::string, std::size_t>>& columns);
  void ShowRow(const google::protobuf::Message& message, const std::vector<std::string>& cells);
  // For people, on stderr.
  void Note(std::string_view line);
  // An amount as the output format wants it.
  std::string Money(const paymesh::type::v1::Amount& amount);
  // How the mesh's tokens are shown; asked of the watcher once, empty when it does not answer.
  const TokenLooks& Tokens();
  // The units that merchants may accept, in the watcher's order; empty when it does not answer.
  const std::vector<std::string>& AcceptedUnits();
  void AddToken(const std::string& unit, TokenLook look) { looks_[unit] = std::move(look); }

  bool colour_out() const;
  bool colour_err() const;

 private:
  Status Connect();
  Result<MeshFile> Mesh();
  Result<std::map<std::string, std::string>> Addresses(const MeshFile& mesh, bool health) const;
  Result<std::map<std::string, std::string>> Identities(const MeshFile& mesh) const;

  Environment environment_;
  Options options_;
  Action action_;
  Who who_ = Who::kOperator;
  std::unique_ptr<Connection> connection_;
  std::vector<std::size_t> widths_;
  TokenLooks looks_;
  std::vector<std::string> accepted_units_;
  bool asked_for_tokens_ = false;
};

}  // namespace paymesh::payctl
