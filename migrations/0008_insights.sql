-- What the numbers mean, and who is told.

-- Append-only: every change of recurring revenue, as one of five kinds. A day's MRR is their sum.
CREATE TABLE revenue_movements (
    org_id           bigint NOT NULL,
    movement_id      uuid NOT NULL,
    customer_id      uuid NOT NULL,
    subscription_id  uuid,
    kind             text NOT NULL CHECK (kind IN ('NEW', 'EXPANSION', 'CONTRACTION', 'CHURN', 'REACTIVATION')),
    delta_minor      bigint NOT NULL,
    currency         char(3) NOT NULL,
    effective_on     date NOT NULL,
    definition       int NOT NULL DEFAULT 1,   -- version of the metric's definition
    created_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, movement_id)
);
CREATE INDEX revenue_movements_day ON revenue_movements (org_id, effective_on);

CREATE TABLE daily_revenue (
    org_id           bigint NOT NULL,
    day              date NOT NULL,
    currency         char(3) NOT NULL,
    mrr_minor        bigint NOT NULL,
    subscribers      bigint NOT NULL,
    definition       int NOT NULL DEFAULT 1,
    PRIMARY KEY (org_id, day, currency)
);

CREATE TABLE churn_snapshots (
    org_id       bigint NOT NULL,
    customer_id  uuid NOT NULL,
    taken_on     date NOT NULL,
    model        text NOT NULL,
    probability  double precision NOT NULL CHECK (probability BETWEEN 0 AND 1),
    low          double precision NOT NULL,
    high         double precision NOT NULL,
    reasons      jsonb NOT NULL,
    PRIMARY KEY (org_id, customer_id, taken_on)
);

CREATE TABLE insights (
    org_id           bigint NOT NULL,
    insight_id       uuid NOT NULL,
    kind             text NOT NULL,
    severity         text NOT NULL CHECK (severity IN ('INFO', 'WARNING', 'CRITICAL')),
    customer_id      uuid,
    detail           jsonb NOT NULL,
    dedupe_key       text NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    acknowledged_at  timestamptz,
    acknowledged_by  text,
    PRIMARY KEY (org_id, insight_id),
    UNIQUE (org_id, dedupe_key)
);

CREATE TABLE alert_rules (
    org_id      bigint NOT NULL REFERENCES organizations,
    rule_id     uuid NOT NULL,
    name        text NOT NULL,
    kind        text NOT NULL,
    threshold   jsonb NOT NULL,
    active      boolean NOT NULL DEFAULT true,
    version     bigint NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, rule_id)
);

CREATE TABLE outgoing_endpoints (
    org_id       bigint NOT NULL REFERENCES organizations,
    endpoint_id  uuid NOT NULL,
    url          text NOT NULL,
    event_types  text[] NOT NULL DEFAULT '{}',
    secret       bytea NOT NULL,             -- encrypted under the server's key
    active       boolean NOT NULL DEFAULT true,
    after_seq    bigint NOT NULL DEFAULT 0,
    version      bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, endpoint_id)
);

CREATE TABLE deliveries (
    org_id           bigint NOT NULL,
    endpoint_id      uuid NOT NULL,
    seq              bigint NOT NULL,
    state            text NOT NULL CHECK (state IN ('WAITING', 'DELIVERED', 'FAILED')),
    attempts         int NOT NULL DEFAULT 0,
    last_status      int,
    next_attempt_at  timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, endpoint_id, seq),
    FOREIGN KEY (org_id, endpoint_id) REFERENCES outgoing_endpoints (org_id, endpoint_id)
);

CREATE TABLE reconcile_runs (
    org_id       bigint NOT NULL,
    run_id       uuid NOT NULL,
    kind         text NOT NULL,
    state        text NOT NULL,
    compared     bigint NOT NULL DEFAULT 0,
    drifted      bigint NOT NULL DEFAULT 0,
    repaired     bigint NOT NULL DEFAULT 0,
    cursor       jsonb NOT NULL DEFAULT '{}',
    started_at   timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz,
    PRIMARY KEY (org_id, run_id)
);

CREATE TABLE drift_records (
    org_id       bigint NOT NULL,
    run_id       uuid NOT NULL,
    object_type  text NOT NULL,
    object_id    text NOT NULL,
    class        text NOT NULL,
    before       jsonb,
    after        jsonb,
    age_seconds  bigint,
    found_at     timestamptz NOT NULL DEFAULT now(),
    repaired_at  timestamptz,
    PRIMARY KEY (org_id, run_id, object_type, object_id),
    FOREIGN KEY (org_id, run_id) REFERENCES reconcile_runs (org_id, run_id)
);
