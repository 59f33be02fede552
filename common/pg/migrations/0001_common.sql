-- What every service's database has: the guard of append-only tables, the audit trail, leases and
-- the answers of idempotent requests.

CREATE FUNCTION forbid_update_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TABLE audit (
  seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor       text NOT NULL CHECK (actor <> ''),
  action      text NOT NULL CHECK (action <> ''),
  object      text NOT NULL,
  detail      jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_object ON audit (object, seq);
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
  FOR EACH STATEMENT EXECUTE FUNCTION forbid_update_delete();

-- epoch only grows; whoever acts under a lease checks it in the same transaction.
CREATE TABLE lease (
  name        text PRIMARY KEY CHECK (name <> ''),
  holder      text NOT NULL,
  epoch       bigint NOT NULL CHECK (epoch > 0),
  expire_time timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE idempotency (
  caller       text NOT NULL,
  method       text NOT NULL,
  request_id   text NOT NULL CHECK (request_id <> '' AND length(request_id) <= 255),
  request_hash bytea NOT NULL CHECK (length(request_hash) BETWEEN 1 AND 64),
  response     bytea,
  create_time  timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (caller, method, request_id)
);
CREATE INDEX idempotency_create_time ON idempotency (create_time);
