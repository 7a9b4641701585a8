-- Lists of a million orders: combinations that the first indexes answered by sorting or walking
-- past very many rows.

-- Those that expire within some days, by anything else: the columns behind the keyset spare the
-- look at each order of the window, and on the way by name at each order outside of it.
DROP INDEX orders_by_valid_till;
CREATE INDEX orders_by_valid_till ON orders (valid_till, number, ordered_at, status);
DROP INDEX orders_by_common_name;
CREATE INDEX orders_by_common_name ON orders (common_name, number, valid_till, status);
-- Wildcards stand first by name: revoked orders of another product are passed over unread.
DROP INDEX orders_by_status_common_name;
CREATE INDEX orders_by_status_common_name ON orders (status, common_name, number, product_id);

-- Renewed ones stand together, far from the newest; by name they are spread evenly.
CREATE INDEX orders_renewed ON orders (number) WHERE renewed_by IS NOT NULL;
CREATE INDEX orders_renewed_ordered ON orders (ordered_at, number) WHERE renewed_by IS NOT NULL;
CREATE INDEX orders_renewed_valid_till ON orders (valid_till, number) WHERE renewed_by IS NOT NULL;

-- Few have duplicates: their indexes are small, and hold what else may be filtered by.
CREATE INDEX orders_with_duplicates
    ON orders (number, valid_till, status, product_id, organization_id, origin)
    WHERE duplicates_count > 0;
CREATE INDEX orders_with_duplicates_ordered
    ON orders (ordered_at, number, valid_till, status, product_id, organization_id, origin)
    WHERE duplicates_count > 0;
CREATE INDEX orders_with_duplicates_valid_till
    ON orders (valid_till, number, status, product_id, organization_id, origin)
    WHERE duplicates_count > 0;
CREATE INDEX orders_with_duplicates_common_name
    ON orders (common_name, number, valid_till, status, product_id, organization_id, origin)
    WHERE duplicates_count > 0;
