-- Of a certificate that was revoked because its key was compromised: its ACME account only says so, and
-- nobody has signed with that key. It concerns the key's certificates of this account, and no others.
ALTER TABLE certificates ADD COLUMN compromise_claimed BOOLEAN NOT NULL DEFAULT FALSE;
