-- What expires within some days, sorted by number or age: all of the window were looked through in
-- an index, to find the page's fifty. Here the orders whose certificates end on one day stand as the
-- list sorts them, and a page takes fifty of each day.
CREATE INDEX orders_by_end_day
    ON orders ((primary_not_after / 86400), number, primary_not_after, status)
    WHERE primary_not_after IS NOT NULL;
CREATE INDEX orders_by_end_day_ordered
    ON orders ((primary_not_after / 86400), ordered_at, number, primary_not_after, status)
    WHERE primary_not_after IS NOT NULL;
-- By name, those whose certificates end at other times are passed over unread.
DROP INDEX orders_by_common_name;
CREATE INDEX orders_by_common_name
    ON orders (common_name, number, primary_not_after, status, valid_till);
-- Without statistics of the day, which come with these, the indexes would not be chosen.
ANALYZE orders;
