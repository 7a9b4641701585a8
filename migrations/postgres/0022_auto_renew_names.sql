-- The names that auto-renew renews, whatever an agent says is served. Where it is on already they are
-- those of the certificate in place, or of ours that was there last. Where there is neither they stay
-- NULL: what may be served later nobody has chosen, so that a person is asked.
ALTER TABLE endpoints ADD COLUMN auto_renew_names TEXT COLLATE "C";
UPDATE endpoints SET auto_renew_names = COALESCE(served_names,
    (SELECT c.names FROM certificates c WHERE c.id = endpoints.certificate_id))
    WHERE auto_renew;
