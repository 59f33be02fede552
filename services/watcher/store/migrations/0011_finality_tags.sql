-- Whether a node of the chain has ever answered a finality tag with a block. Depth alone stands in for
-- a tag only where it never has: one that is missing for a moment must not make blocks final early.
ALTER TABLE chain ADD COLUMN safe_tag_seen boolean NOT NULL DEFAULT false;
ALTER TABLE chain ADD COLUMN finalized_tag_seen boolean NOT NULL DEFAULT false;
