#include "common/base/transition_table.h"

#include <gtest/gtest.h>

namespace paymesh {
namespace {

enum class Door { kOpen, kShut, kLocked, kBroken };
enum class Act { kPush, kPull, kTurn, kKick };
using Change = Transition<Door, Act>;
using Move = Step<Door>;

constexpr std::array kDoors{Door::kOpen, Door::kShut, Door::kLocked, Door::kBroken};
constexpr std::array kStart{Door::kShut};
constexpr bool IsBroken(Door door) { return door == Door::kBroken; }

constexpr std::array kChanges{
    Change{Door::kShut, Act::kPull, Door::kOpen}, Change{Door::kOpen, Act::kPush, Door::kShut},
    Change{Door::kShut, Act::kTurn, Door::kLocked}, Change{Door::kLocked, Act::kTurn, Door::kShut},
    Change{Door::kLocked, Act::kKick, Door::kBroken}};
static_assert(IsDeterministic(kChanges));
static_assert(ReachesAll(kChanges, kDoors, kStart));
static_assert(NoneLeaves(kChanges, IsBroken));
static_assert(!NoneEnters(kChanges, Door::kShut));
static_assert(NextState(kChanges, Door::kShut, Act::kTurn) == Door::kLocked);
static_assert(!NextState(kChanges, Door::kBroken, Act::kTurn));
static_assert(MayStep(kChanges, Door::kLocked, Door::kBroken));
static_assert(!MayStep(kChanges, Door::kOpen, Door::kLocked));

constexpr std::array kMoves{Move{Door::kShut, Door::kOpen}, Move{Door::kOpen, Door::kShut},
                            Move{Door::kShut, Door::kBroken}};
static_assert(AreDistinct(kMoves));
static_assert(NoneEnters(kMoves, Door::kLocked));
static_assert(!ReachesAll(kMoves, kDoors, kStart), "nothing locks it");
static_assert(ReachesAll(kMoves, std::array{Door::kOpen, Door::kShut, Door::kBroken}, kStart));
static_assert(!ReachesAll(kMoves, std::array{Door::kOpen, Door::kShut}, kStart),
              "a step leads to a state that is not listed");

constexpr std::array kTwoWays{Change{Door::kShut, Act::kPull, Door::kOpen},
                              Change{Door::kShut, Act::kPull, Door::kBroken}};
static_assert(!IsDeterministic(kTwoWays));
static_assert(!AreDistinct(std::array{Move{Door::kShut, Door::kOpen}, kMoves[0]}));
static_assert(!AreDistinct(std::array{Move{Door::kShut, Door::kShut}}));

constexpr std::array kRepaired{Move{Door::kBroken, Door::kShut}};
static_assert(!NoneLeaves(kRepaired, IsBroken));
static_assert(NoneLeavesExceptTo(Door::kShut, kRepaired, IsBroken));
static_assert(!NoneLeavesExceptTo(Door::kOpen, kRepaired, IsBroken));

TEST(TransitionTable, LeadsOnAtRunTimeToo) {
  Door door = Door::kShut;
  for (const Act act : {Act::kTurn, Act::kKick}) door = NextState(kChanges, door, act).value();
  EXPECT_EQ(door, Door::kBroken);
}

}  // namespace
}  // namespace paymesh
