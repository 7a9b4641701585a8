-- The writer puts the names of a group of works into the trigram index at once, before it commits:
-- a trigger did so for each name, and FTS5 wrote a piece of the index for each savepoint.
DROP TRIGGER order_names_fts_insert;
-- Names that came and went in one group were never in it.
DROP TRIGGER order_names_fts_delete;
CREATE TRIGGER order_names_fts_delete AFTER DELETE ON order_names
WHEN EXISTS (SELECT 1 FROM order_names_fts_docsize WHERE id = old.id) BEGIN
    INSERT INTO order_names_fts (order_names_fts, rowid, name) VALUES ('delete', old.id, old.name);
END;
-- Names are never changed in their place.
DROP TRIGGER order_names_fts_update;
