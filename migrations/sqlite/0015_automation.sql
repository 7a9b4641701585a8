-- Since when an endpoint is no longer there: its agent reports without it, or was removed.
ALTER TABLE endpoints ADD COLUMN gone_at BIGINT;
UPDATE endpoints SET gone_at = (SELECT removed_at FROM agents WHERE id = agent_id);
CREATE INDEX endpoints_by_agent ON endpoints (agent_id, id) WHERE gone_at IS NULL;

-- The order whose renewal by another an event waits for: what becomes of that wakes it.
ALTER TABLE events ADD COLUMN waits_for BIGINT;
CREATE INDEX events_waiting ON events (waits_for) WHERE waits_for IS NOT NULL;
