#include "services/watcher/store/invariants.h"

namespace paymesh::watcher {
namespace {

constexpr pg::Invariant kInvariants[] = {
    // A place in a transaction counts once.
    {"I6", R"(SELECT count(*) AS n FROM (
                SELECT FROM transfer WHERE state <> 'ORPHANED'
                 GROUP BY chain, transaction_hash, ordinal HAVING count(*) > 1) d)"},
    // A live transfer stands in a block of the followed chain (where the header is still kept).
    {"I7", R"(SELECT count(*) AS n FROM transfer t
               WHERE t.state <> 'ORPHANED'
                 AND t.block_number >= (SELECT min(b.number) FROM block b WHERE b.chain = t.chain)
                 AND NOT EXISTS (SELECT FROM block b WHERE b.chain = t.chain
                                   AND b.number = t.block_number AND b.hash = t.block_hash))"},
    // Nothing is final above the final level, nor unfinal below it.
    {"I9", R"(SELECT (SELECT count(*) FROM transfer t JOIN chain c USING (chain)
                       WHERE t.state IN ('INCLUDED', 'SAFE')
                         AND t.block_number <= c.finalized_number)
                   + (SELECT count(*) FROM transfer t JOIN chain c USING (chain)
                       WHERE t.state = 'FINALIZED' AND t.block_number > c.finalized_number) AS n)"},
    // The cursor is the top of the stored headers.
    {"I11", R"(SELECT count(*) AS n FROM chain c
                WHERE NOT EXISTS (SELECT FROM block b WHERE b.chain = c.chain
                                    AND b.number = c.head_number AND b.hash = c.head_hash)
                   OR EXISTS (SELECT FROM block b WHERE b.chain = c.chain
                                AND b.number > c.head_number))"},
    // Stored headers are linked by hash.
    {"I12", R"(SELECT count(*) AS n FROM block b JOIN block p
                   ON p.chain = b.chain AND p.number = b.number - 1
                WHERE b.parent_hash <> p.hash)"},
    // ... and without holes.
    {"I13", R"(SELECT count(*) AS n FROM (
                 SELECT FROM block GROUP BY chain
                HAVING count(*) <> max(number) - min(number) + 1) d)"},
};

}  // namespace

std::span<const pg::Invariant> Invariants() { return kInvariants; }

}  // namespace paymesh::watcher
