-- Since when an endpoint's handshakes have failed one after the other: what was in place is missing
-- only when they have for an hour, however often the agent looks.
ALTER TABLE endpoints ADD COLUMN missed_since BIGINT;
