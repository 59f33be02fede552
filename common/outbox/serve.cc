#include "common/outbox/serve.h"

#include "common/outbox/hub/hub.h"

namespace paymesh::outbox {

Task<Status> ServeStream(Hub& hub, ServeOptions options, WriteRun write) {
  if (options.after < 0) {
    co_return Error::InvalidField("after_position", "must not be negative");
  }
  const auto end = std::chrono::steady_clock::now() + options.max_duration;
  std::int64_t after = options.after;
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) co_return Status();
    Result<Page> page =
        co_await hub.ReadOrWait(options.outbox, after, options.batch, options.filter, left);
    if (!page.ok()) co_return page.error();
    std::vector<EntryPtr> run;
    std::size_t bytes = 0;
    for (const EntryPtr& entry : page->entries) {
      bytes += entry->payload.size();
      run.push_back(entry);
      if (bytes < options.max_bytes && entry != page->entries.back()) continue;
      const Result<bool> taken = co_await write(run);
      if (!taken.ok()) co_return taken.error();
      if (!*taken) co_return Status();
      run.clear();
      bytes = 0;
    }
    after = page->scanned;
  }
}

}  // namespace paymesh::outbox
