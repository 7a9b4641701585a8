-- The last second that the certificates of a profile may be valid in.
ALTER TABLE profiles ADD COLUMN ends_by BIGINT;
