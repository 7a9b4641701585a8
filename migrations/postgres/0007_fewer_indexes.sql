-- What an issuance writes and nobody reads: with a million orders each such index is a page of its
-- own for each order, read, logged and written back.

-- Hardly any order is in another state than issued, and a list of issued orders is read along the
-- indexes of all orders.
DROP INDEX orders_by_status;
CREATE INDEX orders_by_status ON orders (status, number) WHERE status <> 'issued';
DROP INDEX orders_by_status_ordered;
CREATE INDEX orders_by_status_ordered ON orders (status, ordered_at, number)
    WHERE status <> 'issued';
DROP INDEX orders_by_status_valid_till;
CREATE INDEX orders_by_status_valid_till ON orders (status, valid_till, number)
    WHERE status <> 'issued';
-- Wildcards stand first by name: revoked orders of another product are passed over unread.
DROP INDEX orders_by_status_common_name;
CREATE INDEX orders_by_status_common_name ON orders (status, common_name, number, product_id)
    WHERE status <> 'issued';

-- Serials have 128 random bits and are unique among certificates, tokens have 256. The plan of an
-- issuance that came to its end is told by its certificate.
ALTER TABLE issuances DROP CONSTRAINT issuances_serial_key;
UPDATE issuances SET plan = '' WHERE state = 'issued';
ALTER TABLE acme_challenges DROP CONSTRAINT acme_challenges_token_key;
