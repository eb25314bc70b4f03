-- The payment side of an organisation, and the sequence that orders what is fetched from it.

-- Taken before an object is fetched. A row is overwritten only by a fetch with a higher number, so
-- an older state never replaces a newer one.
CREATE SEQUENCE fetch_numbers;

CREATE TABLE stripe_accounts (
    org_id               bigint PRIMARY KEY REFERENCES organizations,
    account_id           text NOT NULL,      -- "acct_..."
    charges_enabled      boolean NOT NULL DEFAULT false,
    payouts_enabled      boolean NOT NULL DEFAULT false,
    details_submitted    boolean NOT NULL DEFAULT false,
    requirements_due     text[] NOT NULL DEFAULT '{}',
    disabled_reason      text NOT NULL DEFAULT '',
    application_fee_bps  int NOT NULL DEFAULT 0 CHECK (application_fee_bps BETWEEN 0 AND 10000),
    fetch_number         bigint NOT NULL DEFAULT 0,
    raw                  jsonb,
    synced_at            timestamptz,
    version              bigint NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    disconnected_at      timestamptz
);

-- From an account of the payment side to its tenant: webhooks name only the account.
CREATE TABLE stripe_account_index (
    account_id  text NOT NULL,
    live        boolean NOT NULL,
    org_id      bigint NOT NULL,
    PRIMARY KEY (account_id, live)
);

-- Every webhook that passed the signature check, before anything is done with it.
CREATE TABLE webhook_inbox (
    inbox_id     bigint GENERATED ALWAYS AS IDENTITY,
    account_id   text NOT NULL,              -- '' for the platform's own events
    event_id     text NOT NULL,
    live         boolean NOT NULL,
    type         text NOT NULL,
    object_type  text NOT NULL,
    object_id    text NOT NULL,
    request_key  text NOT NULL DEFAULT '',   -- the idempotency key that caused it: ours, or ''
    event_at     timestamptz NOT NULL,
    received_at  timestamptz NOT NULL DEFAULT now(),
    payload      bytea NOT NULL,
    state        text NOT NULL DEFAULT 'NEW'
                 CHECK (state IN ('NEW', 'DONE', 'PARKED', 'IGNORED', 'FAILED')),
    attempts     int NOT NULL DEFAULT 0,
    error        text NOT NULL DEFAULT '',
    handled_at   timestamptz,
    PRIMARY KEY (account_id, event_id)
);
CREATE INDEX webhook_inbox_new ON webhook_inbox (inbox_id) WHERE state = 'NEW';
CREATE INDEX webhook_inbox_parked ON webhook_inbox (account_id, live) WHERE state = 'PARKED';

-- Objects of the payment side that have changed and must be fetched. N events for one object are one
-- row, and so one fetch.
CREATE TABLE dirty_objects (
    org_id           bigint NOT NULL,
    object_type      text NOT NULL,
    object_id        text NOT NULL,
    first_seen_at    timestamptz NOT NULL DEFAULT now(),
    mark             bigint NOT NULL DEFAULT 1,  -- raised by each event; a fetch clears only the mark it saw
    events           bigint NOT NULL DEFAULT 1,
    attempts         int NOT NULL DEFAULT 0,
    next_attempt_at  timestamptz NOT NULL DEFAULT now(),
    error            text NOT NULL DEFAULT '',
    PRIMARY KEY (org_id, object_type, object_id)
);
CREATE INDEX dirty_objects_next ON dirty_objects (next_attempt_at);

CREATE TABLE jobs (
    org_id           bigint NOT NULL DEFAULT 0,
    job_id           bigint GENERATED ALWAYS AS IDENTITY,
    kind             text NOT NULL,
    run_at           timestamptz NOT NULL DEFAULT now(),
    attempts         int NOT NULL DEFAULT 0,
    payload          jsonb NOT NULL DEFAULT '{}',
    error            text NOT NULL DEFAULT '',
    PRIMARY KEY (org_id, job_id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 0);
CREATE INDEX jobs_ready ON jobs (kind, run_at, job_id);
