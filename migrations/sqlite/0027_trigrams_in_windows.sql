-- Only PostgreSQL: SQLite's trigram index gives the latest orders first.
SELECT 1;
