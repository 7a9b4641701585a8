-- A revocation's request names its order's product, organization and names, as all others do.
UPDATE requests SET
    product_id = (SELECT product_id FROM orders WHERE number = order_number),
    organization_id = (SELECT organization_id FROM orders WHERE number = order_number),
    common_name = (SELECT common_name FROM orders WHERE number = order_number),
    names = (SELECT names FROM orders WHERE number = order_number)
WHERE kind = 'revoke' AND product_id IS NULL;
