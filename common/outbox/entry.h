// One entry of an outbox, and which entries a reader wants. Plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/pg/sql/param.h"

namespace paymesh::outbox {

struct Entry {
  std::int64_t position = 0;  // 1, 2, 3 ... without gaps; given at commit
  std::string subject;        // what it is about: a payment's or transfer's id; may be empty
  std::string owner;          // whose it is: the merchant's id; may be empty
  std::string kind;           // "payment.updated", "checkpoint"
  std::string payload;        // serialised protobuf
  // traceparent of the cause; may be empty. Left empty, an entry takes that of its subject's first
  // entry: so all that ever happens to a payment is found from the call that made it.
  std::string trace;
  pg::Time create_time{};  // by the database's clock
};
using EntryPtr = std::shared_ptr<const Entry>;

// Empty fields match everything. Name a filter before a co_await: gcc 12 destroys a temporary made
// with braces twice there (Filter::All() is safe).
struct Filter {
  std::string subject = {};
  std::string owner = {};
  static Filter All() { return {}; }
  bool Matches(const Entry& entry) const {
    return (subject.empty() || subject == entry.subject) && (owner.empty() || owner == entry.owner);
  }
  bool all() const { return subject.empty() && owner.empty(); }
};

// What a read gives: every matching entry above `after` and up to `scanned`, in order. Go on from
// `scanned`, also when nothing matched.
struct Page {
  std::vector<EntryPtr> entries;
  std::int64_t scanned = 0;
};

}  // namespace paymesh::outbox
