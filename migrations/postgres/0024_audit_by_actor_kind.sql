-- The audit log is filtered by kinds of actors and sorted by age. Behind each single actor, entries
-- of a kind had to be sorted; and entries of many ACME accounts went into as many places.
DROP INDEX audit_log_by_actor;
CREATE INDEX audit_log_by_actor ON audit_log (actor_kind, id);
