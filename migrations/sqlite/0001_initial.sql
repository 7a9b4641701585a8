-- The whole first schema. Its twin is migrations/postgres/0001_initial.sql: same tables, columns,
-- nullability and unique keys; a test compares the two.
--
-- Times are whole seconds since 1970 (UTC). JSON is TEXT. Codes of enums are those of the domain
-- crate (`as_str`). Names are lower-case A-labels. Digests and serials are lower-case hex.

-- Account settings, one JSON value each; `version` counts changes, for compare and set.
CREATE TABLE settings (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    updated_at BIGINT NOT NULL,
    updated_by BIGINT
);

CREATE TABLE organizations (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    country TEXT NOT NULL,
    -- As OV and EV certificates hold them.
    locality TEXT,
    registration_number TEXT,
    validated_until BIGINT,
    created_at BIGINT NOT NULL
);

CREATE TABLE domains (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    validated_until BIGINT,
    -- How control was or will be shown, and the token that shows it.
    method TEXT,
    token TEXT,
    created_at BIGINT NOT NULL,
    UNIQUE (organization_id, name)
);
CREATE INDEX domains_by_name ON domains (name);

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    -- Lower-case.
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    -- Argon2id in PHC form; none for people who sign in by single sign-on only.
    password_hash TEXT,
    disabled BOOLEAN NOT NULL DEFAULT FALSE,
    time_zone TEXT NOT NULL DEFAULT 'UTC',
    theme TEXT NOT NULL DEFAULT 'system',
    -- The TOTP seed, encrypted under the master key; none where there is no second factor.
    totp_sealed BLOB,
    -- The last accepted TOTP time step: a code is good once.
    totp_last_step BIGINT,
    created_at BIGINT NOT NULL,
    last_sign_in_at BIGINT
);
CREATE INDEX users_by_name ON users (name, id);

-- The cookie's value is never stored, only its SHA-256.
CREATE TABLE sessions (
    token_hash TEXT NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id),
    csrf TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address TEXT,
    user_agent TEXT
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE api_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    -- Narrower than the user's own role where given.
    role TEXT,
    token_hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX api_tokens_by_user ON api_tokens (user_id);

-- Leaky buckets shared by all nodes. `level` is in millionths of one request.
CREATE TABLE rate_buckets (
    key TEXT NOT NULL PRIMARY KEY,
    level BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX rate_buckets_by_time ON rate_buckets (updated_at);

-- Who did what. A sealer later fills `hash` = SHA-256(prev_hash, row), a chain in order of `id`.
CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at BIGINT NOT NULL,
    -- user, api, acme, automation, command, system
    actor_kind TEXT NOT NULL,
    actor_id BIGINT,
    actor_name TEXT NOT NULL,
    action TEXT NOT NULL,
    resource_kind TEXT NOT NULL,
    resource_id TEXT,
    old_value TEXT,
    new_value TEXT,
    description TEXT NOT NULL,
    address TEXT,
    prev_hash TEXT,
    hash TEXT
);
CREATE INDEX audit_log_by_time ON audit_log (at, id);
CREATE INDEX audit_log_by_actor ON audit_log (actor_kind, actor_id, id);
CREATE INDEX audit_log_by_action ON audit_log (action, id);
CREATE INDEX audit_log_by_resource ON audit_log (resource_kind, resource_id, id);
CREATE INDEX audit_log_unsealed ON audit_log (id) WHERE hash IS NULL;

