-- Merchants, their keys, payments and what happened to them.
-- Amounts are whole minor units; ids sort by time, so they are compared bytewise.

CREATE TABLE merchant (
  merchant_id text COLLATE "C" PRIMARY KEY,
  display_name text NOT NULL,
  accepted_units text[] NOT NULL CHECK (cardinality(accepted_units) BETWEEN 1 AND 100),
  policy smallint NOT NULL CHECK (policy IN (3, 4, 5)),
  fee_basis_points integer NOT NULL CHECK (fee_basis_points BETWEEN 0 AND 10000),
  fee_units text[] NOT NULL,
  fee_values numeric(78, 0)[] NOT NULL CHECK (cardinality(fee_values) = cardinality(fee_units)),
  tolerance_basis_points integer NOT NULL CHECK (tolerance_basis_points BETWEEN 0 AND 500),
  create_time timestamptz NOT NULL,
  revision bigint NOT NULL CHECK (revision > 0)
);

-- Only the hash of a secret is kept.
CREATE TABLE api_key (
  api_key_id text COLLATE "C" PRIMARY KEY,
  merchant_id text COLLATE "C" NOT NULL REFERENCES merchant,
  display_name text NOT NULL,
  secret_prefix text NOT NULL,
  secret_hash bytea NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
  create_time timestamptz NOT NULL,
  revoke_time timestamptz
);
CREATE INDEX api_key_merchant ON api_key (merchant_id, api_key_id);

-- `terms` is what was agreed, as a serialised Payment, and never changes; the columns are facts and
-- what the machine computed from them. seen, confirmed, finalized, gross, fee and net are in the
-- bound option's unit, kept to be compared with what the transfers say.
CREATE TABLE payment (
  payment_id text COLLATE "C" PRIMARY KEY,
  merchant_id text COLLATE "C" NOT NULL REFERENCES merchant,
  reference text NOT NULL,
  price_unit text NOT NULL,
  price_value numeric(78, 0) NOT NULL CHECK (price_value > 0),
  deposit_address text COLLATE "C" NOT NULL UNIQUE,
  chains text[] NOT NULL,
  terms bytea NOT NULL,
  create_time timestamptz NOT NULL,
  update_time timestamptz NOT NULL,
  expire_time timestamptz NOT NULL,
  state smallint NOT NULL CHECK (state BETWEEN 1 AND 9),
  flags integer NOT NULL CHECK (flags >= 0),
  revision bigint NOT NULL CHECK (revision > 0),
  registered boolean NOT NULL,
  expired boolean NOT NULL DEFAULT false,
  expiry_deferred boolean NOT NULL DEFAULT false,
  canceled boolean NOT NULL DEFAULT false,
  reversed boolean NOT NULL DEFAULT false,
  cancel_reason text NOT NULL DEFAULT '',
  bound_option_id text NOT NULL DEFAULT '',
  decided_gross numeric(78, 0),
  seen numeric(78, 0) NOT NULL DEFAULT 0,
  confirmed numeric(78, 0) NOT NULL DEFAULT 0,
  finalized numeric(78, 0) NOT NULL DEFAULT 0,
  gross numeric(78, 0) NOT NULL DEFAULT 0,
  fee numeric(78, 0) NOT NULL DEFAULT 0,
  net numeric(78, 0) NOT NULL DEFAULT 0,
  CHECK (seen >= confirmed AND confirmed >= finalized AND finalized >= 0),
  CHECK (fee BETWEEN 0 AND gross AND net = gross - fee),
  CHECK (state <> 6 OR gross > 0),
  CHECK (state <> 7 OR expired),
  CHECK (state <> 8 OR canceled),
  CHECK (state <> 9 OR reversed)
);
CREATE INDEX payment_merchant ON payment (merchant_id, payment_id);
CREATE INDEX payment_reference ON payment (reference, payment_id) WHERE reference <> '';
CREATE INDEX payment_open ON payment (expire_time) WHERE state IN (1, 2, 3);
CREATE INDEX payment_unregistered ON payment (payment_id) WHERE NOT registered AND state = 1;
CREATE INDEX payment_review ON payment (payment_id) WHERE state = 5;

