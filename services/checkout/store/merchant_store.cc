#include "services/checkout/store/merchant_store.h"

#include <utility>

#include "common/outbox/append.h"
#include "services/checkout/convert.h"
#include "services/checkout/reasons.h"
#include "services/checkout/store/payment_store.h"

namespace paymesh::checkout {
namespace {

constexpr std::string_view kMerchantColumns =
    "SELECT merchant_id, display_name, accepted_units, policy, fee_basis_points, fee_units, "
    "fee_values, tolerance_basis_points, create_time, revision FROM merchant ";
constexpr std::string_view kKeyColumns =
    "api_key_id, merchant_id, display_name, secret_prefix, create_time, revoke_time";

Result<Merchant> ReadMerchant(const pg::Row& row) {
  Merchant merchant;
  merchant.merchant_id = row.Get<std::string>("merchant_id");
  merchant.display_name = row.Get<std::string>("display_name");
  for (const std::string& text : row.Get<std::vector<std::string>>("accepted_units")) {
    ASSIGN_OR_RETURN(Unit unit, Unit::Parse(text));
    merchant.accepted_units.push_back(std::move(unit));
  }
  merchant.policy = static_cast<Finality>(row.Get<int>("policy"));
  merchant.fee_plan.basis_points = static_cast<std::uint32_t>(row.Get<int>("fee_basis_points"));
  const auto units = row.Get<std::vector<std::string>>("fee_units");
  const auto values = row.Get<std::vector<U256>>("fee_values");
  for (std::size_t i = 0; i < units.size() && i < values.size(); ++i) {
    ASSIGN_OR_RETURN(const Unit unit, Unit::Parse(units[i]));
    merchant.fee_plan.fixed[unit] = values[i];
  }
  merchant.tolerance_basis_points =
      static_cast<std::uint32_t>(row.Get<int>("tolerance_basis_points"));
  merchant.create_time = row.Get<Time>("create_time");
  merchant.revision = row.Get<std::int64_t>("revision");
  return merchant;
}

ApiKey ReadKey(const pg::Row& row) {
  return {.api_key_id = row.Get<std::string>("api_key_id"),
          .merchant_id = row.Get<std::string>("merchant_id"),
          .display_name = row.Get<std::string>("display_name"),
          .secret_prefix = row.Get<std::string>("secret_prefix"),
          .create_time = row.Get<Time>("create_time"),
          .revoke_time = row.Get<std::optional<Time>>("revoke_time")};
}

}  // namespace

void InsertMerchant(pg::Transaction& tx, const Merchant& merchant) {
  std::vector<std::string> units, fee_units;
  std::vector<U256> fee_values;
  for (const Unit& unit : merchant.accepted_units) units.push_back(unit.ToString());
  for (const auto& [unit, value] : merchant.fee_plan.fixed) {
    fee_units.push_back(unit.ToString());
    fee_values.push_back(value);
  }
  tx.Execute(
      "INSERT INTO merchant VALUES ($1, $2, $3::text[], $4, $5, $6::text[], $7::numeric[], $8, $9, "
      "$10)",
      merchant.merchant_id, merchant.display_name, units, static_cast<int>(merchant.policy),
      static_cast<int>(merchant.fee_plan.basis_points), fee_units, fee_values,
      static_cast<int>(merchant.tolerance_basis_points), merchant.create_time, merchant.revision);
  outbox::Entry entry;
  entry.subject = merchant.merchant_id;
  entry.owner = merchant.merchant_id;
  entry.kind = "merchant.created";
  entry.payload = MerchantEvent(merchant, entry.kind).SerializeAsString();
  outbox::Append(tx, kEventsJournal, std::move(entry));
}

Result<std::optional<Merchant>> LoadMerchant(pg::Transaction& tx, std::string_view merchant_id) {
  static const std::string sql = std::string(kMerchantColumns) + "WHERE merchant_id = $1";
  const pg::Rows rows = tx.Execute(sql, merchant_id);
  if (rows.empty()) return std::optional<Merchant>();
  ASSIGN_OR_RETURN(Merchant merchant, ReadMerchant(rows.front()));
  return std::optional<Merchant>(std::move(merchant));
}

Result<std::vector<Merchant>> ListMerchants(pg::Transaction& tx, std::string_view before_id,
                                            int limit) {
  static const std::string first =
      std::string(kMerchantColumns) + "ORDER BY merchant_id DESC LIMIT $1";
  static const std::string next =
      std::string(kMerchantColumns) + "WHERE merchant_id < $2 ORDER BY merchant_id DESC LIMIT $1";
  const pg::Rows rows =
      before_id.empty() ? tx.Execute(first, limit) : tx.Execute(next, limit, before_id);
  std::vector<Merchant> merchants;
  for (const pg::Row& row : rows) {
    ASSIGN_OR_RETURN(Merchant merchant, ReadMerchant(row));
    merchants.push_back(std::move(merchant));
  }
  return merchants;
}

Status InsertApiKey(pg::Transaction& tx, const ApiKey& key, const pg::Bytea& secret_hash) {
  tx.Execute("SELECT 1 FROM merchant WHERE merchant_id = $1 FOR UPDATE", key.merchant_id);
  const std::int64_t active =
      tx.Execute("SELECT count(*) AS n FROM api_key WHERE merchant_id = $1 AND revoke_time IS NULL",
                 key.merchant_id)
          .front()
          .Get<std::int64_t>("n");
  if (active >= kMaxActiveApiKeys) {
    return Error::FailedPrecondition(std::string(reasons::kTooManyApiKeys),
                                     "two keys are active; revoke one first");
  }
  tx.Execute("INSERT INTO api_key VALUES ($1, $2, $3, $4, $5, $6, NULL)", key.api_key_id,
             key.merchant_id, key.display_name, key.secret_prefix, secret_hash, key.create_time);
  return {};
}

std::vector<ApiKey> ListApiKeys(pg::Transaction& tx, std::string_view merchant_id) {
  static const std::string sql = "SELECT " + std::string(kKeyColumns) +
                                 " FROM api_key WHERE merchant_id = $1 ORDER BY api_key_id DESC";
  std::vector<ApiKey> keys;
  for (const pg::Row& row : tx.Execute(sql, merchant_id)) keys.push_back(ReadKey(row));
  return keys;
}

std::optional<ApiKey> RevokeApiKey(pg::Transaction& tx, std::string_view api_key_id, Time now) {
  static const std::string sql =
      "UPDATE api_key SET revoke_time = coalesce(revoke_time, $2) WHERE api_key_id = $1 "
      "RETURNING " +
      std::string(kKeyColumns);
  const pg::Rows rows = tx.Execute(sql, api_key_id, now);
  if (rows.empty()) return std::nullopt;
  return ReadKey(rows.front());
}

std::optional<KeyOwner> FindApiKey(pg::Transaction& tx, const pg::Bytea& secret_hash) {
  const pg::Rows rows = tx.Execute(
      "SELECT api_key_id, merchant_id FROM api_key WHERE secret_hash = $1 AND revoke_time IS NULL",
      secret_hash);
  if (rows.empty()) return std::nullopt;
  return KeyOwner{rows.front().Get<std::string>("api_key_id"),
                  rows.front().Get<std::string>("merchant_id")};
}

}  // namespace paymesh::checkout
