// A state machine as a table, and what a compiler can prove of it. A table is a constexpr array of
// steps: where a step leads may depend on its states alone (Step) or on an event (Transition). Each
// machine asserts next to its table what it rests on:
//
//   inline constexpr std::array kTransitions{
//       Transition{State::kDraft, Event::kSign, State::kSigned}, ...};
//   static_assert(IsDeterministic(kTransitions));
//   static_assert(ReachesAll(kTransitions, kStates, std::array{State::kDraft}));
//   static_assert(NoneLeaves(kTransitions, IsFinal));
//
// Pure; any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

namespace paymesh {

template <class State>
struct Step {
  State from;
  State to;
  friend constexpr bool operator==(const Step&, const Step&) = default;
};

template <class State, class Event>
struct Transition {
  State from;
  Event event;
  State to;
  friend constexpr bool operator==(const Transition&, const Transition&) = default;
};

// Where `event` leads; nullopt: it is impossible in this state.
template <class State, class Event, std::size_t N>
constexpr std::optional<State> NextState(const std::array<Transition<State, Event>, N>& table,
                                         State from, Event event) {
  for (const auto& transition : table) {
    if (transition.from == from && transition.event == event) return transition.to;
  }
  return std::nullopt;
}

template <class Row, class State, std::size_t N>
constexpr bool MayStep(const std::array<Row, N>& table, State from, State to) {
  return std::ranges::any_of(table,
                             [&](const Row& row) { return row.from == from && row.to == to; });
}

// No event leads from a state to two.
template <class State, class Event, std::size_t N>
constexpr bool IsDeterministic(const std::array<Transition<State, Event>, N>& table) {
  for (std::size_t i = 0; i < N; ++i) {
    for (std::size_t j = i + 1; j < N; ++j) {
      if (table[i].from == table[j].from && table[i].event == table[j].event) return false;
    }
  }
  return true;
}

// Every step is a change, and none is there twice.
template <class State, std::size_t N>
constexpr bool AreDistinct(const std::array<Step<State>, N>& table) {
  for (std::size_t i = 0; i < N; ++i) {
    if (table[i].from == table[i].to) return false;
    for (std::size_t j = i + 1; j < N; ++j) {
      if (table[i] == table[j]) return false;
    }
  }
  return true;
}

// Steps lead from `initial` to each of `states`.
template <class Row, class State, std::size_t N, std::size_t M, std::size_t K>
constexpr bool ReachesAll(const std::array<Row, N>& table, const std::array<State, M>& states,
                          const std::array<State, K>& initial) {
  std::array<bool, M> reached{};
  const auto position = [&](State state) {
    return static_cast<std::size_t>(std::ranges::find(states, state) - states.begin());
  };
  for (const State state : initial) {
    if (position(state) == M) return false;
    reached[position(state)] = true;
  }
  for (std::size_t round = 0; round < M; ++round) {
    for (const Row& row : table) {
      if (position(row.from) == M || position(row.to) == M) return false;
      if (reached[position(row.from)]) reached[position(row.to)] = true;
    }
  }
  return std::ranges::all_of(reached, [](bool yes) { return yes; });
}

// No step leads out of the states for which `closed` is true.
template <class Row, std::size_t N, class Closed>
constexpr bool NoneLeaves(const std::array<Row, N>& table, Closed closed) {
  return std::ranges::none_of(table, [&](const Row& row) { return closed(row.from); });
}

// The same, but for steps to `way_out`.
template <class Row, class State, std::size_t N, class Closed>
constexpr bool NoneLeavesExceptTo(State way_out, const std::array<Row, N>& table, Closed closed) {
  return std::ranges::none_of(
      table, [&](const Row& row) { return closed(row.from) && row.to != way_out; });
}

// No step leads into `state`.
template <class Row, class State, std::size_t N>
constexpr bool NoneEnters(const std::array<Row, N>& table, State state) {
  return std::ranges::none_of(table, [&](const Row& row) { return row.to == state; });
}

}  // namespace paymesh
