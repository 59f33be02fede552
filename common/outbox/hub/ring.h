// The recent entries of one outbox in memory: those with positions in (begin, end]. Pure.
// Not synchronised: the hub's lock guards it.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "common/outbox/entry.h"

namespace paymesh::outbox {

class Ring {
 public:
  Ring(std::size_t max_entries, std::size_t max_bytes)
      : max_entries_(max_entries), max_bytes_(max_bytes) {}

  std::int64_t begin() const { return begin_; }
  std::int64_t end() const { return end_; }
  std::size_t size() const { return entries_.size(); }

  // Starts anew, empty, at a position.
  void Reset(std::int64_t position);
  // The entry after end(); false, and nothing changes, when it is another.
  bool Append(EntryPtr entry);
  // Whether everything above `after`, up to end(), is here.
  bool Covers(std::int64_t after) const { return after >= begin_ && after <= end_; }
  // At most `limit` matching entries above `after`; Covers(after) must hold.
  Page Collect(std::int64_t after, std::size_t limit, const Filter& filter) const;
  // Whether a matching entry above `after` is here.
  bool Contains(std::int64_t after, const Filter& filter) const;

 private:
  std::size_t IndexAfter(std::int64_t after) const;

  std::size_t max_entries_, max_bytes_;
  std::int64_t begin_ = 0, end_ = 0;
  std::size_t bytes_ = 0;
  std::deque<EntryPtr> entries_;
};

}  // namespace paymesh::outbox