CREATE TABLE orders (
    number INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    product_id TEXT NOT NULL,
    common_name TEXT NOT NULL,
    -- JSON array, the common name counted in.
    names TEXT NOT NULL,
    -- The first 16 bytes of SHA-256 of the canonical name set: equal for equal sets.
    names_key TEXT NOT NULL,
    status TEXT NOT NULL,
    origin TEXT NOT NULL,
    -- Of a multi-year plan; both none otherwise.
    coverage_years BIGINT,
    coverage_ends_at BIGINT,
    ordered_at BIGINT NOT NULL,
    issued_at BIGINT,
    -- The plan's end, or else the primary certificate's: kept here for lists.
    valid_till BIGINT,
    primary_not_after BIGINT,
    -- Lineage. No foreign keys: imported history may begin in the middle of a chain.
    renews BIGINT,
    renewed_by BIGINT,
    auto_renew BOOLEAN NOT NULL DEFAULT FALSE,
    validity_days BIGINT,
    key_type TEXT NOT NULL,
    signature_hash TEXT NOT NULL,
    acme_url_id BIGINT,
    acme_account_id BIGINT,
    profile_id BIGINT,
    requester_id BIGINT,
    -- As it was then: people and accounts may go.
    requester_name TEXT,
    certificates_count BIGINT NOT NULL DEFAULT 0,
    reissues_count BIGINT NOT NULL DEFAULT 0,
    duplicates_count BIGINT NOT NULL DEFAULT 0,
    idempotency_key TEXT UNIQUE,
    note TEXT
);
INSERT INTO sqlite_sequence (name, seq) VALUES ('orders', 100000000);
-- Lists: every filter with every sort, by keyset. Without its own index a filtered list would
-- sort, or walk past, all that match or all that don't.
CREATE INDEX orders_by_ordered ON orders (ordered_at, number);
CREATE INDEX orders_by_valid_till ON orders (valid_till, number);
CREATE INDEX orders_by_common_name ON orders (common_name, number);
CREATE INDEX orders_by_status ON orders (status, number);
CREATE INDEX orders_by_status_ordered ON orders (status, ordered_at, number);
CREATE INDEX orders_by_status_valid_till ON orders (status, valid_till, number);
CREATE INDEX orders_by_status_common_name ON orders (status, common_name, number);
CREATE INDEX orders_by_product ON orders (product_id, number);
CREATE INDEX orders_by_product_ordered ON orders (product_id, ordered_at, number);
CREATE INDEX orders_by_product_valid_till ON orders (product_id, valid_till, number);
CREATE INDEX orders_by_product_common_name ON orders (product_id, common_name, number);
CREATE INDEX orders_by_organization ON orders (organization_id, number);
CREATE INDEX orders_by_organization_ordered ON orders (organization_id, ordered_at, number);
CREATE INDEX orders_by_organization_valid_till ON orders (organization_id, valid_till, number);
CREATE INDEX orders_by_organization_common_name ON orders (organization_id, common_name, number);
CREATE INDEX orders_by_origin ON orders (origin, number);
CREATE INDEX orders_by_origin_ordered ON orders (origin, ordered_at, number);
CREATE INDEX orders_by_origin_valid_till ON orders (origin, valid_till, number);
CREATE INDEX orders_by_origin_common_name ON orders (origin, common_name, number);
CREATE INDEX orders_by_requester ON orders (requester_id, number);
-- Rules D9, D13 and A4: same product, organization and names.
CREATE INDEX orders_by_names
    ON orders (names_key, organization_id, product_id, status, valid_till, number);
CREATE INDEX orders_by_renews ON orders (renews) WHERE renews IS NOT NULL;
CREATE INDEX orders_by_acme_url ON orders (acme_url_id, number) WHERE acme_url_id IS NOT NULL;
CREATE INDEX orders_by_profile ON orders (profile_id, number) WHERE profile_id IS NOT NULL;

-- One row for each name of an order, for search. The columns behind `is_common_name` repeat the
-- order's: a look-up then needs one index. `id` grows with time, so that "latest first" is
-- `ORDER BY id DESC`, which the trigram index gives without sorting.
CREATE TABLE order_names (
    id INTEGER PRIMARY KEY NOT NULL,
    order_number BIGINT NOT NULL REFERENCES orders (number),
    name TEXT NOT NULL,
    -- The name written backwards, for look-ups by suffix.
    reversed TEXT NOT NULL,
    is_common_name BOOLEAN NOT NULL,
    organization_id BIGINT NOT NULL,
    product_id TEXT NOT NULL,
    ordered_at BIGINT NOT NULL,
    UNIQUE (order_number, name)
);
CREATE INDEX order_names_by_name ON order_names (name, id);
CREATE INDEX order_names_by_reversed ON order_names (reversed, id);
CREATE INDEX order_names_by_owner ON order_names (organization_id, product_id, name, order_number);

