// Batches form by themselves, and each member keeps its own outcome.
#include "common/pg/coalescer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <future>
#include <thread>

#include "common/pg/testing/test_run.h"

namespace paymesh::pg {
namespace {

using Answers = std::vector<Result<int>>;
using IntCoalescer = Coalescer<int, int>;

// Batches that wait until the test lets them go.
struct Gate {
  std::mutex mutex;
  std::vector<std::vector<int>> batches;
  std::vector<std::shared_ptr<runtime::OneShot<bool>>> gates;

  static Task<Answers> Run(std::shared_ptr<Gate> self, std::vector<int> requests) {
    auto gate = runtime::OneShot<bool>::Make();
    {
      std::lock_guard lock(self->mutex);
      self->batches.push_back(requests);
      self->gates.push_back(gate);
    }
    const bool good = co_await runtime::OneShot<bool>::Wait(gate);
    if (!good) throw std::runtime_error("a bug in the batch");
    Answers answers;
    for (const int request : requests) {
      if (request < 0) {
        answers.push_back(Error::InvalidArgument("NEGATIVE", "no"));
      } else {
        answers.push_back(request * 2);
      }
    }
    co_return answers;
  }
  std::size_t started() {
    std::lock_guard lock(mutex);
    return batches.size();
  }
  void Open(std::size_t index, bool good = true) {
    while (started() <= index) std::this_thread::yield();
    std::shared_ptr<runtime::OneShot<bool>> gate;
    {
      std::lock_guard lock(mutex);
      gate = gates[index];
    }
    gate->Set(good);
  }
};

class CoalescerTest : public testing::Test {
 protected:
  IntCoalescer Make(CoalescerLimits limits) {
    auto run = [gate = gate_](std::vector<int> requests) {
      return Gate::Run(gate, std::move(requests));
    };
    return IntCoalescer(pool_.get_executor(), run, limits);
  }
  std::future<Result<int>> Submit(IntCoalescer& coalescer, int request) {
    return StartTask(pool_, coalescer.Submit(request));
  }
  void AwaitWaiting(IntCoalescer& coalescer, std::size_t count) {
    while (coalescer.waiting() != count) std::this_thread::yield();
  }
  ~CoalescerTest() override { pool_.join(); }

  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  boost::asio::thread_pool pool_{3};
};

TEST_F(CoalescerTest, TheFirstGoesAtOnceAndTheOthersGoTogether) {
  IntCoalescer coalescer = Make({});
  auto first = Submit(coalescer, 1);
  while (gate_->started() == 0) std::this_thread::yield();
  std::vector<std::future<Result<int>>> others;
  for (int i = 2; i < 12; ++i) others.push_back(Submit(coalescer, i));
  AwaitWaiting(coalescer, 10);
  gate_->Open(0);
  EXPECT_EQ(*first.get(), 2);
  gate_->Open(1);
  for (int i = 2; i < 12; ++i) EXPECT_EQ(*others[static_cast<std::size_t>(i - 2)].get(), 2 * i);
  EXPECT_EQ(gate_->batches[0].size(), 1U);
  EXPECT_EQ(gate_->batches[1].size(), 10U);
}

TEST_F(CoalescerTest, EachMemberKeepsItsOwnOutcome) {
  IntCoalescer coalescer = Make({});
  auto first = Submit(coalescer, 0);
  while (gate_->started() == 0) std::this_thread::yield();
  auto bad = Submit(coalescer, -1);
  auto good = Submit(coalescer, 7);
  AwaitWaiting(coalescer, 2);
  gate_->Open(0);
  gate_->Open(1);
  EXPECT_EQ(bad.get().error().reason, "NEGATIVE");
  EXPECT_EQ(*good.get(), 14);
}

TEST_F(CoalescerTest, ABatchAndTheQueueAreBounded) {
  IntCoalescer coalescer = Make({.max_batch = 2, .max_waiting = 3});
  std::vector<std::future<Result<int>>> members;
  members.push_back(Submit(coalescer, 0));
  while (gate_->started() == 0) std::this_thread::yield();
  for (int i = 1; i < 4; ++i) members.push_back(Submit(coalescer, i));
  AwaitWaiting(coalescer, 3);
  const Result<int> refused = Submit(coalescer, 9).get();
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(refused.error().reason, "OVERLOADED");
  for (std::size_t i = 0; i < 3; ++i) gate_->Open(i);
  for (auto& member : members) EXPECT_TRUE(member.get().ok());
  EXPECT_EQ(gate_->batches[1].size(), 2U);
  EXPECT_EQ(gate_->batches[2].size(), 1U);
}

TEST_F(CoalescerTest, ABugInABatchReachesItsMembersAndNobodyElse) {
  IntCoalescer coalescer = Make({});
  auto first = Submit(coalescer, 1);
  while (gate_->started() == 0) std::this_thread::yield();
  auto second = Submit(coalescer, 2);
  AwaitWaiting(coalescer, 1);
  gate_->Open(0, false);
  EXPECT_EQ(first.get().error().code, ErrorCode::kInternal);
  gate_->Open(1);
  EXPECT_EQ(*second.get(), 4);
}

TEST_F(CoalescerTest, ClosingRefusesWhatWaitsAndFinishesWhatRuns) {
  IntCoalescer coalescer = Make({});
  auto running = Submit(coalescer, 1);
  while (gate_->started() == 0) std::this_thread::yield();
  auto waiting = Submit(coalescer, 2);
  AwaitWaiting(coalescer, 1);
  coalescer.Close();
  EXPECT_EQ(waiting.get().error().reason, "SHUTTING_DOWN");
  EXPECT_EQ(Submit(coalescer, 3).get().error().reason, "SHUTTING_DOWN");
  gate_->Open(0);
  EXPECT_EQ(*running.get(), 2);
}

Task<Answers> DoubleAll(std::vector<int> requests) {
  Answers answers;
  for (const int request : requests) answers.push_back(request * 2);
  co_return answers;
}

TEST_F(CoalescerTest, UnderConcurrencyEachGetsItsOwnAnswer) {
  IntCoalescer coalescer(boost::asio::make_strand(pool_.get_executor()), DoubleAll,
                         {.max_batch = 16});
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i)
        right += *Submit(coalescer, t * 1000 + i).get() == 2 * (t * 1000 + i);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 1600);
}

