-- Also three characters with a dot between them: of `s.exam`, most names hold `s.e`, `.ex` and
-- `exa`, and few hold `sex`.
DROP INDEX order_names_trigrams;
CREATE OR REPLACE FUNCTION trigrams(name TEXT) RETURNS TEXT[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT ARRAY(
        SELECT substr(text, place, 3)
        FROM unnest(ARRAY[name, replace(name, '.', '')]) AS texts (text),
            generate_series(1, length(text) - 2) AS place
    ) $$;
CREATE INDEX order_names_trigrams ON order_names USING gin (trigrams(name))
    WITH (gin_pending_list_limit = 256);
-- Gathers statistics of the expression.
ANALYZE order_names;
