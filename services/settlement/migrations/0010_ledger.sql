-- The double-entry ledger. Journals and their legs are only ever inserted; the database itself keeps
-- the sums of the accounts, holds each journal to balance in each unit, and keeps merchants' accounts
-- from falling below zero, whoever writes.

-- One row: whoever holds it may post. Sequences have no gaps and follow the order of commits.
CREATE TABLE ledger_head (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  sequence  bigint NOT NULL CHECK (sequence >= 0)
) WITH (fillfactor = 25);
INSERT INTO ledger_head (sequence) VALUES (0);

CREATE TABLE ledger_account (
  account_number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id     text NOT NULL UNIQUE,
  code           integer NOT NULL CHECK (code BETWEEN 1000 AND 5999),
  name           text NOT NULL CHECK (name <> ''),
  owner          text NOT NULL,
  unit           text NOT NULL CHECK (unit <> ''),
  debits         numeric(78, 0) NOT NULL DEFAULT 0 CHECK (debits >= 0),
  credits        numeric(78, 0) NOT NULL DEFAULT 0 CHECK (credits >= 0),
  leg_count      bigint NOT NULL DEFAULT 0,
  UNIQUE (code, owner, unit),
  -- What a merchant has never falls below zero: what is missing is owed in 1300.
  CONSTRAINT ledger_account_not_negative
    CHECK (code NOT IN (2050, 2100, 2110, 2120, 2130, 2200, 2300) OR credits >= debits)
) WITH (fillfactor = 50);
CREATE INDEX ledger_account_owner ON ledger_account (owner, account_id);

CREATE TABLE ledger_journal (
  sequence            bigint PRIMARY KEY CHECK (sequence > 0),
  journal_id          text NOT NULL UNIQUE,
  rule                text NOT NULL CHECK (rule <> ''),
  event_id            text NOT NULL CHECK (event_id <> ''),
  incarnation         integer NOT NULL CHECK (incarnation >= 1),
  payment_id          text NOT NULL DEFAULT '',
  merchant_id         text NOT NULL DEFAULT '',
  payout_id           text NOT NULL DEFAULT '',
  -- A journal is reversed once at most.
  reverses_journal_id text UNIQUE REFERENCES ledger_journal (journal_id),
  description         text NOT NULL DEFAULT '',
  chain               text NOT NULL DEFAULT '',
  block_number        bigint,
  block_hash          text,
  block_time          timestamptz,
  transaction_hash    text NOT NULL DEFAULT '',
  post_time           timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (event_id, rule, incarnation),
  CHECK ((block_number IS NULL) = (block_hash IS NULL))
);
CREATE INDEX ledger_journal_payment ON ledger_journal (payment_id, sequence) WHERE payment_id <> '';
CREATE INDEX ledger_journal_merchant ON ledger_journal (merchant_id, sequence)
  WHERE merchant_id <> '';
CREATE INDEX ledger_journal_payout ON ledger_journal (payout_id, sequence) WHERE payout_id <> '';

CREATE TABLE ledger_leg (
  sequence       bigint NOT NULL REFERENCES ledger_journal,
  position       integer NOT NULL CHECK (position >= 1),
  account_number bigint NOT NULL REFERENCES ledger_account,
  debit          boolean NOT NULL,
  amount         numeric(78, 0) NOT NULL CHECK (amount > 0),
  PRIMARY KEY (sequence, position)
);
CREATE INDEX ledger_leg_account ON ledger_leg (account_number, sequence);

CREATE TRIGGER ledger_journal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_journal
  FOR EACH STATEMENT EXECUTE FUNCTION forbid_update_delete();
CREATE TRIGGER ledger_leg_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_leg
  FOR EACH STATEMENT EXECUTE FUNCTION forbid_update_delete();
CREATE TRIGGER ledger_account_kept BEFORE DELETE OR TRUNCATE ON ledger_account
  FOR EACH STATEMENT EXECUTE FUNCTION forbid_update_delete();

-- Runs once a statement over all legs that it inserted. The legs of a journal come in one statement
-- and balance in each unit; their sums go to the accounts, one update for each account.
CREATE FUNCTION ledger_leg_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  bad bigint;
BEGIN
  SELECT n.sequence INTO bad FROM new_leg n JOIN ledger_account a USING (account_number)
    GROUP BY n.sequence, a.unit
    HAVING sum(CASE WHEN n.debit THEN n.amount ELSE -n.amount END) <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'journal % does not balance', bad
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_journal_balances';
  END IF;
  UPDATE ledger_account a
    SET debits = a.debits + d.debits, credits = a.credits + d.credits,
        leg_count = a.leg_count + d.legs
    FROM (SELECT account_number, count(*) AS legs,
                 coalesce(sum(amount) FILTER (WHERE debit), 0) AS debits,
                 coalesce(sum(amount) FILTER (WHERE NOT debit), 0) AS credits
            FROM new_leg GROUP BY account_number) d
    WHERE a.account_number = d.account_number;
  RETURN NULL;
END
$$;
CREATE TRIGGER ledger_leg_balances AFTER INSERT ON ledger_leg REFERENCING NEW TABLE AS new_leg
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_leg_inserted();

-- Sums move with legs and in no other way; what an account is never changes.
CREATE FUNCTION ledger_account_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.debits <> 0 OR NEW.credits <> 0 OR NEW.leg_count <> 0 THEN
      RAISE EXCEPTION 'an account starts empty' USING ERRCODE = 'restrict_violation';
    END IF;
  ELSIF pg_trigger_depth() < 2 OR
     (NEW.account_id, NEW.code, NEW.name, NEW.owner, NEW.unit) IS DISTINCT FROM
     (OLD.account_id, OLD.code, OLD.name, OLD.owner, OLD.unit) THEN
    RAISE EXCEPTION 'an account changes by its legs alone' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER ledger_account_guard BEFORE INSERT OR UPDATE ON ledger_account
  FOR EACH ROW EXECUTE FUNCTION ledger_account_guard();

CREATE FUNCTION ledger_head_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.sequence < OLD.sequence THEN
    RAISE EXCEPTION 'the ledger only grows' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER ledger_head_grows BEFORE UPDATE ON ledger_head
  FOR EACH ROW EXECUTE FUNCTION ledger_head_guard();
CREATE TRIGGER ledger_head_kept BEFORE DELETE OR TRUNCATE ON ledger_head
  FOR EACH STATEMENT EXECUTE FUNCTION forbid_update_delete();
