-- What expires within some days, sorted by number or age: all of the window were looked through in
-- an index, to find the page's fifty. Here the orders whose certificates end on one day stand as the
-- list sorts them, and the days are merged until the page is full.
CREATE INDEX orders_by_end_day
    ON orders (primary_not_after / 86400, number, primary_not_after, status)
    WHERE primary_not_after IS NOT NULL;
CREATE INDEX orders_by_end_day_ordered
    ON orders (primary_not_after / 86400, ordered_at, number, primary_not_after, status)
    WHERE primary_not_after IS NOT NULL;
-- By name, those that end at other times are passed over unread.
DROP INDEX orders_by_common_name;
CREATE INDEX orders_by_common_name ON orders (common_name, number, primary_not_after, status);

-- Of the few that are not issued, those of another product are passed over unread.
DROP INDEX orders_by_status;
CREATE INDEX orders_by_status ON orders (status, number, product_id) WHERE status <> 'issued';
DROP INDEX orders_by_status_ordered;
CREATE INDEX orders_by_status_ordered ON orders (status, ordered_at, number, product_id)
    WHERE status <> 'issued';
DROP INDEX orders_by_status_valid_till;
CREATE INDEX orders_by_status_valid_till ON orders (status, valid_till, number, product_id)
    WHERE status <> 'issued';