CREATE TABLE payment_transfer (
  payment_id text COLLATE "C" NOT NULL REFERENCES payment,
  transfer_id text COLLATE "C" NOT NULL,
  arrival integer NOT NULL,
  chain text NOT NULL,
  transaction_hash text COLLATE "C" NOT NULL,
  unit text NOT NULL,
  amount numeric(78, 0) NOT NULL CHECK (amount >= 0),
  from_address text COLLATE "C" NOT NULL,
  to_address text COLLATE "C" NOT NULL,
  finality smallint NOT NULL CHECK (finality BETWEEN 1 AND 5),
  block_number bigint NOT NULL,
  block_hash text NOT NULL,
  block_time timestamptz NOT NULL,
  orphaned boolean NOT NULL,
  revision bigint NOT NULL,
  disposition smallint NOT NULL CHECK (disposition BETWEEN 1 AND 4),
  decided boolean NOT NULL,
  accepted numeric(78, 0) NOT NULL CHECK (accepted >= 0),
  refundable numeric(78, 0) NOT NULL CHECK (refundable >= 0),
  reviewed boolean NOT NULL,
  was_orphaned boolean NOT NULL,
  after_close boolean NOT NULL,
  PRIMARY KEY (payment_id, transfer_id),
  CHECK (CASE WHEN decided THEN accepted + refundable = amount
              ELSE accepted = 0 AND refundable = 0 END),
  CHECK (NOT (orphaned AND decided)),
  CHECK (NOT orphaned OR finality = 1)
);
CREATE INDEX payment_transfer_transaction ON payment_transfer (transaction_hash);
CREATE INDEX payment_transfer_from ON payment_transfer (from_address);

-- What came after the entries that `terms` begins with.
CREATE TABLE payment_timeline (
  payment_id text COLLATE "C" NOT NULL REFERENCES payment,
  ordinal bigint NOT NULL,
  kind text NOT NULL,
  time timestamptz NOT NULL,
  message text NOT NULL,
  transaction_hash text NOT NULL,
  object_id text NOT NULL,
  chain text NOT NULL,
  PRIMARY KEY (payment_id, ordinal)
);

-- One row a revision; from 0 is the creation. The pairs are the table in domain/state.h.
CREATE TABLE payment_transition (
  payment_id text COLLATE "C" NOT NULL REFERENCES payment,
  revision bigint NOT NULL CHECK (revision > 0),
  from_state smallint NOT NULL,
  to_state smallint NOT NULL,
  time timestamptz NOT NULL,
  PRIMARY KEY (payment_id, revision),
  CONSTRAINT payment_transition_step CHECK (from_state = to_state OR (from_state, to_state) IN (
    (0, 1), (0, 2),
    (1, 2), (1, 7), (1, 8), (1, 3), (1, 4), (1, 6), (1, 5),
    (2, 3), (2, 4), (2, 6), (2, 7), (2, 8), (2, 5),
    (3, 2), (3, 4), (3, 6), (3, 5),
    (4, 2), (4, 3), (4, 6), (4, 7), (4, 5),
    (5, 1), (5, 2), (5, 3), (5, 4), (5, 6), (5, 7), (5, 8), (5, 9),
    (6, 5),
    (7, 4), (7, 6), (7, 5),
    (8, 5),
    (9, 5)
  ))
);

-- How far each chain was provably read when its transfers so far were applied here.
CREATE TABLE chain_progress (
  chain text PRIMARY KEY,
  block_number bigint NOT NULL,
  block_hash text NOT NULL,
  block_time timestamptz NOT NULL,
  safe_number bigint NOT NULL,
  finalized_number bigint NOT NULL,
  halted boolean NOT NULL DEFAULT false,
  halt_reason text NOT NULL DEFAULT ''
);

-- Chains that an operator lets expiry pass over while they are halted, on the record.
CREATE TABLE chain_waiver (
  chain text PRIMARY KEY,
  actor text NOT NULL,
  reason text NOT NULL,
  create_time timestamptz NOT NULL DEFAULT now()
);