-- Substrings of names. `detail=none` is enough for LIKE and makes a third of the index.
CREATE VIRTUAL TABLE order_names_fts USING fts5 (
    name, content = 'order_names', content_rowid = 'id', tokenize = 'trigram', detail = 'none'
);
CREATE TRIGGER order_names_fts_insert AFTER INSERT ON order_names BEGIN
    INSERT INTO order_names_fts (rowid, name) VALUES (new.id, new.name);
END;
CREATE TRIGGER order_names_fts_delete AFTER DELETE ON order_names BEGIN
    INSERT INTO order_names_fts (order_names_fts, rowid, name) VALUES ('delete', old.id, old.name);
END;
CREATE TRIGGER order_names_fts_update AFTER UPDATE OF name ON order_names BEGIN
    INSERT INTO order_names_fts (order_names_fts, rowid, name) VALUES ('delete', old.id, old.name);
    INSERT INTO order_names_fts (rowid, name) VALUES (new.id, new.name);
END;

-- Issuing certificates of the embedded CA. `id` is the certificate's SHA-256.
CREATE TABLE authorities (
    id TEXT NOT NULL PRIMARY KEY,
    -- root, intermediate
    kind TEXT NOT NULL,
    certificate_pem TEXT NOT NULL,
    -- Encrypted under the master key; none where the key is elsewhere.
    sealed_key BLOB,
    created_at BIGINT NOT NULL,
    active BOOLEAN NOT NULL DEFAULT TRUE
);

CREATE TABLE certificates (
    id INTEGER PRIMARY KEY NOT NULL,
    order_number BIGINT NOT NULL REFERENCES orders (number),
    kind TEXT NOT NULL,
    serial TEXT NOT NULL UNIQUE,
    common_name TEXT NOT NULL,
    names TEXT NOT NULL,
    names_key TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    status TEXT NOT NULL,
    -- Where status is revocation_pending.
    revocation_due_at BIGINT,
    -- Where a revocation is pending or done.
    revocation_reason TEXT,
    revoked_at BIGINT,
    issuer_id TEXT REFERENCES authorities (id),
    -- None for imported history without it; the same goes for what is read from it.
    pem TEXT,
    fingerprint_sha256 TEXT,
    spki_sha256 TEXT,
    key_type TEXT,
    request_id BIGINT,
    requester_id BIGINT,
    acme_account_id BIGINT,
    endpoint_id BIGINT,
    issued_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX certificates_by_order ON certificates (order_number, id);
CREATE INDEX certificates_by_fingerprint ON certificates (fingerprint_sha256)
    WHERE fingerprint_sha256 IS NOT NULL;
CREATE INDEX certificates_by_spki ON certificates (spki_sha256) WHERE spki_sha256 IS NOT NULL;
CREATE INDEX certificates_by_not_after ON certificates (not_after, id);
CREATE INDEX certificates_revocation_due ON certificates (revocation_due_at)
    WHERE status = 'revocation_pending';
CREATE INDEX certificates_revoked ON certificates (issuer_id, not_after) WHERE status = 'revoked';

CREATE TABLE requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    kind TEXT NOT NULL,
    -- pending, approved, rejected, canceled
    status TEXT NOT NULL,
    order_number BIGINT REFERENCES orders (number),
    -- Of a revocation: the one certificate; none for the whole order.
    certificate_id BIGINT,
    requester_id BIGINT,
    requester_name TEXT,
    reviewer_id BIGINT,
    reviewer_name TEXT,
    created_at BIGINT NOT NULL,
    decided_at BIGINT,
    -- The requester's words to the reviewer, and the reviewer's answer.
    comment TEXT,
    note TEXT,
    -- Why it waits: the code of the rule that wants an approval.
    held_because TEXT,
    product_id TEXT,
    organization_id BIGINT,
    common_name TEXT,
    names TEXT,
    csr_pem TEXT,
    spki_sha256 TEXT,
    coverage_years BIGINT,
    validity_days BIGINT,
    key_type TEXT,
    signature_hash TEXT,
    revocation_reason TEXT,
    -- JSON: whatever else the kind needs.
    payload TEXT NOT NULL DEFAULT '{}',
    idempotency_key TEXT UNIQUE,
    -- The certificate that came of it.
    issued_certificate_id BIGINT
);
CREATE INDEX requests_by_status ON requests (status, id);
CREATE INDEX requests_by_order ON requests (order_number, id);
CREATE INDEX requests_by_requester ON requests (requester_id, id);

