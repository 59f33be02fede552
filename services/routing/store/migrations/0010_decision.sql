-- Decisions, whole and for ever: what was asked, what was known, what came out.
CREATE TABLE decision (
  decision_id   text PRIMARY KEY,
  payment_id    text NOT NULL UNIQUE,
  merchant_id   text NOT NULL,
  facts_hash    text NOT NULL CHECK (length(facts_hash) = 64),
  decision_hash text NOT NULL CHECK (length(decision_hash) = 64),
  option_count  int NOT NULL CHECK (option_count >= 0),
  rejected_count int NOT NULL CHECK (rejected_count >= 0),
  decision      bytea NOT NULL,
  create_time   timestamptz NOT NULL
);
CREATE TRIGGER decision_append_only BEFORE UPDATE OR DELETE ON decision
  FOR EACH STATEMENT EXECUTE FUNCTION forbid_update_delete();

-- What became of the options, learned from checkout's events: one row a token.
CREATE TABLE option_outcome (
  unit             text PRIMARY KEY,
  bound            bigint NOT NULL DEFAULT 0,
  succeeded        bigint NOT NULL DEFAULT 0,
  confirm_seconds  bigint NOT NULL DEFAULT 0
);
-- Each payment teaches each lesson once, however often its events come.
CREATE TABLE payment_lesson (
  payment_id text NOT NULL,
  lesson     text NOT NULL CHECK (lesson IN ('bound', 'succeeded')),
  PRIMARY KEY (payment_id, lesson)
);
