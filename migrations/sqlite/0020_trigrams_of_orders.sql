-- The trigram index is of orders now, not of each of their names: an order's names share their
-- domain, so its lists are a third as long, and what it gives is an order.
DROP TRIGGER order_names_fts_delete;
DROP TABLE order_names_fts;
CREATE VIRTUAL TABLE orders_fts USING fts5 (
    names, content = 'orders', content_rowid = 'number', tokenize = 'trigram', detail = 'none'
);
INSERT INTO orders_fts (orders_fts) VALUES ('rebuild');
-- New orders wait for the index, behind the last that it holds. One with an earlier number (of an
-- import) does not wait.
CREATE TRIGGER orders_fts_insert AFTER INSERT ON orders
WHEN new.number < (SELECT max(id) FROM orders_fts_docsize) BEGIN
    INSERT INTO orders_fts (rowid, names) VALUES (new.number, new.names);
END;
-- What still waits is not in it.
CREATE TRIGGER orders_fts_update AFTER UPDATE OF names ON orders
WHEN new.names <> old.names
AND EXISTS (SELECT 1 FROM orders_fts_docsize WHERE id = old.number) BEGIN
    INSERT INTO orders_fts (orders_fts, rowid, names) VALUES ('delete', old.number, old.names);
    INSERT INTO orders_fts (rowid, names) VALUES (new.number, new.names);
END;
CREATE TRIGGER orders_fts_delete AFTER DELETE ON orders
WHEN EXISTS (SELECT 1 FROM orders_fts_docsize WHERE id = old.number) BEGIN
    INSERT INTO orders_fts (orders_fts, rowid, names) VALUES ('delete', old.number, old.names);
END;
