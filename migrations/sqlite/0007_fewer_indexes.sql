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
CREATE TABLE issuances_anew (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    serial TEXT NOT NULL,
    request_id BIGINT REFERENCES requests (id),
    order_number BIGINT NOT NULL REFERENCES orders (number),
    kind TEXT NOT NULL,
    -- Empty where the state is issued.
    plan TEXT NOT NULL,
    -- reserved, issued, void
    state TEXT NOT NULL,
    idempotency_key TEXT UNIQUE,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
INSERT INTO issuances_anew (id, serial, request_id, order_number, kind, plan, state,
    idempotency_key, created_at, finished_at)
    SELECT id, serial, request_id, order_number, kind,
        CASE WHEN state = 'issued' THEN '' ELSE plan END, state, idempotency_key, created_at,
        finished_at
    FROM issuances;
DROP TABLE issuances;
ALTER TABLE issuances_anew RENAME TO issuances;
CREATE INDEX issuances_open ON issuances (id) WHERE state = 'reserved';
CREATE INDEX issuances_by_order ON issuances (order_number, id);
CREATE INDEX issuances_by_request ON issuances (request_id) WHERE request_id IS NOT NULL;

CREATE TABLE acme_challenges_anew (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    authorization_id BIGINT NOT NULL REFERENCES acme_authorizations (id),
    -- http-01, dns-01, tls-alpn-01
    kind TEXT NOT NULL,
    token TEXT NOT NULL,
    status TEXT NOT NULL,
    error TEXT,
    validated_at BIGINT,
    key_authorization TEXT,
    attempts BIGINT NOT NULL DEFAULT 0,
    -- JSON: what was looked up and what answered.
    validation_record TEXT,
    created_at BIGINT NOT NULL,
    UNIQUE (authorization_id, kind)
);
INSERT INTO acme_challenges_anew (id, authorization_id, kind, token, status, error, validated_at,
    key_authorization, attempts, validation_record, created_at)
    SELECT id, authorization_id, kind, token, status, error, validated_at, key_authorization,
        attempts, validation_record, created_at
    FROM acme_challenges;
DROP TABLE acme_challenges;
ALTER TABLE acme_challenges_anew RENAME TO acme_challenges;