-- A serial is reserved and the plan stored before anything is signed; see the issuance cycle.
CREATE TABLE issuances (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    serial TEXT NOT NULL UNIQUE,
    request_id BIGINT REFERENCES requests (id),
    order_number BIGINT NOT NULL REFERENCES orders (number),
    kind TEXT NOT NULL,
    plan TEXT NOT NULL,
    -- reserved, issued, void
    state TEXT NOT NULL,
    idempotency_key TEXT UNIQUE,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX issuances_open ON issuances (id) WHERE state = 'reserved';
CREATE INDEX issuances_by_order ON issuances (order_number, id);
CREATE INDEX issuances_by_request ON issuances (request_id) WHERE request_id IS NOT NULL;

CREATE TABLE crls (
    issuer_id TEXT NOT NULL REFERENCES authorities (id),
    number BIGINT NOT NULL,
    der BLOB NOT NULL,
    this_update BIGINT NOT NULL,
    next_update BIGINT NOT NULL,
    PRIMARY KEY (issuer_id, number)
);

-- Automation profiles: everything but the names.
CREATE TABLE profiles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    product_id TEXT NOT NULL,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    coverage_years BIGINT,
    validity_days BIGINT,
    key_type TEXT NOT NULL,
    signature_hash TEXT NOT NULL,
    -- All three none where auto-renew is off.
    auto_renew_days BIGINT,
    auto_renew_minute BIGINT,
    auto_renew_time_zone TEXT,
    is_default BOOLEAN NOT NULL DEFAULT FALSE,
    allow_duplicates BOOLEAN NOT NULL DEFAULT TRUE,
    -- JSON array.
    emails TEXT NOT NULL DEFAULT '[]',
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by BIGINT
);

CREATE TABLE agents (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL,
    hostname TEXT,
    version TEXT,
    platform TEXT,
    -- The one-time token that an agent signs on with, and the key that it gets for it: SHA-256 each.
    activation_token_hash TEXT UNIQUE,
    -- SHA-256 of the attempt that used the token up: a lost answer may be asked for again.
    activation_attempt_hash TEXT,
    activation_expires_at BIGINT,
    token_hash TEXT UNIQUE,
    status TEXT NOT NULL,
    last_seen_at BIGINT,
    created_at BIGINT NOT NULL,
    removed_at BIGINT
);

-- An IP:port under Automation > Automated IPs.
CREATE TABLE endpoints (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    agent_id BIGINT NOT NULL REFERENCES agents (id),
    ip TEXT NOT NULL,
    port BIGINT NOT NULL,
    -- Name-based virtual host; empty for the default one.
    server_name TEXT NOT NULL DEFAULT '',
    server_software TEXT,
    alias TEXT,
    -- What is served now: none, ours, other; the columns are of the last probe.
    issuer_kind TEXT NOT NULL DEFAULT 'none',
    served_chain_pem TEXT,
    served_serial TEXT,
    served_issuer TEXT,
    served_common_name TEXT,
    served_names TEXT,
    served_not_before BIGINT,
    served_not_after BIGINT,
    certificate_id BIGINT REFERENCES certificates (id),
    order_number BIGINT REFERENCES orders (number),
    status TEXT NOT NULL,
    profile_id BIGINT REFERENCES profiles (id),
    auto_renew BOOLEAN NOT NULL DEFAULT FALSE,
    auto_renew_days BIGINT,
    auto_renew_minute BIGINT,
    auto_renew_time_zone TEXT,
    -- In whose name it renews.
    auto_renew_user_id BIGINT REFERENCES users (id),
    -- Replace another CA's certificate at renewal too.
    auto_replace BOOLEAN NOT NULL DEFAULT FALSE,
    next_auto_renew_at BIGINT,
    -- The event being worked on; compare and set keeps it to one.
    current_event_id BIGINT,
    last_probe_at BIGINT,
    probe_error TEXT,
    -- Why the agent cannot install here by itself; none where it can.
    manual_reason TEXT,
    -- Why a person is needed and what they can do.
    cause TEXT,
    solution TEXT,
    created_at BIGINT NOT NULL,
    UNIQUE (agent_id, ip, port, server_name)
);
CREATE INDEX endpoints_by_status ON endpoints (status, id);
CREATE INDEX endpoints_by_expiry ON endpoints (served_not_after, id);
CREATE INDEX endpoints_by_common_name ON endpoints (served_common_name, id);
CREATE INDEX endpoints_by_order ON endpoints (order_number) WHERE order_number IS NOT NULL;
CREATE INDEX endpoints_by_profile ON endpoints (profile_id) WHERE profile_id IS NOT NULL;
CREATE INDEX endpoints_auto_renew_due ON endpoints (next_auto_renew_at)
    WHERE next_auto_renew_at IS NOT NULL;

