-- What the ledger is posted from: the watcher's transfers as evidence, and checkout's payments as the
-- terms on which a deposit was made.

-- The newest revision of each transfer to an address that we watch.
CREATE TABLE transfer_evidence (
  transfer_id      text PRIMARY KEY,
  revision         bigint NOT NULL CHECK (revision >= 1),
  state            text NOT NULL CHECK (state IN ('INCLUDED', 'SAFE', 'FINALIZED', 'ORPHANED')),
  chain            text NOT NULL,
  transaction_hash text NOT NULL,
  ordinal          integer NOT NULL,
  unit             text NOT NULL,
  amount           numeric(78, 0) NOT NULL CHECK (amount >= 0),
  from_address     text NOT NULL,
  to_address       text NOT NULL,
  block_number     bigint NOT NULL,
  block_hash       text NOT NULL,
  block_time       timestamptz NOT NULL,
  arrival          bigint GENERATED ALWAYS AS IDENTITY,  -- order of the first sight
  update_time      timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 70);
-- One live transfer a place: a transaction that is re-included with another log at the same place is
-- another transfer, and the one before is orphaned first.
CREATE UNIQUE INDEX transfer_evidence_place ON transfer_evidence (chain, transaction_hash, ordinal)
  WHERE state <> 'ORPHANED';
CREATE INDEX transfer_evidence_to ON transfer_evidence (to_address, arrival);
CREATE INDEX transfer_evidence_from ON transfer_evidence (from_address, arrival);

-- How far each chain's evidence reaches; appended to the watcher's journal behind the transfers.
CREATE TABLE chain_progress (
  chain            text PRIMARY KEY,
  block_number     bigint NOT NULL DEFAULT 0,
  block_hash       text NOT NULL DEFAULT '',
  finalized_number bigint NOT NULL DEFAULT 0,
  finalized_hash   text NOT NULL DEFAULT '',
  finalized_time   timestamptz,
  halted           boolean NOT NULL DEFAULT false,
  halt_reason      text NOT NULL DEFAULT '',
  update_time      timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- Whose deposit an address is. The address is recomputed here from the payment's id; one that does
-- not come out the same is refused and never attributed.
CREATE TABLE deposit (
  payment_id     text PRIMARY KEY,
  merchant_id    text NOT NULL,
  address        text UNIQUE,         -- null while checkout has not registered it, or refused
  factory        text NOT NULL DEFAULT '',
  revision       bigint NOT NULL,
  state          text NOT NULL,
  terms          bytea NOT NULL,      -- the payment's snapshot without its options' and people's texts
  refused        text NOT NULL DEFAULT '',  -- why the address is not believed
  -- Something could not be posted yet: its chain is halted, or its terms contradict the evidence.
  deferred       boolean NOT NULL DEFAULT false,
  update_time    timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 70);
CREATE INDEX deposit_merchant ON deposit (merchant_id);
CREATE INDEX deposit_deferred ON deposit (payment_id) WHERE deferred;

-- What of a payment has become available (P4), for payouts to settle, oldest first. Zero again after
-- a reversal. How much of it payouts hold or have paid stands in payout_line.
CREATE TABLE payment_money (
  payment_id     text NOT NULL,
  merchant_id    text NOT NULL,
  unit           text NOT NULL,
  net            numeric(78, 0) NOT NULL CHECK (net >= 0),
  available_time timestamptz NOT NULL,
  PRIMARY KEY (payment_id, unit)
) WITH (fillfactor = 70);
CREATE INDEX payment_money_merchant ON payment_money (merchant_id, unit, available_time, payment_id);

-- What is on each deposit address by the evidence, kept by the follower that applies the evidence:
-- for sweeps and for the proof of balances. `finalized` less `moved` can be swept.
CREATE TABLE deposit_holding (
  payment_id text NOT NULL REFERENCES deposit,
  chain      text NOT NULL,
  unit       text NOT NULL,
  address    text NOT NULL,
  received   numeric(78, 0) NOT NULL,  -- on the chain, final or not
  finalized  numeric(78, 0) NOT NULL,  -- of these final
  moved      numeric(78, 0) NOT NULL,  -- on to the vault, final or not
  PRIMARY KEY (payment_id, unit)
) WITH (fillfactor = 70);
CREATE INDEX deposit_holding_sweepable ON deposit_holding (chain, unit, payment_id)
  WHERE finalized > moved;
