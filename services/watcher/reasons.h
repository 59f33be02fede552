// Every error reason that the watcher raises itself. The strings are part of the contract: callers
// decide by them, and the README's table lists them.
#pragma once

#include <string_view>

namespace paymesh::watcher::reasons {

// A call names a chain that is not configured. The caller corrects the chain.
inline constexpr std::string_view kChainNotFound = "CHAIN_NOT_FOUND";
// A transaction was never broadcast here. The caller broadcasts it or corrects the hash.
inline constexpr std::string_view kTransactionNotFound = "TRANSACTION_NOT_FOUND";
// A broadcast on a chain that a contradiction has stopped. It must wait for an operator.
inline constexpr std::string_view kChainHalted = "CHAIN_HALTED";
// The contract reverted the call; metadata `data` holds what it said. Asking again is of no use.
inline constexpr std::string_view kCallReverted = "CALL_REVERTED";

// No node could be reached, or the chain has not begun to be followed. Try again later.
inline constexpr std::string_view kNodeUnavailable = "NODE_UNAVAILABLE";
// A node answered with an error that it does not explain further. Try again later.
inline constexpr std::string_view kNodeError = "NODE_ERROR";
// A node throttles or refuses the size of a question. Try again later, or ask for less.
inline constexpr std::string_view kNodeLimit = "NODE_LIMIT";
// The answer to one single question fits into no HTTP body. Ask for less.
inline constexpr std::string_view kNodeAnswerTooLarge = "NODE_ANSWER_TOO_LARGE";
// A node's answer is malformed or contradicts another of its answers. Try again later.
inline constexpr std::string_view kBadAnswer = "BAD_ANSWER";
// A node is of another chain, or stands below what is final here. No call is answered with it: it
// is logged, and the chain shows its message as status_reason until the node has caught up.
inline constexpr std::string_view kNodeBehind = "NODE_BEHIND";

// A step was read from a state that another replica has changed since. No call is answered with it:
// the follower loads the chain again.
inline constexpr std::string_view kCursorMoved = "CURSOR_MOVED";

// resume-chain for a chain that is not halted. There is nothing for the operator to do.
inline constexpr std::string_view kChainNotHalted = "CHAIN_NOT_HALTED";
// At the start: chains_file names no chain. The operator corrects the file.
inline constexpr std::string_view kNoChains = "NO_CHAINS";
// At the start: a chain has no endpoint. The operator corrects chains_file.
inline constexpr std::string_view kNoEndpoint = "NO_ENDPOINT";

}  // namespace paymesh::watcher::reasons
