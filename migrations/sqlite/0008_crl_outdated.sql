-- Whether a certificate of this issuer was revoked after its newest CRL was made.
ALTER TABLE authorities ADD COLUMN crl_outdated BOOLEAN NOT NULL DEFAULT FALSE;
