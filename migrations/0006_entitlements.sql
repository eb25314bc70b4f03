-- What a customer may use, already merged, and what they were given beside their plan.

-- One row per customer: raised in the transaction of every change, so that of two answers the one
-- with the higher number holds.
CREATE TABLE entitlement_heads (
    org_id           bigint NOT NULL,
    customer_id      uuid NOT NULL,
    state_version    bigint NOT NULL DEFAULT 0,
    -- Why a feature that no source covers is denied: the state of what the customer has at all.
    uncovered        text NOT NULL DEFAULT 'NO_ACTIVE_SUBSCRIPTION',
    subscription_id  uuid,
    updated_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, customer_id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, customer_id)
) WITH (fillfactor = 70);

-- The merged inputs of the decision about one feature. Counters are kept apart.
CREATE TABLE entitlement_snapshots (
    org_id           bigint NOT NULL,
    customer_id      uuid NOT NULL,
    feature_id       uuid NOT NULL,
    access           text NOT NULL CHECK (access IN ('GRANTED', 'GRACE', 'PAYMENT_INCOMPLETE',
                         'PAYMENT_OVERDUE', 'SUBSCRIPTION_PAUSED', 'NOT_YET_ACTIVE', 'GRANT_EXPIRED',
                         'REVOKED')),
    access_until     timestamptz,            -- end of grace, of a trial or of a grant; absent: none known
    unlimited        boolean NOT NULL DEFAULT false,
    limit_value      bigint NOT NULL DEFAULT 0,
    reset_period     text NOT NULL DEFAULT 'NEVER',
    anchor_at        timestamptz,            -- where windows of a billing period are counted from
    period_start_at  timestamptz,
    period_end_at    timestamptz,
    overage_policy   text NOT NULL DEFAULT 'DENY',
    overage_max      bigint NOT NULL DEFAULT 0,
    config_value     jsonb,
    provenance       text NOT NULL CHECK (provenance IN ('PLAN', 'ADDON', 'TRIAL', 'GRANT', 'OVERRIDE',
                         'CREDIT_POOL')),
    subscription_id  uuid,
    plan_id          uuid,
    plan_version     int,
    grant_id         uuid,
    PRIMARY KEY (org_id, customer_id, feature_id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, customer_id),
    FOREIGN KEY (org_id, feature_id) REFERENCES features (org_id, feature_id)
);

-- Append-only: a grant is voided, never edited.
CREATE TABLE grants (
    org_id          bigint NOT NULL,
    grant_id        uuid NOT NULL,
    customer_id     uuid NOT NULL,
    feature_id      uuid NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('GRANT', 'OVERRIDE')),
    unlimited       boolean NOT NULL DEFAULT false,
    limit_value     bigint NOT NULL DEFAULT 0 CHECK (limit_value >= 0),
    reset_period    text NOT NULL DEFAULT 'NEVER',
    overage_policy  text NOT NULL DEFAULT 'DENY',
    config_value    jsonb,
    priority        int NOT NULL DEFAULT 100,
    starts_at       timestamptz NOT NULL,
    expires_at      timestamptz,
    note            text NOT NULL DEFAULT '',
    created_by      text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    voided_at       timestamptz,
    voided_by       text,
    PRIMARY KEY (org_id, grant_id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, customer_id),
    FOREIGN KEY (org_id, feature_id) REFERENCES features (org_id, feature_id)
);
CREATE INDEX grants_customer ON grants (org_id, customer_id, feature_id) WHERE voided_at IS NULL;

-- Append-only; the balance is its sum.
CREATE TABLE credit_ledger (
    org_id         bigint NOT NULL,
    customer_id    uuid NOT NULL,
    entry_no       bigint NOT NULL,
    feature_id     uuid NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('GRANT', 'BURN', 'EXPIRE', 'VOID', 'REFUND', 'TOP_UP')),
    amount         bigint NOT NULL,
    balance_after  bigint NOT NULL,
    grant_id       uuid,
    expires_at     timestamptz,
    note           text NOT NULL DEFAULT '',
    created_by     text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, customer_id, entry_no),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, customer_id)
);
