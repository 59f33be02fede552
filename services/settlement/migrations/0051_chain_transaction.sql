-- The operator wallets' nonce slots, what each is for, and what was signed for it.

-- The counter of nonces. The chain's own count only initialises it.
CREATE TABLE sender_wallet (
  chain         text NOT NULL,
  address       text NOT NULL CHECK (address ~ '^0x[0-9a-f]{40}$'),
  initial_nonce bigint NOT NULL CHECK (initial_nonce >= 0),
  next_nonce    bigint NOT NULL CHECK (next_nonce >= initial_nonce),
  -- What has been booked into the wallet's gas account, and at which final block it was looked at.
  booked_funding numeric(78, 0) NOT NULL DEFAULT 0,
  funding_block  bigint,
  create_time   timestamptz NOT NULL,
  PRIMARY KEY (chain, address)
);

CREATE TABLE chain_transaction (
  sequence             bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  chain_transaction_id text PRIMARY KEY,
  chain                text NOT NULL,
  wallet               text NOT NULL,
  nonce                bigint NOT NULL CHECK (nonce >= 0),
  purpose              text NOT NULL CHECK (purpose IN ('PAYOUT', 'SWEEP', 'NOOP', 'FOREIGN')),
  state                text NOT NULL CHECK (state IN ('DRAFT', 'SIGNED', 'BROADCAST', 'INCLUDED', 'FINALIZED',
                                                      'REPLACED')),
  to_address           text NOT NULL,
  call_data            bytea NOT NULL,
  gas_limit            bigint NOT NULL CHECK (gas_limit >= 0),
  unit                 text NOT NULL DEFAULT '',  -- the token of a sweep
  epoch                bigint NOT NULL,           -- of the lease under which it was last changed
  -- Evidence, from the watcher.
  included_hash        text,
  block_number         bigint,
  block_hash           text,
  block_time           timestamptz,
  success              boolean,
  gas_cost             numeric(78, 0),
  used_since           timestamptz,  -- since when its nonce looks used by somebody else
  status_reason        text NOT NULL DEFAULT '',
  create_time          timestamptz NOT NULL,
  update_time          timestamptz NOT NULL,
  revision             bigint NOT NULL CHECK (revision >= 1),
  -- One slot a nonce, for ever: the chain honours no other fence.
  UNIQUE (chain, wallet, nonce),
  FOREIGN KEY (chain, wallet) REFERENCES sender_wallet (chain, address),
  CHECK ((state IN ('INCLUDED', 'FINALIZED')) = (included_hash IS NOT NULL)),
  CHECK (state NOT IN ('INCLUDED', 'FINALIZED') OR (block_number IS NOT NULL AND block_hash IS NOT NULL
                                                    AND success IS NOT NULL AND gas_cost IS NOT NULL))
);
CREATE INDEX chain_transaction_open ON chain_transaction (chain, wallet, nonce)
  WHERE state IN ('DRAFT', 'SIGNED', 'BROADCAST', 'INCLUDED');

-- The states move along the table of domain/chain_transaction.h. The intent of a slot is fixed as soon
-- as bytes may exist for it; epochs never go back.
CREATE FUNCTION chain_transaction_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
       ('DRAFT', 'SIGNED'), ('DRAFT', 'REPLACED'), ('SIGNED', 'BROADCAST'), ('SIGNED', 'INCLUDED'),
       ('SIGNED', 'REPLACED'), ('BROADCAST', 'INCLUDED'), ('BROADCAST', 'REPLACED'),
       ('INCLUDED', 'BROADCAST'), ('INCLUDED', 'FINALIZED')) THEN
    RAISE EXCEPTION 'chain transaction % cannot go from % to %', OLD.chain_transaction_id, OLD.state, NEW.state
      USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.epoch < OLD.epoch THEN
    RAISE EXCEPTION 'chain transaction %: epoch % after %', OLD.chain_transaction_id, NEW.epoch, OLD.epoch
      USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.chain, NEW.wallet, NEW.nonce) IS DISTINCT FROM (OLD.chain, OLD.wallet, OLD.nonce) OR
     (OLD.state <> 'DRAFT' AND
      (NEW.purpose, NEW.to_address, NEW.call_data, NEW.gas_limit) IS DISTINCT FROM
      (OLD.purpose, OLD.to_address, OLD.call_data, OLD.gas_limit)) THEN
    RAISE EXCEPTION 'chain transaction %: the intent is fixed', OLD.chain_transaction_id
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER chain_transaction_guard BEFORE UPDATE ON chain_transaction
  FOR EACH ROW EXECUTE FUNCTION chain_transaction_guard();

-- What a slot carries: payouts, or deposits to sweep.
CREATE TABLE chain_transaction_item (
  chain_transaction_id text NOT NULL REFERENCES chain_transaction,
  position             integer NOT NULL,
  payout_id            text REFERENCES payout,
  payment_id           text,  -- whose deposit address is swept
  outcome              text NOT NULL DEFAULT '' CHECK (outcome IN ('', 'PAID', 'FAILED', 'ALREADY_PAID', 'MISSING')),
  reason               text NOT NULL DEFAULT '',
  -- False once the slot can never carry it out: withdrawn as a draft, or lost to a final transaction
  -- of somebody else.
  alive                boolean NOT NULL DEFAULT true,
  PRIMARY KEY (chain_transaction_id, position),
  CHECK ((payout_id IS NULL) <> (payment_id IS NULL))
);
-- A payout has at most one slot that could pay it.
CREATE UNIQUE INDEX chain_transaction_item_payout ON chain_transaction_item (payout_id) WHERE alive;
CREATE INDEX chain_transaction_item_payment ON chain_transaction_item (payment_id) WHERE payment_id IS NOT NULL;

CREATE TABLE chain_transaction_attempt (
  transaction_hash     text PRIMARY KEY CHECK (transaction_hash ~ '^0x[0-9a-f]{64}$'),
  chain_transaction_id text NOT NULL REFERENCES chain_transaction,
  sequence             integer NOT NULL,
  raw                  bytea NOT NULL,
  max_fee              numeric(78, 0) NOT NULL,
  max_priority_fee     numeric(78, 0) NOT NULL,
  epoch                bigint NOT NULL,
  sign_time            timestamptz NOT NULL,
  broadcast_count      integer NOT NULL DEFAULT 0,
  first_broadcast_time timestamptz,
  last_broadcast_time  timestamptz,
  last_reply           text NOT NULL DEFAULT 'NONE',
  UNIQUE (chain_transaction_id, sequence),
  -- The bytes are stored before they are first sent.
  CHECK (first_broadcast_time IS NULL OR first_broadcast_time >= sign_time)
);

CREATE FUNCTION chain_transaction_attempt_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR
     (NEW.transaction_hash, NEW.chain_transaction_id, NEW.sequence, NEW.raw, NEW.sign_time) IS DISTINCT FROM
     (OLD.transaction_hash, OLD.chain_transaction_id, OLD.sequence, OLD.raw, OLD.sign_time) THEN
    RAISE EXCEPTION 'signed bytes are kept as they are' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER chain_transaction_attempt_guard BEFORE UPDATE OR DELETE ON chain_transaction_attempt
  FOR EACH ROW EXECUTE FUNCTION chain_transaction_attempt_guard();

-- Sweeps that failed wait before they are tried again.
CREATE TABLE sweep_backoff (
  payment_id    text NOT NULL,
  unit          text NOT NULL,
  failures      integer NOT NULL,
  next_try_time timestamptz NOT NULL,
  reason        text NOT NULL,
  PRIMARY KEY (payment_id, unit)
);
