#include "common/journal/serve.h"

#include "common/journal/hub.h"

namespace paymesh::journal {

Task<Status> ServeStream(Hub& hub, ServeOptions options, WriteEntry write) {
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
        co_await hub.ReadOrWait(options.journal, after, options.batch, options.filter, left);
    if (!page.ok()) co_return page.error();
    for (const EntryPtr& entry : page->entries) {
      const bool taken = co_await write(*entry);
      if (!taken) co_return Status();
    }
    after = page->scanned;
  }
}

}  // namespace paymesh::journal
