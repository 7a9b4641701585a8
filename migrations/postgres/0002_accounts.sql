-- The audit log's chain has positions of its own, given by the one sealer: on PostgreSQL rows may
-- become visible in another order than that of their ids, and a late one is sealed later.
ALTER TABLE audit_log ADD COLUMN chain_position BIGINT;
CREATE UNIQUE INDEX audit_log_by_chain ON audit_log (chain_position);

-- The newest seal, apart from the rows: a log whose end was cut off shows. One row.
CREATE TABLE audit_chain (
    id BIGINT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    sealed_at BIGINT NOT NULL
);
INSERT INTO audit_chain (id, position, hash, sealed_at) VALUES (1, 0, '', 0);

-- Links that are good once: the first administrator's set-up, a new person's first password, a
-- password reset. The token itself is never stored, only its SHA-256.
CREATE TABLE one_time_links (
    token_hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- None for the set-up link.
    user_id BIGINT UNIQUE REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
