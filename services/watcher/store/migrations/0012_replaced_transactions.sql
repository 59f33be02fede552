-- An attempt whose slot (sender and nonce) another transaction has taken finally is never mined: nobody
-- need look for it any more, however many attempts there were.
ALTER TABLE tracked_transaction ADD COLUMN replaced boolean NOT NULL DEFAULT false;
ALTER TABLE tracked_transaction
    ADD CHECK (NOT replaced OR state IN ('PENDING', 'ORPHANED'));
CREATE INDEX tracked_transaction_slot ON tracked_transaction (chain, from_address, nonce)
    WHERE state = 'FINALIZED';
DROP INDEX tracked_transaction_open;
CREATE INDEX tracked_transaction_open ON tracked_transaction (chain, state, hash)
    WHERE state <> 'FINALIZED' AND NOT replaced;
