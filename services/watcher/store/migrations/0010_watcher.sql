-- What the watcher knows: where it stands on each chain, the headers it stands on, the addresses it
-- watches, the transfers it has seen and the transactions it follows.

CREATE TABLE chain (
    chain            text PRIMARY KEY,           -- CAIP-2
    genesis_hash     bytea NOT NULL CHECK (length(genesis_hash) = 32),
    -- The cursor: the last fully read block, and the levels below it.
    head_number      bigint NOT NULL CHECK (head_number >= 0),
    head_hash        bytea NOT NULL CHECK (length(head_hash) = 32),
    safe_number      bigint NOT NULL,
    finalized_number bigint NOT NULL,
    anchor_number    bigint NOT NULL,            -- where reading began; itself not read
    base_fee_per_gas numeric(78, 0) NOT NULL DEFAULT 0,
    state            text NOT NULL CHECK (state IN ('SYNCING', 'FOLLOWING', 'UNREACHABLE', 'HALTED')),
    status_reason    text NOT NULL DEFAULT '',
    node_head_number bigint NOT NULL DEFAULT 0,
    contact_time     timestamptz,
    CHECK (finalized_number <= safe_number AND safe_number <= head_number),
    CHECK (anchor_number <= finalized_number)
);

CREATE TABLE block (
    chain       text NOT NULL REFERENCES chain (chain),
    number      bigint NOT NULL CHECK (number >= 0),
    hash        bytea NOT NULL CHECK (length(hash) = 32),
    parent_hash bytea NOT NULL CHECK (length(parent_hash) = 32),
    block_time  timestamptz NOT NULL,
    PRIMARY KEY (chain, number),
    UNIQUE (chain, hash)
);

-- The watched set. Positions are taken under a lock on the head row, so that they become visible in
-- their order and a reader that has loaded up to n misses none below n.
CREATE TABLE watched_address_head (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    position bigint NOT NULL
);
INSERT INTO watched_address_head (position) VALUES (0);
CREATE TABLE watched_address (
    address     bytea PRIMARY KEY CHECK (length(address) = 20),
    position    bigint NOT NULL UNIQUE,
    create_time timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE transfer (
    transfer_id      text PRIMARY KEY,
    sequence         bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    chain            text NOT NULL REFERENCES chain (chain),
    transaction_hash bytea NOT NULL CHECK (length(transaction_hash) = 32),
    ordinal          integer NOT NULL CHECK (ordinal >= 0),
    variant          integer NOT NULL CHECK (variant >= 0),
    log_index        integer NOT NULL CHECK (log_index >= ordinal),
    token            bytea NOT NULL CHECK (length(token) = 20),
    from_address     bytea NOT NULL CHECK (length(from_address) = 20),
    to_address       bytea NOT NULL CHECK (length(to_address) = 20),
    amount           numeric(78, 0) NOT NULL CHECK (amount >= 0),
    block_number     bigint NOT NULL,
    block_hash       bytea NOT NULL CHECK (length(block_hash) = 32),
    block_time       timestamptz NOT NULL,
    state            text NOT NULL CHECK (state IN ('INCLUDED', 'SAFE', 'FINALIZED', 'ORPHANED')),
    revision         bigint NOT NULL CHECK (revision >= 1),
    reorg_count      integer NOT NULL CHECK (reorg_count >= 0),
    create_time      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (chain, transaction_hash, ordinal, variant)
);
-- One transfer at one place of one transaction counts at a time.
CREATE UNIQUE INDEX transfer_live ON transfer (chain, transaction_hash, ordinal)
    WHERE state <> 'ORPHANED';
CREATE INDEX transfer_unfinal ON transfer (chain, block_number) WHERE state IN ('INCLUDED', 'SAFE');
CREATE INDEX transfer_to ON transfer (to_address, sequence);

CREATE TABLE tracked_transaction (
    chain        text NOT NULL,
    hash         bytea NOT NULL CHECK (length(hash) = 32),
    raw          bytea NOT NULL,
    from_address bytea NOT NULL CHECK (length(from_address) = 20),
    nonce        bigint NOT NULL CHECK (nonce >= 0),
    state        text NOT NULL
                 CHECK (state IN ('PENDING', 'INCLUDED', 'SAFE', 'FINALIZED', 'ORPHANED')),
    block_number bigint,
    block_hash   bytea CHECK (length(block_hash) = 32),
    block_time   timestamptz,
    receipt      bytea,                          -- a serialised paymesh.watcher.v1.Receipt
    revision     bigint NOT NULL CHECK (revision >= 1),
    create_time  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chain, hash),
    CHECK ((state IN ('PENDING', 'ORPHANED')) = (block_hash IS NULL)),
    CHECK ((block_hash IS NULL) = (receipt IS NULL))
);
CREATE INDEX tracked_transaction_open ON tracked_transaction (chain, state)
    WHERE state <> 'FINALIZED';

CREATE TABLE reorg (
    chain       text NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now(),
    depth       integer NOT NULL CHECK (depth > 0),
    fork_number bigint NOT NULL,
    old_head    bytea NOT NULL,
    new_head    bytea NOT NULL
);
CREATE INDEX reorg_time ON reorg (chain, create_time);