// Fails as a whole when any member is negative; counts its runs.
Task<Result<Answers>> AllOrNothing(std::shared_ptr<int> runs, Error whole,
                                   std::vector<int> requests) {
  ++*runs;
  for (const int request : requests) {
    if (request < 0) co_return whole;
  }
  co_return co_await DoubleAll(std::move(requests));
}

Answers Fallback(std::shared_ptr<int> runs, Error whole, std::vector<int> requests) {
  std::function<Task<Result<Answers>>(std::vector<int>)> run = [runs,
                                                                whole](std::vector<int> members) {
    return AllOrNothing(runs, whole, std::move(members));
  };
  return RunTask(RunBatchWithFallback<int, int>(requests, run));
}

TEST(BatchFallback, OneBadMemberDoesNotTakeTheOthersWithIt) {
  auto runs = std::make_shared<int>(0);
  const Answers answers = Fallback(runs, Error::Internal("a check failed"), {1, -1, 3});
  EXPECT_EQ(*answers[0], 2);
  EXPECT_EQ(answers[1].error().code, ErrorCode::kInternal);
  EXPECT_EQ(*answers[2], 6);
  EXPECT_EQ(*runs, 4);
}

TEST(BatchFallback, WhenTheDatabaseIsAwayNobodyIsTriedAlone) {
  auto runs = std::make_shared<int>(0);
  const Answers answers = Fallback(runs, Error::Unavailable("COMMIT_UNKNOWN", "?"), {1, -1, 3});
  for (const auto& answer : answers) EXPECT_EQ(answer.error().reason, "COMMIT_UNKNOWN");
  EXPECT_EQ(*runs, 1);
}

}  // namespace
}  // namespace paymesh::pg