-- One piece of work on one endpoint. Its agent polls for those of its endpoints.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    endpoint_id BIGINT NOT NULL REFERENCES endpoints (id),
    action TEXT NOT NULL,
    -- new, duplicate, auto_renew
    mode TEXT NOT NULL,
    source_order BIGINT,
    profile_id BIGINT,
    -- JSON: the profile as it was when the event was made.
    profile TEXT NOT NULL,
    common_name TEXT,
    -- JSON arrays.
    names TEXT,
    extra_names TEXT,
    status TEXT NOT NULL,
    scheduled_at BIGINT NOT NULL,
    time_zone TEXT NOT NULL DEFAULT 'UTC',
    requester_id BIGINT,
    requester_name TEXT,
    emails TEXT NOT NULL DEFAULT '[]',
    note TEXT,
    request_id BIGINT REFERENCES requests (id),
    order_number BIGINT REFERENCES orders (number),
    certificate_id BIGINT REFERENCES certificates (id),
    attempt BIGINT NOT NULL DEFAULT 0,
    next_attempt_at BIGINT,
    csr_pem TEXT,
    csr_at BIGINT,
    ordered_at BIGINT,
    issued_at BIGINT,
    installed_at BIGINT,
    verified_at BIGINT,
    finished_at BIGINT,
    cause TEXT,
    solution TEXT,
    -- JSON: candidates, rules, window arithmetic, action.
    explanation TEXT,
    idempotency_key TEXT UNIQUE,
    created_at BIGINT NOT NULL
);
CREATE INDEX events_by_endpoint ON events (endpoint_id, id);
CREATE INDEX events_by_status ON events (status, scheduled_at, id);
CREATE INDEX events_open ON events (endpoint_id, scheduled_at) WHERE finished_at IS NULL;
CREATE INDEX events_by_request ON events (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX events_by_order ON events (order_number) WHERE order_number IS NOT NULL;

-- Background work with leases: a worker owns a job until `lease_until`.
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    -- At most one unfinished job for a thing; cleared when the job is finished.
    unique_key TEXT UNIQUE,
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    max_attempts BIGINT NOT NULL DEFAULT 10,
    lease_owner TEXT,
    lease_until BIGINT,
    finished_at BIGINT,
    -- Finished because all attempts were used up.
    failed BOOLEAN NOT NULL DEFAULT FALSE,
    last_error TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX jobs_due ON jobs (run_at, id) WHERE finished_at IS NULL;
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;

-- ACME Directory URLs: what the orders of a credential are.
CREATE TABLE acme_urls (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    product_id TEXT NOT NULL,
    organization_id BIGINT NOT NULL REFERENCES organizations (id),
    coverage_years BIGINT,
    validity_days BIGINT,
    -- JSON arrays; empty means all.
    key_types TEXT NOT NULL DEFAULT '[]',
    allowed_domains TEXT NOT NULL DEFAULT '[]',
    may_renew BOOLEAN NOT NULL DEFAULT TRUE,
    may_reissue BOOLEAN NOT NULL DEFAULT TRUE,
    may_duplicate BOOLEAN NOT NULL DEFAULT TRUE,
    duplicate_automatically BOOLEAN NOT NULL DEFAULT TRUE,
    -- active, revoked
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT
);

-- External account binding keys (RFC 8555 section 7.3.4).
CREATE TABLE acme_eab_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    acme_url_id BIGINT NOT NULL REFERENCES acme_urls (id),
    sealed_key BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    -- A replaced key goes on working until then.
    expires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT
);
CREATE INDEX acme_eab_keys_by_url ON acme_eab_keys (acme_url_id);

