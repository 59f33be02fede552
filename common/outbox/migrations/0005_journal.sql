-- Journals: facts in the order in which they were committed. journal_head is the lock that makes
-- positions visible in that order; it is taken by the last statement before COMMIT.

CREATE TABLE journal_head (
  journal  text PRIMARY KEY CHECK (journal ~ '^[a-z][a-z0-9_]{0,62}$'),
  position bigint NOT NULL CHECK (position >= 0)
) WITH (fillfactor = 25);

CREATE TABLE journal_entry (
  journal     text NOT NULL REFERENCES journal_head,
  position    bigint NOT NULL CHECK (position > 0),
  subject     text NOT NULL,
  owner       text NOT NULL,
  kind        text NOT NULL CHECK (kind <> ''),
  payload     bytea NOT NULL,
  trace       text NOT NULL,
  create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (journal, position)
);
CREATE INDEX journal_entry_subject ON journal_entry (journal, subject, position)
  WHERE subject <> '';
CREATE INDEX journal_entry_owner ON journal_entry (journal, owner, position) WHERE owner <> '';
CREATE TRIGGER journal_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_entry
  FOR EACH STATEMENT EXECUTE FUNCTION forbid_update_delete();

-- A head never goes back.
CREATE FUNCTION journal_head_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.position < OLD.position OR NEW.journal <> OLD.journal THEN
    RAISE EXCEPTION 'a journal head only grows' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER journal_head_grows BEFORE UPDATE ON journal_head
  FOR EACH ROW EXECUTE FUNCTION journal_head_only_grows();
CREATE TRIGGER journal_head_kept BEFORE DELETE OR TRUNCATE ON journal_head
  FOR EACH STATEMENT EXECUTE FUNCTION forbid_update_delete();

-- How far this service has applied its peers' journals.
CREATE TABLE journal_cursor (
  follower    text PRIMARY KEY CHECK (follower <> ''),
  position    bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
  update_time timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);
