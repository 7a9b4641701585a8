-- When a domain's token was made: it shows control for thirty days.
ALTER TABLE domains ADD COLUMN token_made_at BIGINT NOT NULL DEFAULT 0;
UPDATE domains SET token_made_at = created_at;
