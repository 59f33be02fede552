// The stable reasons of the watcher's errors, as its README's table lists them.
#pragma once

namespace paymesh::watcher::reasons {

inline constexpr char kChainNotFound[] = "CHAIN_NOT_FOUND";
inline constexpr char kTransactionNotFound[] = "TRANSACTION_NOT_FOUND";
inline constexpr char kChainHalted[] = "CHAIN_HALTED";
inline constexpr char kCallReverted[] = "CALL_REVERTED";
inline constexpr char kNodeUnavailable[] = "NODE_UNAVAILABLE";

}  // namespace paymesh::watcher::reasons
