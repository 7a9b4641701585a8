-- Of the few that are not issued, those of another product are passed over unread.
DROP INDEX orders_by_status;
CREATE INDEX orders_by_status ON orders (status, number, product_id) WHERE status <> 'issued';
DROP INDEX orders_by_status_ordered;
CREATE INDEX orders_by_status_ordered ON orders (status, ordered_at, number, product_id)
    WHERE status <> 'issued';
DROP INDEX orders_by_status_valid_till;
CREATE INDEX orders_by_status_valid_till ON orders (status, valid_till, number, product_id)
    WHERE status <> 'issued';
-- What expires within some days is picked from the whole window here: an index by day, which SQLite
-- has, would be planned anew for each day of each page.
