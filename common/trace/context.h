// Which trace a piece of work belongs to, and how that is written on the wire: W3C Trace Context's
// traceparent and tracestate headers (https://www.w3.org/TR/trace-context/). Plain values and pure
// functions; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace paymesh::trace {

template <std::size_t N>
struct Id {
  std::array<std::uint8_t, N> bytes{};
  bool IsZero() const { return bytes == std::array<std::uint8_t, N>{}; }
  std::string Hex() const;  // lower case, as everywhere on the wire
  friend bool operator==(const Id&, const Id&) = default;
};
using TraceId = Id<16>;
using SpanId = Id<8>;

// A span as others see it. Invalid (all zero) means none.
struct SpanContext {
  TraceId trace_id;
  SpanId span_id;
  bool sampled = false;    // somebody records it: the one flag that version 00 defines
  std::string state = {};  // tracestate: vendors' own, passed on untouched

  bool valid() const { return !trace_id.IsZero() && !span_id.IsZero(); }
  // "00-<32 hex>-<16 hex>-01"; for an invalid context too, so ask first.
  std::string ToTraceparent() const;
};

// Nothing for what the standard calls invalid: upper case, zero ids, version ff, a version 00 of
// any other length than 55. Later versions are read by their first 55 characters, which must end
// there or go on with '-'. Flags that we do not know are not passed on.
std::optional<SpanContext> ParseTraceparent(std::string_view text);

// The header as it is to be passed on: itself, or "" where it breaks the limits (512 characters, 32
// members, visible ASCII, keys once). A broken tracestate does not make the traceparent invalid.
std::string ParseTracestate(std::string_view text);

}  // namespace paymesh::trace
