-- Searches by the beginning or the end of a name read its order's number in the index.
DROP INDEX order_names_by_name;
CREATE INDEX order_names_by_name ON order_names (name, id) INCLUDE (order_number);
DROP INDEX order_names_by_reversed;
CREATE INDEX order_names_by_reversed ON order_names (reversed, id) INCLUDE (order_number);
