-- What is older than promised goes, over all organisations. New rows are appended in the order of time,
-- so a small index of ranges finds the old ones.
CREATE INDEX event_log_created ON event_log USING brin (created_at);

-- Whole partitions of usage events; the counters stay.
CREATE FUNCTION usage_drop_partitions(before int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    partition record;
    dropped int := 0;
BEGIN
    FOR partition IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'usage_events'::regclass
        AND substring(c.relname FROM '\d+$')::int < before
    LOOP
        EXECUTE format('DROP TABLE %I', partition.relname);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
