#include "common/runtime/one_shot.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <thread>

#include "common/runtime/run_blocking.h"

namespace paymesh::runtime {
namespace {

using Shot = OneShot<std::unique_ptr<int>>;

TEST(OneShot, GivesWhatWasSetBeforeAnybodyWaited) {
  const auto shot = Shot::Make();
  EXPECT_FALSE(shot->done());
  shot->Set(std::make_unique<int>(1));
  shot->Set(std::make_unique<int>(2));
  EXPECT_TRUE(shot->done());
  EXPECT_EQ(*RunBlocking(Shot::Wait(shot)), 1) << "the first value wins";
}

TEST(OneShot, GivesWhatAnotherThreadSets) {
  const auto shot = Shot::Make();
  std::thread setter([shot] {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    shot->Set(std::make_unique<int>(3));
  });
  EXPECT_EQ(*RunBlocking(Shot::Wait(shot)), 3);
  setter.join();
}

TEST(OneShot, IsDoneOnceItsWaiterIsCancelled) {
  boost::asio::io_context context;
  boost::asio::cancellation_signal signal;
  const auto shot = Shot::Make();
  bool cancelled = false;
  boost::asio::co_spawn(context, Shot::Wait(shot),
                        boost::asio::bind_cancellation_slot(
                            signal.slot(), [&](std::exception_ptr error, std::unique_ptr<int>) {
                              cancelled = IsCancellation(error);
                            }));
  boost::asio::post(context, [&] { signal.emit(boost::asio::cancellation_type::terminal); });
  context.run();
  EXPECT_TRUE(cancelled);
  EXPECT_TRUE(shot->done());
  shot->Set(std::make_unique<int>(4));
}

}  // namespace
}  // namespace paymesh::runtime
