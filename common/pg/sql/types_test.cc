// What goes into PostgreSQL comes out again, whatever is in it.
#include <gtest/gtest.h>

#include "common/pg/testing/test_database.h"

namespace paymesh::pg {
namespace {

using namespace std::chrono_literals;

class Types : public testing::Test {
 protected:
  // Sends one value, with a cast to `type`, and reads it back.
  template <class T>
  Result<T> Echo(const std::string& type, const T& value) {
    const std::string sql = "SELECT $1::" + type + " AS value";
    return database_.database().TransactBlocking({}, [&](Transaction& tx) -> Result<T> {
      return tx.Execute(sql, value).front().template Get<T>("value");
    });
  }
  template <class T>
  void ExpectSame(const std::string& type, const T& value) {
    const Result<T> echoed = Echo(type, value);
    ASSERT_TRUE(echoed.ok()) << echoed.error().ToString();
    EXPECT_TRUE(*echoed == value) << type;
  }

  TestDatabase database_;
};

TEST_F(Types, NumbersGoThroughUnchanged) {
  ExpectSame<std::int64_t>("bigint", std::numeric_limits<std::int64_t>::min());
  ExpectSame<std::int64_t>("bigint", std::numeric_limits<std::int64_t>::max());
  ExpectSame<int>("int", -7);
  ExpectSame<bool>("bool", true);
  ExpectSame<bool>("bool", false);
  ExpectSame<std::uint64_t>("numeric", std::numeric_limits<std::uint64_t>::max());
}

TEST_F(Types, AmountsGoThroughUnchanged) {
  for (const U256& value : {U256(), U256(1), U256(1'000'000), U256::Max()}) {
    ExpectSame<U256>("numeric(78,0)", value);
  }
  ExpectSame<std::vector<U256>>("numeric[]", {U256::Max(), U256()});
}

TEST_F(Types, TextGoesThroughUnchanged) {
  for (const char* text :
       {"", "NULL", "it's", "back\\slash", "\"quoted\"", "a,b{c}", "ünï→", "\n\t "}) {
    ExpectSame<std::string>("text", text);
  }
}

TEST_F(Types, BytesGoThroughUnchanged) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  ExpectSame<Bytea>("bytea", Bytea(all));
  ExpectSame<Bytea>("bytea", Bytea());
  ExpectSame<std::vector<Bytea>>("bytea[]", {Bytea(all), Bytea(), Bytea("\\x00")});
  ExpectSame<std::vector<Bytea>>("bytea[]", {});
  ExpectSame<std::vector<std::optional<Bytea>>>("bytea[]", {std::nullopt, Bytea(all), Bytea()});
}

TEST_F(Types, TimesGoThroughToTheMicrosecond) {
  const Time now = Time(1'795'000'000'123'456us);
  for (const Time time : {now, Time(0us), Time(-1us), Time(1us), Time(253'402'300'799'999'999us)}) {
    ExpectSame<Time>("timestamptz", time);
  }
  ExpectSame<std::vector<Time>>("timestamptz[]", {now, Time(0us)});
}

TEST_F(Types, ArraysKeepNullsQuotesAndBackslashes) {
  using Texts = std::vector<std::optional<std::string>>;
  ExpectSame<Texts>("text[]", {});
  ExpectSame<Texts>("text[]",
                    Texts{std::nullopt, "", "NULL", "null", "a\"b", "c\\d", "{,}", " x ", "\\\""});
  ExpectSame<std::vector<std::int64_t>>("bigint[]", {1, -2, 3});
  ExpectSame<std::vector<bool>>("bool[]", {true, false});
}

TEST_F(Types, NullIsNulloptAndNothingElse) {
  ExpectSame<std::optional<std::int64_t>>("bigint", std::nullopt);
  ExpectSame<std::optional<std::int64_t>>("bigint", 5);
  const auto read = [](Transaction& tx) -> Result<std::int64_t> {
    return tx.Execute("SELECT NULL::bigint AS value").front().Get<std::int64_t>("value");
  };
  const Result<std::int64_t> null = database_.database().TransactBlocking({}, read);
  ASSERT_FALSE(null.ok());
  EXPECT_EQ(null.error().code, ErrorCode::kInternal);
}

TEST_F(Types, WhatIsNotOfTheTypeIsRefused) {
  const auto refused = [&](const std::string& sql, auto example) {
    using T = decltype(example);
    return !database_.database()
                .TransactBlocking({},
                                  [&](Transaction& tx) -> Result<T> {
                                    return tx.Execute(sql).front().template Get<T>("value");
                                  })
                .ok();
  };
  EXPECT_TRUE(refused("SELECT 'x' AS value", std::int64_t{}));
  EXPECT_TRUE(refused("SELECT 1 AS other", std::int64_t{}));
  EXPECT_TRUE(refused("SELECT 3000000000 AS value", int{}));
  EXPECT_TRUE(refused("SELECT -1::numeric AS value", U256()));
  EXPECT_TRUE(refused("SELECT 1.5::numeric AS value", U256()));
  EXPECT_TRUE(refused("SELECT 'NaN'::numeric AS value", U256()));
  EXPECT_TRUE(refused("SELECT 2::numeric ^ 256 AS value", U256()));
  EXPECT_TRUE(refused("SELECT 'infinity'::timestamptz AS value", Time()));
  EXPECT_TRUE(refused("SELECT '0044-03-15 BC'::timestamptz AS value", Time()));
  EXPECT_TRUE(refused("SELECT '{{1},{2}}'::int[] AS value", std::vector<int>()));
}

TEST_F(Types, ArraysFeedUnnest) {
  const std::vector<std::string> ids{"a", "b'", "c\\"};
  const std::vector<U256> amounts{U256(1), U256::Max(), U256()};
  const auto total = [&](Transaction& tx) -> Result<std::int64_t> {
    const Rows rows = tx.Execute(
        "SELECT id, amount FROM unnest($1::text[], $2::numeric[]) AS t (id, amount)", ids, amounts);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i].Get<std::string>("id"), ids[i]);
      EXPECT_EQ(rows[i].Get<U256>("amount"), amounts[i]);
    }
    return static_cast<std::int64_t>(rows.size());
  };
  EXPECT_EQ(*database_.database().TransactBlocking({}, total), 3);
}

}  // namespace
}  // namespace paymesh::pg
