-- The trace of the call that made a payment (W3C traceparent), for what is told of its money. Empty
-- for payments that came before it.
ALTER TABLE deposit ADD COLUMN trace text NOT NULL DEFAULT '';
