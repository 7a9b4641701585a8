-- ACME orders that came to nothing are forgotten some time after their end.
CREATE INDEX acme_orders_came_to_nothing ON acme_orders (expires_at)
    WHERE status = 'invalid' AND order_number IS NULL AND request_id IS NULL;
