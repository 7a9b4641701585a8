-- Only SQLite: PostgreSQL gathers what is new in its trigram index by itself.
SELECT 1;
