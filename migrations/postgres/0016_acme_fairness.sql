-- Authorizations that no order was made for are forgotten once they have ended, whatever they came to;
-- all others with their order.
ALTER TABLE acme_authorizations ADD COLUMN without_order BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE acme_authorizations SET without_order = TRUE
    WHERE NOT EXISTS (SELECT 1 FROM acme_order_authorizations l WHERE l.authorization_id = acme_authorizations.id);
CREATE INDEX acme_authorizations_ended ON acme_authorizations (expires_at)
    WHERE without_order AND status NOT IN ('pending', 'valid');
-- Whose work a job is: each gets its share of the places. 0 is nobody's in particular.
ALTER TABLE jobs ADD COLUMN lane BIGINT NOT NULL DEFAULT 0;
CREATE INDEX jobs_due_by_lane ON jobs (kind, lane, run_at, id) WHERE finished_at IS NULL;
CREATE INDEX jobs_leased ON jobs (kind, lane, lease_until) WHERE finished_at IS NULL AND lease_until IS NOT NULL;
