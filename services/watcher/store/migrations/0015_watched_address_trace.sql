-- For whom an address is watched: the trace (W3C traceparent) of the call that made the payment, which
-- its transfers carry. Empty where nobody records it.
ALTER TABLE watched_address ADD COLUMN trace text NOT NULL DEFAULT '';
