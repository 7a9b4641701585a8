-- The trigram index also has the names without their dots: of `s.exam`, most names hold `s.e`, `.ex`
-- and `exa`, and few hold `sex`.
DROP TRIGGER orders_fts_insert;
DROP TRIGGER orders_fts_update;
DROP TRIGGER orders_fts_delete;
DROP TABLE orders_fts;
CREATE VIEW searched_orders (number, names, undotted) AS
    SELECT number, names, replace(names, '.', '') FROM orders;
CREATE VIRTUAL TABLE orders_fts USING fts5 (
    names, undotted, content = 'searched_orders', content_rowid = 'number', tokenize = 'trigram',
    detail = 'none'
);
INSERT INTO orders_fts (orders_fts) VALUES ('rebuild');
-- In one piece: searches go through each piece.
INSERT INTO orders_fts (orders_fts) VALUES ('optimize');
-- New orders wait for the index, behind the last that it holds. One with an earlier number (of an
-- import) does not wait.
CREATE TRIGGER orders_fts_insert AFTER INSERT ON orders
WHEN new.number < (SELECT max(id) FROM orders_fts_docsize) BEGIN
    INSERT INTO orders_fts (rowid, names, undotted)
    VALUES (new.number, new.names, replace(new.names, '.', ''));
END;
-- What still waits is not in it.
CREATE TRIGGER orders_fts_update AFTER UPDATE OF names ON orders
WHEN new.names <> old.names
AND EXISTS (SELECT 1 FROM orders_fts_docsize WHERE id = old.number) BEGIN
    INSERT INTO orders_fts (orders_fts, rowid, names, undotted)
    VALUES ('delete', old.number, old.names, replace(old.names, '.', ''));
    INSERT INTO orders_fts (rowid, names, undotted)
    VALUES (new.number, new.names, replace(new.names, '.', ''));
END;
CREATE TRIGGER orders_fts_delete AFTER DELETE ON orders
WHEN EXISTS (SELECT 1 FROM orders_fts_docsize WHERE id = old.number) BEGIN
    INSERT INTO orders_fts (orders_fts, rowid, names, undotted)
    VALUES ('delete', old.number, old.names, replace(old.names, '.', ''));
END;
