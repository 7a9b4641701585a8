-- What an address is sorted by: 4 or 6, and the address in hexadecimal digits. Rows that are here
-- already get theirs from the program, right after this.
ALTER TABLE endpoints ADD COLUMN ip_key TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX endpoints_by_address ON endpoints (ip_key, port, id) WHERE gone_at IS NULL;
DROP INDEX endpoints_by_agent;
CREATE INDEX endpoints_by_agent ON endpoints (agent_id, ip_key, port, id) WHERE gone_at IS NULL;
