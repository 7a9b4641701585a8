-- What ends soon is told by its certificates: those of a multi-year plan end long before the plan
-- does. Plans have an index of their own for it, which costs other orders nothing.
CREATE INDEX orders_plans_by_certificate
    ON orders (primary_not_after, number, ordered_at, status, product_id, organization_id, origin, common_name)
    WHERE coverage_ends_at IS NOT NULL;
-- All others are good until their certificate ends; plans are passed over unread.
DROP INDEX orders_by_valid_till;
CREATE INDEX orders_by_valid_till
    ON orders (valid_till, number, ordered_at, status, coverage_ends_at);
