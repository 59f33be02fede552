// The whole service over gRPC and PostgreSQL, with fake peers.
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "common/pg/testing/test_database.h"
#include "services/checkout/testing/mesh.h"

namespace paymesh::checkout {
namespace {
using namespace testing;  // NOLINT: the test's own names
using grpc::StatusCode;
namespace watcherpb = ::paymesh::watcher::v1;

class Checkout : public ::testing::Test {
 protected:
  struct Created {
    grpc::Status status;
    pb::CreatePaymentResponse response;
  };
  Created Create(const pb::CreatePaymentRequest& request, const std::string& who = "operator",
                 const std::string& key = "") {
    Created created;
    grpc::ClientContext context;
    Mesh::As(context, who, key);
    created.status = mesh_.payments().CreatePayment(&context, request, &created.response);
    return created;
  }
  grpc::Status Get(const std::string& id, const std::string& who, const std::string& key = "") {
    grpc::ClientContext context;
    Mesh::As(context, who, key);
    pb::GetPaymentRequest request;
    request.set_payment_id(id);
    pb::GetPaymentResponse response;
    return mesh_.payments().GetPayment(&context, request, &response);
  }
  pb::ListPaymentsResponse List(const pb::ListPaymentsRequest& request, grpc::Status* status,
                                const std::string& who = "operator", const std::string& key = "") {
    grpc::ClientContext context;
    Mesh::As(context, who, key);
    pb::ListPaymentsResponse response;
    *status = mesh_.payments().ListPayments(&context, request, &response);
    return response;
  }
  grpc::Status Cancel(const std::string& id, const std::string& request_id) {
    grpc::ClientContext context;
    Mesh::As(context, "operator");
    pb::CancelPaymentRequest request;
    request.set_request_id(request_id);
    request.set_payment_id(id);
    pb::CancelPaymentResponse response;
    return mesh_.payments().CancelPayment(&context, request, &response);
  }
  static bool Is(const pb::Payment& payment, pb::PaymentState state) {
    return payment.state() == state;
  }
  Mesh mesh_;
};

TEST_F(Checkout, CreatesAPaymentWithEveryOptionAndOneAddress) {
  const std::string merchant = mesh_.MakeMerchant();
  const pb::Payment payment = mesh_.CreatePayment(merchant);
  EXPECT_EQ(payment.state(), pb::PAYMENT_STATE_AWAITING_PAYMENT);
  EXPECT_EQ(payment.revision(), 1);
  ASSERT_EQ(payment.options_size(), 2);
  EXPECT_EQ(payment.options(0).due().value(), "12500000");
  EXPECT_EQ(payment.options(0).deposit_address(), payment.deposit_address());
  EXPECT_TRUE(payment.options(1).payment_uri().starts_with("ethereum:0x"));
  EXPECT_TRUE(mesh_.watcher().Watches(payment.deposit_address()));
  EXPECT_EQ(payment.expire_time().seconds() - payment.create_time().seconds(), 900);
  EXPECT_EQ(mesh_.Get(payment.payment_id()).SerializeAsString(), payment.SerializeAsString());
}

TEST_F(Checkout, AdvancesAPaymentWithTheWatchersNewsAndShowsItToAWatcher) {
  const pb::Payment payment = mesh_.CreatePayment(mesh_.MakeMerchant());
  grpc::ClientContext context;
  Mesh::As(context, "operator");
  pb::WatchPaymentRequest request;
  request.set_payment_id(payment.payment_id());
  auto stream = mesh_.payments().WatchPayment(&context, request);
  pb::WatchPaymentResponse update;
  ASSERT_TRUE(stream->Read(&update));
  EXPECT_EQ(update.payment().revision(), 1);
  mesh_.Transfer(payment, "1", "12500000", watcherpb::TRANSFER_STATE_INCLUDED);
  ASSERT_TRUE(stream->Read(&update));
  EXPECT_EQ(update.payment().state(), pb::PAYMENT_STATE_PROCESSING);
  mesh_.Transfer(payment, "1", "12500000", watcherpb::TRANSFER_STATE_SAFE);
  ASSERT_TRUE(stream->Read(&update));
  EXPECT_EQ(update.payment().state(), pb::PAYMENT_STATE_SUCCEEDED);
  EXPECT_EQ(update.payment().gross().value(), "12500000");
  EXPECT_EQ(update.payment().fee().value(), "125000");
  EXPECT_EQ(update.payment().net().value(), "12375000");
  EXPECT_TRUE(update.payment().options(0).bound());
  context.TryCancel();
}

TEST_F(Checkout, TellsTheWatcherWhoseTraceAnAddressIsForAndKeepsItWithAllThatFollows) {
  const std::string merchant = mesh_.MakeMerchant();
  mesh_.CreatePayment(merchant);  // the first call may have to be made again
  const std::string traces[] = {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"};
  for (const std::string& trace : traces) {
    grpc::ClientContext context;
    Mesh::As(context, "operator");
    context.AddMetadata("traceparent", trace);
    pb::CreatePaymentResponse created;
    ASSERT_TRUE(
        mesh_.payments().CreatePayment(&context, mesh_.NewPayment(merchant, "100"), &created).ok());
    const pb::Payment& payment = created.payment();
    // Nothing is kept for ever for a trace that nobody records.
    EXPECT_EQ(mesh_.watcher().TraceOf(payment.deposit_address()),
              trace.ends_with("1") ? trace : "");
    mesh_.Transfer(payment, trace.substr(3, 2), "1000000", watcherpb::TRANSFER_STATE_SAFE);
    mesh_.Await(payment.payment_id(),
                [](const pb::Payment& now) { return Is(now, pb::PAYMENT_STATE_SUCCEEDED); });
    EXPECT_EQ(mesh_.database().Query("SELECT string_agg(DISTINCT trace, ' ') FROM journal_entry"
                                     " WHERE subject = '" +
                                     payment.payment_id() + "'"),
              trace);
  }
}

TEST_F(Checkout, ShowsWhatSettlementDidInTheTimeline) {
  const pb::Payment payment = mesh_.CreatePayment(mesh_.MakeMerchant());
  settlement::v1::Event event;
  event.mutable_payment_money()->set_payment_id(payment.payment_id());
  event.mutable_payment_money()->set_stage(settlement::v1::PAYMENT_MONEY_STAGE_PAID_OUT);
  event.mutable_payment_money()->set_settled(true);
  mesh_.settlement().journal.Append(event);
  const pb::Payment told = mesh_.Await(
      payment.payment_id(), [](const pb::Payment& now) { return now.flags_size() == 1; });
  EXPECT_EQ(told.flags(0), pb::PAYMENT_FLAG_SETTLED_TO_MERCHANT);
  EXPECT_EQ(told.timeline(told.timeline_size() - 1).kind(), "paid_out");
}

TEST_F(Checkout, ExpiresAPaymentOnceTheCheckpointsArePastItsDeadline) {
  const pb::Payment payment = mesh_.CreatePayment(mesh_.MakeMerchant());
  mesh_.Checkpoint(std::chrono::minutes(15));
  mesh_.Checkpoint(std::chrono::minutes(17));
  mesh_.Await(payment.payment_id(),
              [](const pb::Payment& now) { return Is(now, pb::PAYMENT_STATE_EXPIRED); });
}

TEST_F(Checkout, FinishesAPaymentThatWasMadeWhileTheWatcherWasDown) {
  const std::string merchant = mesh_.MakeMerchant();
  mesh_.watcher().down = true;
  const pb::Payment payment = mesh_.CreatePayment(merchant);
  EXPECT_EQ(payment.state(), pb::PAYMENT_STATE_CREATED);
  EXPECT_EQ(payment.deposit_address(), "");
  EXPECT_EQ(payment.options(0).payment_uri(), "");
  mesh_.watcher().down = false;
  const pb::Payment finished = mesh_.Await(payment.payment_id(), [](const pb::Payment& now) {
    return Is(now, pb::PAYMENT_STATE_AWAITING_PAYMENT);
  });
  EXPECT_TRUE(mesh_.watcher().Watches(finished.deposit_address()));
}

TEST_F(Checkout, OffersTheLastOptionsOfPeggedTokensWhileRoutingIsDown) {
  const std::string merchant = mesh_.MakeMerchant();
  mesh_.routing().down = true;
  const Created refused = Create(mesh_.NewPayment(merchant, "100"));
  EXPECT_EQ(refused.status.error_code(), StatusCode::UNAVAILABLE);
  mesh_.routing().down = false;
  mesh_.CreatePayment(merchant, "1250");
  mesh_.routing().down = true;
  const Created created = Create(mesh_.NewPayment(merchant, "777"));
  ASSERT_TRUE(created.status.ok()) << created.status.error_message();
  EXPECT_EQ(created.response.payment().options(0).due().value(), "7770000");
  EXPECT_EQ(created.response.payment().decision_id(), "");
}

TEST_F(Checkout, SaysWhyNothingCanBeOffered) {
  const std::string merchant = mesh_.MakeMerchant();
  mesh_.CreatePayment(merchant);
  pb::CreatePaymentRequest request = mesh_.NewPayment(merchant, "100");
  request.mutable_price()->set_unit("iso4217/JPY");
  const Created created = Create(request);
  EXPECT_EQ(created.status.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ReasonOf(created.status), "NO_OPTION");
}

TEST_F(Checkout, AsksToTryAgainWhileTheChainsAreDegraded) {
  const std::string merchant = mesh_.MakeMerchant();
  mesh_.CreatePayment(merchant);
  mesh_.routing().degraded = true;
  const pb::CreatePaymentRequest request = mesh_.NewPayment(merchant, "100");
  const Created refused = Create(request);
  EXPECT_EQ(refused.status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(refused.status), "CHAINS_UNAVAILABLE");
  mesh_.routing().degraded = false;
  EXPECT_TRUE(Create(request).status.ok());
}

TEST_F(Checkout, ReplaysTheFirstAnswerAndRefusesAnotherBody) {
  const std::string merchant = mesh_.MakeMerchant();
  mesh_.CreatePayment(merchant);
  pb::CreatePaymentRequest request = mesh_.NewPayment(merchant, "100");
  const Created first = Create(request);
  ASSERT_TRUE(first.status.ok());
  const Created again = Create(request);
  ASSERT_TRUE(again.status.ok());
  EXPECT_EQ(first.response.SerializeAsString(), again.response.SerializeAsString());
  request.mutable_price()->set_value("101");
  const Created other = Create(request);
  EXPECT_EQ(other.status.error_code(), StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(ReasonOf(other.status), "IDEMPOTENCY_KEY_REUSED");
}

TEST_F(Checkout, MakesOnePaymentOfFiftyConcurrentEqualRequests) {
  const std::string merchant = mesh_.MakeMerchant();
  mesh_.CreatePayment(merchant);
  const pb::CreatePaymentRequest request = mesh_.NewPayment(merchant, "4321");
  std::vector<std::future<Created>> calls;
  for (int i = 0; i < 50; ++i) {
    calls.push_back(std::async(std::launch::async, [&] { return Create(request); }));
  }
  std::set<std::string> ids;
  for (auto& call : calls) {
    const Created created = call.get();
    if (created.status.ok()) {
      ids.insert(created.response.payment().payment_id());
    } else {
      EXPECT_EQ(ReasonOf(created.status), "REQUEST_IN_PROGRESS");
    }
  }
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_EQ(mesh_.database().Query("SELECT count(*) FROM payment WHERE price_value = 4321"), "1");
}

TEST_F(Checkout, GathersConcurrentRequestsIntoFewCalls) {
  const std::string merchant = mesh_.MakeMerchant();
  mesh_.CreatePayment(merchant);
  const int before = mesh_.routing().calls;
  std::vector<pb::CreatePaymentRequest> requests;
  for (int i = 0; i < 64; ++i)
    requests.push_back(mesh_.NewPayment(merchant, std::to_string(i + 1)));
  std::vector<std::future<Created>> calls;
  for (const auto& request : requests) {
    calls.push_back(std::async(std::launch::async, [&] { return Create(request); }));
  }
  for (auto& call : calls) EXPECT_TRUE(call.get().status.ok());
  EXPECT_LT(mesh_.routing().calls - before, 64);
  EXPECT_EQ(mesh_.database().Query("SELECT count(*) FROM payment"), "65");
}

TEST_F(Checkout, RefusesEveryMalformedAmountWithItsField) {
  const std::string merchant = mesh_.MakeMerchant();
  mesh_.CreatePayment(merchant);
  const std::string nul("1\0", 2);
  const std::vector<std::string> bad{
      "",
      " ",
      "0",
      "-0",
      "+1",
      "-1",
      "00",
      "01",
      "1.",
      ".5",
      "0.0000001",
      "1e6",
      "1E+6",
      "0x10",
      "1_000",
      "1,000",
      "1 000",
      "NaN",
      "Infinity",
      "-Infinity",
      "1.0",
      "1\n",
      nul,
      "\u0661\u0662\u0663",
      "\uff11\uff12\uff13",
      "1\u200b",
      "\u22121",
      "1" + std::string(78, '0'),
      "1000000000000000000000000000001",
      std::string(78, '9'),
      std::string(100'000, '9'),
      "115792089237316195423570985008687907853269984665640564039457584007913129639935",
      "115792089237316195423570985008687907853269984665640564039457584007913129639936"};
  for (const std::string& value : bad) {
    const Created created = Create(mesh_.NewPayment(merchant, value));
    EXPECT_EQ(created.status.error_code(), StatusCode::INVALID_ARGUMENT) << value.substr(0, 90);
    EXPECT_EQ(FieldOf(created.status), "price.value") << value.substr(0, 90);
  }
  for (const char* value : {"1", "1000000000000000000", "1000000000000000000000000000000"}) {
    EXPECT_TRUE(Create(mesh_.NewPayment(merchant, value)).status.ok()) << value;
  }
}

TEST_F(Checkout, RefusesMalformedUnitsIdsTextsAndTimes) {
  const std::string merchant = mesh_.MakeMerchant();
  mesh_.CreatePayment(merchant);
  using Change = std::function<void(pb::CreatePaymentRequest&)>;
  const std::vector<std::pair<std::string, Change>> bad{
      {"price.unit", [](auto& r) { r.mutable_price()->set_unit("USD"); }},
      {"price.unit", [](auto& r) { r.mutable_price()->set_unit("iso4217/usd"); }},
      {"price.unit", [](auto& r) { r.mutable_price()->set_unit("iso4217/XXX"); }},
      {"price.unit", [](auto& r) { r.mutable_price()->set_unit("iso4217/U\u0405D"); }},
      {"price.unit", [](auto& r) { r.mutable_price()->set_unit("caip19/eip155:1/slip44:60"); }},
      {"price.unit",
       [](auto& r) { r.mutable_price()->set_unit(kUsdA.substr(0, kUsdA.size() - 1) + "2"); }},
      {"request_id", [](auto& r) { r.set_request_id(""); }},
      {"request_id", [](auto& r) { r.set_request_id(std::string(129, 'a')); }},
      {"request_id", [](auto& r) { r.set_request_id("a\x7f"); }},
      {"reference", [](auto& r) { r.set_reference(std::string(201, 'a')); }},
      {"reference", [](auto& r) { r.set_reference(std::string("a\0b", 3)); }},
      {"description", [](auto& r) { r.set_description(std::string(1'001, 'a')); }},
      {"metadata", [](auto& r) { (*r.mutable_metadata())[""] = "x"; }},
      {"metadata", [](auto& r) { (*r.mutable_metadata())["a"] = std::string(501, 'x'); }},
      {"metadata",
       [](auto& r) {
         for (int i = 0; i < 21; ++i) (*r.mutable_metadata())[std::to_string(i)] = "x";
       }},
      {"time_to_live", [](auto& r) { r.mutable_time_to_live()->set_seconds(0); }},
      {"time_to_live", [](auto& r) { r.mutable_time_to_live()->set_seconds(-60); }},
      {"time_to_live", [](auto& r) { r.mutable_time_to_live()->set_seconds(604'801); }},
      {"time_to_live", [](auto& r) { r.mutable_time_to_live()->set_seconds(1LL << 62); }},
      {"time_to_live", [](auto& r) { r.mutable_time_to_live()->set_nanos(5); }},
      {"merchant_id", [](auto& r) { r.clear_merchant_id(); }},
  };
  for (const auto& [field, change] : bad) {
    pb::CreatePaymentRequest request = mesh_.NewPayment(merchant, "100");
    change(request);
    const Created created = Create(request);
    EXPECT_EQ(created.status.error_code(), StatusCode::INVALID_ARGUMENT) << request.DebugString();
    EXPECT_EQ(FieldOf(created.status), field) << request.DebugString();
  }
}

TEST_F(Checkout, NeverShowsMerchantBToMerchantA) {
  const std::string a = mesh_.MakeMerchant();
  const std::string b = mesh_.MakeMerchant();
  const std::string key_a = mesh_.MakeKey(a);
  const pb::Payment of_b = mesh_.CreatePayment(b);
  EXPECT_EQ(Get(of_b.payment_id(), "edge", key_a).error_code(), StatusCode::NOT_FOUND);
  grpc::Status status;
  pb::ListPaymentsRequest list;
  EXPECT_EQ(List(list, &status, "edge", key_a).payments_size(), 0);
  EXPECT_TRUE(status.ok());
  list.set_merchant_id(b);
  List(list, &status, "edge", key_a);
  EXPECT_EQ(status.error_code(), StatusCode::NOT_FOUND);
  const Created foreign = Create(mesh_.NewPayment(b, "100"), "edge", key_a);
  EXPECT_EQ(foreign.status.error_code(), StatusCode::NOT_FOUND);
  pb::CreatePaymentRequest own = mesh_.NewPayment("", "100");
  const Created created = Create(own, "edge", key_a);
  ASSERT_TRUE(created.status.ok()) << created.status.error_message();
  EXPECT_EQ(created.response.payment().merchant_id(), a);

  grpc::ClientContext cancel_context;
  Mesh::As(cancel_context, "edge", key_a);
  pb::CancelPaymentRequest cancel;
  cancel.set_request_id("cancel");
  cancel.set_payment_id(of_b.payment_id());
  pb::CancelPaymentResponse canceled;
  EXPECT_EQ(mesh_.payments().CancelPayment(&cancel_context, cancel, &canceled).error_code(),
            StatusCode::NOT_FOUND);
  grpc::ClientContext watch_context;
  Mesh::As(watch_context, "edge", key_a);
  pb::WatchPaymentRequest watch;
  watch.set_payment_id(of_b.payment_id());
  EXPECT_EQ(mesh_.payments().WatchPayment(&watch_context, watch)->Finish().error_code(),
            StatusCode::NOT_FOUND);
  grpc::ClientContext events_context;
  Mesh::As(events_context, "edge", key_a);
  pb::ListEventsResponse events;
  ASSERT_TRUE(mesh_.events().ListEvents(&events_context, {}, &events).ok());
  for (const pb::Event& event : events.events()) EXPECT_EQ(event.merchant_id(), a);
  EXPECT_EQ(events.events_size(), 2);  // the merchant, and their own payment
}

TEST_F(Checkout, KeepsTheRequestIdsOfTwoMerchantsApart) {
  const std::string key_a = mesh_.MakeKey(mesh_.MakeMerchant());
  const std::string key_b = mesh_.MakeKey(mesh_.MakeMerchant());
  mesh_.CreatePayment(mesh_.MakeMerchant());
  const pb::CreatePaymentRequest request = mesh_.NewPayment("", "100");
  const Created of_a = Create(request, "edge", key_a);
  const Created of_b = Create(request, "edge", key_b);
  ASSERT_TRUE(of_a.status.ok() && of_b.status.ok());
  EXPECT_NE(of_a.response.payment().payment_id(), of_b.response.payment().payment_id());
}

TEST_F(Checkout, BindsPageTokensToTheCallerAndTheFilter) {
  const std::string merchant = mesh_.MakeMerchant();
  std::vector<std::string> made;
  for (int i = 0; i < 5; ++i) made.push_back(mesh_.CreatePayment(merchant).payment_id());
  pb::ListPaymentsRequest list;
  list.set_merchant_id(merchant);
  list.set_page_size(2);
  std::vector<std::string> seen;
  grpc::Status status;
  std::string first_token;
  for (int page = 0; page < 3; ++page) {
    const pb::ListPaymentsResponse response = List(list, &status);
    ASSERT_TRUE(status.ok()) << status.error_message();
    for (const pb::Payment& payment : response.payments()) seen.push_back(payment.payment_id());
    list.set_page_token(response.next_page_token());
    if (page == 0) first_token = response.next_page_token();
  }
  std::sort(made.rbegin(), made.rend());
  EXPECT_EQ(seen, made);
  EXPECT_EQ(list.page_token(), "");
  pb::ListPaymentsRequest other;
  other.set_page_token(first_token);
  List(other, &status);
  EXPECT_EQ(ReasonOf(status), "INVALID_PAGE_TOKEN");
  list.set_page_token(first_token.substr(0, first_token.size() - 2) + "xx");
  List(list, &status);
  EXPECT_EQ(ReasonOf(status), "INVALID_PAGE_TOKEN");
  list.clear_page_token();
  list.set_page_size(-1);
  List(list, &status);
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST_F(Checkout, RefusesARevokedKeyAtOnceAndAThirdActiveOne) {
  const std::string merchant = mesh_.MakeMerchant();
  const std::string key = mesh_.MakeKey(merchant);
  const pb::Payment payment = mesh_.CreatePayment(merchant);
  EXPECT_TRUE(Get(payment.payment_id(), "edge", key).ok());
  mesh_.MakeKey(merchant);
  grpc::ClientContext list_context;
  Mesh::As(list_context, "operator");
  pb::ListApiKeysRequest list;
  list.set_merchant_id(merchant);
  pb::ListApiKeysResponse keys;
  ASSERT_TRUE(mesh_.merchants().ListApiKeys(&list_context, list, &keys).ok());
  ASSERT_EQ(keys.api_keys_size(), 2);
  grpc::ClientContext third_context;
  Mesh::As(third_context, "operator");
  pb::CreateApiKeyRequest third;
  third.set_request_id("third");
  third.set_merchant_id(merchant);
  pb::CreateApiKeyResponse made;
  EXPECT_EQ(ReasonOf(mesh_.merchants().CreateApiKey(&third_context, third, &made)),
            "TOO_MANY_API_KEYS");
  grpc::ClientContext revoke_context;
  Mesh::As(revoke_context, "operator");
  pb::RevokeApiKeyRequest revoke;
  revoke.set_request_id("revoke");
  revoke.set_api_key_id(keys.api_keys(1).api_key_id());
  EXPECT_EQ(keys.api_keys(1).secret_prefix(), key.substr(0, 12));
  pb::RevokeApiKeyResponse revoked;
  ASSERT_TRUE(mesh_.merchants().RevokeApiKey(&revoke_context, revoke, &revoked).ok());
  EXPECT_EQ(Get(payment.payment_id(), "edge", key).error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Get(payment.payment_id(), "edge", "pmk_wrong").error_code(),
            StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Get(payment.payment_id(), "edge").error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(mesh_.database().Query("SELECT count(*) FROM api_key WHERE encode(secret_hash, "
                                   "'escape') LIKE '%pmk%'"),
            "0");
}

TEST_F(Checkout, ShowsASecretOnceAndNeverInAReplay) {
  pb::CreateApiKeyRequest request;
  request.set_request_id("once");
  request.set_merchant_id(mesh_.MakeMerchant());
  pb::CreateApiKeyResponse first, again;
  grpc::ClientContext first_context, again_context;
  Mesh::As(first_context, "operator");
  Mesh::As(again_context, "operator");
  ASSERT_TRUE(mesh_.merchants().CreateApiKey(&first_context, request, &first).ok());
  ASSERT_TRUE(mesh_.merchants().CreateApiKey(&again_context, request, &again).ok());
  EXPECT_EQ(first.secret().size(), 68u);
  EXPECT_EQ(again.secret(), "");
  EXPECT_EQ(again.api_key().api_key_id(), first.api_key().api_key_id());
}

TEST_F(Checkout, LetsNobodyCallWhatIsNotTheirs) {
  const std::string merchant = mesh_.MakeMerchant();
  const pb::Payment payment = mesh_.CreatePayment(merchant);
  const std::string key = mesh_.MakeKey(merchant);
  for (const char* who : {"service:watcher", "service:settlement", "reader", "approver"}) {
    EXPECT_EQ(Create(mesh_.NewPayment(merchant, "100"), who).status.error_code(),
              StatusCode::PERMISSION_DENIED)
        << who;
  }
  EXPECT_TRUE(Get(payment.payment_id(), "reader").ok());
  EXPECT_EQ(Get(payment.payment_id(), "service:watcher").error_code(),
            StatusCode::PERMISSION_DENIED);
  pb::ResolvePaymentRequest resolve;
  grpc::ClientContext context;
  Mesh::As(context, "edge", key);
  pb::ResolvePaymentResponse response;
  EXPECT_EQ(mesh_.payments().ResolvePayment(&context, resolve, &response).error_code(),
            StatusCode::PERMISSION_DENIED);
}

TEST_F(Checkout, CancelsBeforeMoneyAndRefusesAfterwards) {
  const std::string merchant = mesh_.MakeMerchant();
  const pb::Payment first = mesh_.CreatePayment(merchant);
  EXPECT_TRUE(Cancel(first.payment_id(), "c1").ok());
  EXPECT_TRUE(Cancel(first.payment_id(), "c1").ok());  // the same request again
  EXPECT_EQ(ReasonOf(Cancel(first.payment_id(), "c2")), "PAYMENT_CLOSED");
  const pb::Payment second = mesh_.CreatePayment(merchant);
  mesh_.Transfer(second, "2", "12500000", watcherpb::TRANSFER_STATE_INCLUDED);
  mesh_.Await(second.payment_id(),
              [](const pb::Payment& now) { return Is(now, pb::PAYMENT_STATE_PROCESSING); });
  EXPECT_EQ(ReasonOf(Cancel(second.payment_id(), "c3")), "PAYMENT_IN_FLIGHT");
  EXPECT_EQ(ReasonOf(Cancel("pay_nonsense", "c4")), "PAYMENT_NOT_FOUND");
}

TEST_F(Checkout, LetsAnOperatorAcceptWhatIsInReview) {
  const pb::Payment payment = mesh_.CreatePayment(mesh_.MakeMerchant());
  EXPECT_TRUE(Cancel(payment.payment_id(), "c1").ok());
  mesh_.Transfer(payment, "3", "12500000", watcherpb::TRANSFER_STATE_SAFE);
  const pb::Payment review = mesh_.Await(payment.payment_id(), [](const pb::Payment& now) {
    return Is(now, pb::PAYMENT_STATE_REQUIRES_REVIEW);
  });
  pb::ResolvePaymentRequest request;
  request.set_request_id("r1");
  request.set_payment_id(payment.payment_id());
  request.set_action(pb::RESOLVE_ACTION_ACCEPT);
  request.set_reason("the customer wants it after all");
  request.set_expected_revision(review.revision() - 1);
  pb::ResolvePaymentResponse response;
  grpc::ClientContext stale;
  Mesh::As(stale, "operator");
  EXPECT_EQ(ReasonOf(mesh_.payments().ResolvePayment(&stale, request, &response)),
            "REVISION_MISMATCH");
  request.set_expected_revision(review.revision());
  grpc::ClientContext context;
  Mesh::As(context, "operator");
  ASSERT_TRUE(mesh_.payments().ResolvePayment(&context, request, &response).ok());
  EXPECT_EQ(response.payment().state(), pb::PAYMENT_STATE_SUCCEEDED);
}

TEST_F(Checkout, StreamsEveryRevisionToAFollower) {
  const std::string merchant = mesh_.MakeMerchant();
  const pb::Payment payment = mesh_.CreatePayment(merchant);
  grpc::ClientContext context;
  Mesh::As(context, "service:settlement");
  auto stream = mesh_.events().StreamEvents(&context, {});
  mesh_.Transfer(payment, "4", "12500000", watcherpb::TRANSFER_STATE_SAFE);
  std::vector<std::string> types;
  std::int64_t position = 0;
  pb::StreamEventsResponse message;
  while (types.size() < 3 && stream->Read(&message)) {
    for (const pb::Event& event : message.events()) {
      types.push_back(event.type());
      EXPECT_EQ(event.position(), ++position);
      EXPECT_EQ(event.event_id(), "evt_" + std::to_string(position));
      EXPECT_GT(event.create_time().seconds(), 0);
    }
  }
  context.TryCancel();
  const std::vector<std::string> expected{"merchant.created", "payment.created",
                                          "payment.succeeded"};
  EXPECT_EQ(types, expected);
}

}  // namespace
}  // namespace paymesh::checkout
