-- What may not be paid out at present. A chain that the watcher halted has a row of its own, which
-- only the watcher takes away.
CREATE TABLE pause (
  kind        text NOT NULL CHECK (kind IN ('chain', 'unit', 'merchant')),
  value       text NOT NULL CHECK (value <> ''),
  by_watcher  boolean NOT NULL,
  reason      text NOT NULL,
  creator     text NOT NULL,
  create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (kind, value, by_watcher)
);
