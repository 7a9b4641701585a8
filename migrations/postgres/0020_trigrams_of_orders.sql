-- Only SQLite: PostgreSQL's trigram index stays with the names, whose rows do not change.
SELECT 1;
