-- Whether more transfers came to the deposit address than a payment takes.
ALTER TABLE payment ADD COLUMN transfers_left_out boolean NOT NULL DEFAULT false;
