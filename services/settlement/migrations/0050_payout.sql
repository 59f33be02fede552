-- Where merchants' money may go, when it goes by itself, and the payouts.

CREATE TABLE payout_destination (
  sequence       bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  destination_id text PRIMARY KEY,
  merchant_id    text NOT NULL,
  unit           text NOT NULL,
  chain          text NOT NULL,
  address        text NOT NULL CHECK (address ~ '^0x[0-9a-f]{40}$' AND address !~ '^0x0{40}$'),
  display_name   text NOT NULL CHECK (length(display_name) <= 200),
  state          text NOT NULL CHECK (state IN ('AWAITING_APPROVAL', 'APPROVED')),
  creator        text NOT NULL,
  approver       text,
  create_time    timestamptz NOT NULL,
  approve_time   timestamptz,
  usable_time    timestamptz,
  -- Two people, and an approved one says since when it may be used.
  CHECK (approver IS DISTINCT FROM creator),
  CHECK ((state = 'APPROVED') = (approver IS NOT NULL AND approve_time IS NOT NULL
                                 AND usable_time IS NOT NULL AND usable_time >= approve_time))
);
CREATE INDEX payout_destination_merchant ON payout_destination (merchant_id, sequence);

CREATE TABLE payout_plan (
  sequence       bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  merchant_id    text NOT NULL,
  unit           text NOT NULL,
  destination_id text NOT NULL REFERENCES payout_destination,
  schedule       text NOT NULL CHECK (schedule IN ('MANUAL', 'ON_FINAL', 'DAILY')),
  minimum        numeric(78, 0) NOT NULL CHECK (minimum >= 0),
  update_time    timestamptz NOT NULL,
  last_run_time  timestamptz,
  PRIMARY KEY (merchant_id, unit)
);

CREATE TABLE payout (
  sequence         bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  payout_id        text PRIMARY KEY,
  merchant_id      text NOT NULL,
  destination_id   text NOT NULL REFERENCES payout_destination,
  unit             text NOT NULL,
  chain            text NOT NULL,
  address          text NOT NULL,
  amount           numeric(78, 0) NOT NULL CHECK (amount > 0),
  state            text NOT NULL CHECK (state IN ('AWAITING_APPROVAL', 'RESERVED', 'SUBMITTED', 'INCLUDED',
                                                  'FINALIZED', 'FAILED', 'CANCELED', 'REJECTED')),
  creator          text NOT NULL,
  approver         text CHECK (approver IS DISTINCT FROM creator),
  status_reason    text NOT NULL DEFAULT '',
  transaction_hash text NOT NULL DEFAULT '',
  -- When a parked payout is looked at again, and how often it has been.
  next_try_time    timestamptz,
  try_count        integer NOT NULL DEFAULT 0,
  create_time      timestamptz NOT NULL,
  update_time      timestamptz NOT NULL,
  revision         bigint NOT NULL CHECK (revision >= 1)
);
CREATE INDEX payout_merchant ON payout (merchant_id, sequence);
CREATE INDEX payout_open ON payout (chain, state, sequence)
  WHERE state IN ('AWAITING_APPROVAL', 'RESERVED', 'SUBMITTED', 'INCLUDED');

-- The states move along the table of domain/payout.h and no other way, whoever writes. What was agreed
-- (to whom, where, how much) never changes.
CREATE FUNCTION payout_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
       ('AWAITING_APPROVAL', 'RESERVED'), ('AWAITING_APPROVAL', 'REJECTED'),
       ('AWAITING_APPROVAL', 'CANCELED'), ('RESERVED', 'CANCELED'), ('RESERVED', 'SUBMITTED'),
       ('SUBMITTED', 'RESERVED'), ('SUBMITTED', 'INCLUDED'), ('SUBMITTED', 'FAILED'),
       ('INCLUDED', 'SUBMITTED'), ('INCLUDED', 'FINALIZED')) THEN
    RAISE EXCEPTION 'payout % cannot go from % to %', OLD.payout_id, OLD.state, NEW.state
      USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.payout_id, NEW.merchant_id, NEW.destination_id, NEW.unit, NEW.chain, NEW.address, NEW.amount)
     IS DISTINCT FROM
     (OLD.payout_id, OLD.merchant_id, OLD.destination_id, OLD.unit, OLD.chain, OLD.address, OLD.amount) THEN
    RAISE EXCEPTION 'payout % is agreed and does not change', OLD.payout_id
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER payout_guard BEFORE UPDATE ON payout FOR EACH ROW EXECUTE FUNCTION payout_guard();

-- Which payments a payout settles. A line of a payout that failed or was cancelled is released: the
-- payment's money can be paid out by another one.
CREATE TABLE payout_line (
  payout_id  text NOT NULL REFERENCES payout,
  position   integer NOT NULL,
  payment_id text NOT NULL,
  amount     numeric(78, 0) NOT NULL CHECK (amount > 0),
  released   boolean NOT NULL DEFAULT false,
  PRIMARY KEY (payout_id, position),
  UNIQUE (payout_id, payment_id)
);
CREATE INDEX payout_line_payment ON payout_line (payment_id);