CREATE TABLE acme_accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    acme_url_id BIGINT REFERENCES acme_urls (id),
    -- The binding key that it was made with.
    kid TEXT,
    -- RFC 7638, base64url.
    thumbprint TEXT NOT NULL UNIQUE,
    jwk TEXT NOT NULL,
    contacts TEXT NOT NULL DEFAULT '[]',
    -- valid, deactivated, revoked
    status TEXT NOT NULL,
    terms_agreed_at BIGINT,
    created_at BIGINT NOT NULL,
    address TEXT
);
CREATE INDEX acme_accounts_by_url ON acme_accounts (acme_url_id, id);

CREATE TABLE acme_orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    account_id BIGINT NOT NULL REFERENCES acme_accounts (id),
    acme_url_id BIGINT REFERENCES acme_urls (id),
    -- pending, ready, processing, valid, invalid
    status TEXT NOT NULL,
    -- JSON array as the client sent it, and the key of its names.
    identifiers TEXT NOT NULL,
    names_key TEXT NOT NULL,
    not_before BIGINT,
    not_after BIGINT,
    profile TEXT,
    -- RFC 9773 certificate id.
    replaces TEXT,
    -- From the directory's query or path (rule A2); action_order as the client wrote it.
    action TEXT,
    action_order BIGINT,
    expires_at BIGINT NOT NULL,
    -- Problem document.
    error TEXT,
    csr_der BLOB,
    certificate_id BIGINT REFERENCES certificates (id),
    order_number BIGINT REFERENCES orders (number),
    request_id BIGINT REFERENCES requests (id),
    explanation TEXT,
    -- When finalize took it from ready to processing: recovery finishes what is old.
    finalize_claimed_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX acme_orders_by_account ON acme_orders (account_id, id);
CREATE INDEX acme_orders_identical ON acme_orders (account_id, names_key, id)
    WHERE status IN ('pending', 'ready', 'processing');
CREATE INDEX acme_orders_open ON acme_orders (status, expires_at)
    WHERE status IN ('pending', 'ready', 'processing');
CREATE INDEX acme_orders_by_url ON acme_orders (acme_url_id, id);
CREATE INDEX acme_orders_by_order ON acme_orders (order_number) WHERE order_number IS NOT NULL;
CREATE INDEX acme_orders_by_request ON acme_orders (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX acme_orders_by_certificate ON acme_orders (certificate_id)
    WHERE certificate_id IS NOT NULL;
CREATE INDEX acme_orders_by_replaces ON acme_orders (replaces) WHERE replaces IS NOT NULL;

CREATE TABLE acme_authorizations (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    account_id BIGINT NOT NULL REFERENCES acme_accounts (id),
    identifier_kind TEXT NOT NULL,
    -- Without "*.".
    identifier_value TEXT NOT NULL,
    wildcard BOOLEAN NOT NULL DEFAULT FALSE,
    -- pending, valid, invalid, deactivated, expired, revoked
    status TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    validated_at BIGINT,
    -- Valid without a challenge: the organization's domain was validated before.
    prevalidated BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL
);
CREATE INDEX acme_authorizations_reusable
    ON acme_authorizations (account_id, identifier_value, wildcard, status, expires_at);
CREATE INDEX acme_authorizations_by_expiry ON acme_authorizations (expires_at)
    WHERE status IN ('pending', 'valid');

CREATE TABLE acme_order_authorizations (
    acme_order_id BIGINT NOT NULL REFERENCES acme_orders (id),
    authorization_id BIGINT NOT NULL REFERENCES acme_authorizations (id),
    PRIMARY KEY (acme_order_id, authorization_id)
);
CREATE INDEX acme_order_authorizations_by_authorization
    ON acme_order_authorizations (authorization_id);

CREATE TABLE acme_challenges (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    authorization_id BIGINT NOT NULL REFERENCES acme_authorizations (id),
    -- http-01, dns-01, tls-alpn-01
    kind TEXT NOT NULL,
    token TEXT NOT NULL UNIQUE,
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

-- Used nonces, where several nodes serve ACME: a second insert of one fails.
CREATE TABLE acme_nonces (
    nonce TEXT NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL
);
CREATE INDEX acme_nonces_by_time ON acme_nonces (created_at);
