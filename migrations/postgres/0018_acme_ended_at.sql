-- ACME orders that came to nothing are forgotten some time after their end, also those whose request a
-- reviewer rejected or nobody decided: these end long after the time that clients had for them.
ALTER TABLE acme_orders ADD COLUMN ended_at BIGINT;
UPDATE acme_orders SET ended_at = COALESCE(
    (SELECT r.decided_at FROM requests r WHERE r.id = acme_orders.request_id), expires_at)
    WHERE status = 'invalid';
DROP INDEX acme_orders_came_to_nothing;
CREATE INDEX acme_orders_ended ON acme_orders (ended_at) WHERE status = 'invalid';
