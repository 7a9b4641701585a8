-- Keys that a revocation has named as compromised, which no new certificate may have: few of many.
DROP INDEX certificates_by_spki;
CREATE INDEX certificates_compromised ON certificates (spki_sha256)
    WHERE revocation_reason = 'key_compromise';
