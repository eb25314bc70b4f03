-- What cannot be applied is set aside, and the mirror is compared with the payment side.

-- Set aside: it failed too often. A new event about the object, or an operator, gives it new tries.
ALTER TABLE dirty_objects ADD COLUMN quarantined_at timestamptz;
DROP INDEX dirty_objects_next;
CREATE INDEX dirty_objects_next ON dirty_objects (next_attempt_at) WHERE quarantined_at IS NULL;
CREATE INDEX dirty_objects_quarantined ON dirty_objects (quarantined_at) WHERE quarantined_at IS NOT NULL;

-- Not partitioned by time: an event that is delivered again after the turn of a partition must still
-- meet its first row, and a unique key of a partitioned table would have to contain the time.
ALTER TABLE webhook_inbox
    ADD COLUMN api_version text NOT NULL DEFAULT '',
    ADD COLUMN listed boolean NOT NULL DEFAULT false;  -- it never came: a comparison found it by asking
CREATE INDEX webhook_inbox_received ON webhook_inbox USING brin (received_at);
CREATE INDEX webhook_inbox_failed ON webhook_inbox (inbox_id) WHERE state = 'FAILED';
CREATE INDEX webhook_inbox_object ON webhook_inbox (account_id, object_id);

-- One comparison of one organisation. RUNNING and never taken: it was asked for.
ALTER TABLE reconcile_runs
    DROP COLUMN kind,
    DROP COLUMN drifted,
    DROP COLUMN cursor,
    ADD CHECK (state IN ('RUNNING', 'DONE', 'FAILED')),
    ADD COLUMN whole boolean NOT NULL DEFAULT false,
    ADD COLUMN matching bigint NOT NULL DEFAULT 0,
    ADD COLUMN unrepaired bigint NOT NULL DEFAULT 0,
    ADD COLUMN calls bigint NOT NULL DEFAULT 0,
    ADD COLUMN lost_events bigint NOT NULL DEFAULT 0,
    ADD COLUMN reason text NOT NULL DEFAULT '',        -- FAILED: why
    ADD COLUMN message text NOT NULL DEFAULT '',
    ADD COLUMN events_until timestamptz,               -- every event before this is in the inbox
    ADD COLUMN taken_at timestamptz;
CREATE INDEX reconcile_runs_open ON reconcile_runs (started_at) WHERE state = 'RUNNING';
CREATE INDEX reconcile_runs_started ON reconcile_runs (org_id, started_at);

ALTER TABLE drift_records
    DROP COLUMN class,
    DROP COLUMN before,
    DROP COLUMN after,
    DROP CONSTRAINT drift_records_pkey,
    ADD COLUMN drift_id uuid NOT NULL,
    ADD COLUMN kind text NOT NULL CHECK (kind IN ('MISSING_HERE', 'MISSING_THERE', 'DIFFERENT',
        'ORPHAN_OPERATION', 'USAGE_DIFFERENCE')),
    ADD COLUMN cause text NOT NULL,
    ADD COLUMN stripe_id text NOT NULL,
    ADD COLUMN changes jsonb NOT NULL DEFAULT '[]',    -- [{"path", "old": here before, "new": there}]
    ADD PRIMARY KEY (org_id, drift_id);
CREATE INDEX drift_records_run ON drift_records (org_id, run_id, drift_id);
CREATE INDEX drift_records_found ON drift_records (found_at);

-- What a running comparison has seen at the payment side. Of no use after a crash.
CREATE UNLOGGED TABLE reconcile_seen (
    org_id     bigint NOT NULL,
    run_id     uuid NOT NULL,
    object_id  text NOT NULL,
    PRIMARY KEY (org_id, run_id, object_id)
);
