-- Also the ranges of order numbers that a name's order is in, of four sizes, each a text longer than a
-- trigram: of what many names hold, only the latest orders' are read.
DROP INDEX order_names_trigrams;
DROP FUNCTION trigrams (TEXT);
CREATE FUNCTION searched(name TEXT, order_number BIGINT) RETURNS TEXT[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
    DECLARE
        undotted TEXT := replace(name, '.', '');
        keys TEXT[] := ARRAY[
            '12_' || (order_number >> 12), '14_' || (order_number >> 14),
            '16_' || (order_number >> 16), '18_' || (order_number >> 18)
        ];
    BEGIN
        FOR place IN 1..length(name) - 2 LOOP keys := keys || substr(name, place, 3); END LOOP;
        FOR place IN 1..length(undotted) - 2 LOOP keys := keys || substr(undotted, place, 3); END LOOP;
        RETURN keys;
    END $$;
CREATE INDEX order_names_searched ON order_names USING gin (searched(name, order_number))
    WITH (gin_pending_list_limit = 256);
-- Gathers statistics of the expression.
ANALYZE order_names;
