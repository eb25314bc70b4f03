-- What was used. Events are kept in partitions by the period of 35 days in which they were RECEIVED,
-- because a retry may carry another event time. A key is looked for in the current and the previous
-- period, so a repeat is found for at least 35 days.
--
-- The period comes from one row, not from the clock: whoever stores events holds a shared advisory
-- lock while reading it, whoever moves it holds the exclusive one. So no two transactions can store
-- one key in two periods.

CREATE TABLE usage_period (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    period     int NOT NULL,                  -- whole spans of 35 days since 1970-01-01
    moved_at   timestamptz NOT NULL DEFAULT now()
);
INSERT INTO usage_period (period) VALUES (floor(extract(epoch FROM now()) / 3024000)::int);

CREATE TABLE usage_events (
    org_id       bigint NOT NULL,
    customer_no  bigint NOT NULL,
    quantity     bigint NOT NULL,
    event_at     timestamptz NOT NULL,
    fingerprint  bigint NOT NULL,             -- of the content: tells a repeat from a reused key
    period       int NOT NULL,
    meter_no     int NOT NULL,
    key          uuid NOT NULL,               -- the first 128 bits of SHA-256 of source and event_id
    properties   jsonb,
    PRIMARY KEY (org_id, key, period)
) PARTITION BY LIST (period);

-- The partition of a period, made ahead by a job; twice is once.
CREATE FUNCTION usage_make_partition(wanted int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS usage_events_%s PARTITION OF usage_events FOR VALUES IN (%s)',
        wanted, wanted);
END $$;
SELECT usage_make_partition(period - 1), usage_make_partition(period), usage_make_partition(period + 1),
       usage_make_partition(period + 2)
FROM usage_period;

-- One row per customer, meter and window. Limits are not here: changing one never resets a counter.
CREATE TABLE usage_counters (
    org_id        bigint NOT NULL,
    customer_no   bigint NOT NULL,
    meter_no      int NOT NULL,
    reset_period  smallint NOT NULL,          -- 0 never, 1 day, 2 week, 3 month, 4 year, 5 billing period
    window_at     timestamptz NOT NULL,       -- start of the window; 1970-01-01 for "never"
    used          bigint NOT NULL DEFAULT 0,
    reserved      bigint NOT NULL DEFAULT 0,
    events        bigint NOT NULL DEFAULT 0,
    last_event_at timestamptz,
    updated_at    timestamptz NOT NULL,
    PRIMARY KEY (org_id, customer_no, meter_no, reset_period, window_at)
) WITH (fillfactor = 70);

CREATE TABLE reservations (
    org_id          bigint NOT NULL,
    reservation_id  uuid NOT NULL,
    customer_no     bigint NOT NULL,
    meter_no        int NOT NULL,
    feature_id      uuid NOT NULL,
    quantity        bigint NOT NULL CHECK (quantity > 0),
    state           text NOT NULL CHECK (state IN ('OPEN', 'COMMITTED', 'RELEASED', 'EXPIRED')),
    window_at       timestamptz NOT NULL,
    reset_period    smallint NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    closed_at       timestamptz,
    PRIMARY KEY (org_id, reservation_id)
);
CREATE INDEX reservations_open ON reservations (expires_at) WHERE state = 'OPEN';

-- Totals by day for queries over long times.
CREATE TABLE usage_daily (
    org_id       bigint NOT NULL,
    customer_no  bigint NOT NULL,
    meter_no     int NOT NULL,
    day          date NOT NULL,
    quantity     bigint NOT NULL,
    events       bigint NOT NULL,
    PRIMARY KEY (org_id, customer_no, meter_no, day)
) WITH (fillfactor = 80);
