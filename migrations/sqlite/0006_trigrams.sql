-- Only PostgreSQL: SQLite's trigram index holds dots and hyphens.
SELECT 1;
