#include "common/outbox/hub/ring.h"

#include <algorithm>

namespace paymesh::outbox {
namespace {

std::size_t SizeOf(const Entry& entry) {
  return sizeof(Entry) + entry.subject.size() + entry.owner.size() + entry.kind.size() +
         entry.payload.size() + entry.trace.size();
}

}  // namespace

void Ring::Reset(std::int64_t position) {
  entries_.clear();
  bytes_ = 0;
  begin_ = end_ = position;
}

bool Ring::Append(EntryPtr entry) {
  if (entry->position != end_ + 1) return false;
  ++end_;
  bytes_ += SizeOf(*entry);
  entries_.push_back(std::move(entry));
  while (entries_.size() > max_entries_ || bytes_ > max_bytes_) {
    bytes_ -= SizeOf(*entries_.front());
    begin_ = entries_.front()->position;
    entries_.pop_front();
  }
  return true;
}

std::size_t Ring::IndexAfter(std::int64_t after) const {
  const std::int64_t skip = std::clamp<std::int64_t>(after - begin_, 0, end_ - begin_);
  return static_cast<std::size_t>(skip);
}

Page Ring::Collect(std::int64_t after, std::size_t limit, const Filter& filter) const {
  Page page;
  for (std::size_t i = IndexAfter(after); i < entries_.size(); ++i) {
    if (!filter.Matches(*entries_[i])) continue;
    page.entries.push_back(entries_[i]);
    if (page.entries.size() < limit) continue;
    page.scanned = entries_[i]->position;
    return page;
  }
  page.scanned = end_;
  return page;
}

bool Ring::Contains(std::int64_t after, const Filter& filter) const {
  for (std::size_t i = IndexAfter(after); i < entries_.size(); ++i) {
    if (filter.Matches(*entries_[i])) return true;
  }
  return false;
}

}  // namespace paymesh::outbox
