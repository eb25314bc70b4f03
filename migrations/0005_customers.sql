-- Who buys, what they are subscribed to, what they were asked to pay.

CREATE TABLE customers (
    org_id              bigint NOT NULL REFERENCES organizations,
    customer_id         uuid NOT NULL,
    customer_no         bigint NOT NULL GENERATED ALWAYS AS IDENTITY, -- short form for the usage tables
    external_id         text,
    name                text NOT NULL DEFAULT '',
    email               text NOT NULL DEFAULT '',
    phone               text NOT NULL DEFAULT '',
    address             jsonb,
    locale              text NOT NULL DEFAULT '',
    currency            char(3),
    time_zone           text NOT NULL DEFAULT '', -- '': that of the organisation
    tax_exemption       text NOT NULL DEFAULT 'NONE'
                        CHECK (tax_exemption IN ('NONE', 'EXEMPT', 'REVERSE')),
    metadata            jsonb NOT NULL DEFAULT '{}',
    stripe_customer_id  text,
    fetch_number        bigint NOT NULL DEFAULT 0,
    raw                 jsonb,
    blocked_at          timestamptz,
    block_note          text NOT NULL DEFAULT '',
    version             bigint NOT NULL DEFAULT 1,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    archived_at         timestamptz,
    PRIMARY KEY (org_id, customer_id),
    UNIQUE (org_id, customer_no),
    UNIQUE (org_id, external_id)
);
CREATE UNIQUE INDEX customers_stripe ON customers (org_id, stripe_customer_id)
    WHERE stripe_customer_id IS NOT NULL;
CREATE INDEX customers_email ON customers (org_id, lower(email));
CREATE INDEX customers_created ON customers (org_id, created_at, customer_id);

CREATE TABLE payment_methods (
    org_id                    bigint NOT NULL,
    stripe_payment_method_id  text NOT NULL,
    customer_id               uuid NOT NULL,
    kind                      text NOT NULL,
    brand                     text NOT NULL DEFAULT '',
    last4                     text NOT NULL DEFAULT '',
    expiry_month              int,
    expiry_year               int,
    is_default                boolean NOT NULL DEFAULT false,
    fetch_number              bigint NOT NULL DEFAULT 0,
    created_at                timestamptz NOT NULL DEFAULT now(),
    updated_at                timestamptz NOT NULL DEFAULT now(),
    detached_at               timestamptz,
    PRIMARY KEY (org_id, stripe_payment_method_id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, customer_id)
);
CREATE INDEX payment_methods_customer ON payment_methods (org_id, customer_id);

CREATE TABLE subscriptions (
    org_id                  bigint NOT NULL,
    subscription_id         uuid NOT NULL,
    customer_id             uuid NOT NULL,
    source                  text NOT NULL DEFAULT 'stripe' CHECK (source IN ('stripe', 'billingos')),
    status                  text NOT NULL CHECK (status IN ('PENDING', 'FAILED', 'TRIALING', 'ACTIVE',
                                'INCOMPLETE', 'INCOMPLETE_EXPIRED', 'PAST_DUE', 'UNPAID', 'PAUSED',
                                'CANCELED')),
    plan_id                 uuid NOT NULL,
    plan_version            int NOT NULL,
    price_id                uuid NOT NULL,
    quantity                bigint NOT NULL DEFAULT 1 CHECK (quantity > 0),
    failure_reason          text NOT NULL DEFAULT '',
    decline_code            text NOT NULL DEFAULT '',
    stripe_subscription_id  text,
    latest_invoice_id       uuid,
    trial_start_at          timestamptz,
    trial_end_at            timestamptz,
    period_start_at         timestamptz,
    period_end_at           timestamptz,
    anchor_at               timestamptz,
    cancel_at_period_end    boolean NOT NULL DEFAULT false,
    cancel_at               timestamptz,
    canceled_at             timestamptz,
    ended_at                timestamptz,
    past_due_since          timestamptz,
    collection_paused       boolean NOT NULL DEFAULT false,
    collection_method       text NOT NULL DEFAULT 'AUTOMATIC'
                            CHECK (collection_method IN ('AUTOMATIC', 'INVOICE')),
    application_fee_bps     int NOT NULL DEFAULT 0,
    metadata                jsonb NOT NULL DEFAULT '{}',
    fetch_number            bigint NOT NULL DEFAULT 0,
    raw                     jsonb,
    synced_at               timestamptz,            -- when its state was last read there
    version                 bigint NOT NULL DEFAULT 1,
    created_at              timestamptz NOT NULL DEFAULT now(),
    updated_at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, subscription_id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, customer_id),
    FOREIGN KEY (org_id, plan_id, plan_version)
        REFERENCES plan_versions (org_id, plan_id, plan_version),
    FOREIGN KEY (org_id, price_id) REFERENCES prices (org_id, price_id)
);
CREATE UNIQUE INDEX subscriptions_stripe ON subscriptions (org_id, stripe_subscription_id)
    WHERE stripe_subscription_id IS NOT NULL;
CREATE INDEX subscriptions_customer ON subscriptions (org_id, customer_id);
CREATE INDEX subscriptions_created ON subscriptions (org_id, created_at, subscription_id);
CREATE INDEX subscriptions_plan ON subscriptions (org_id, plan_id, plan_version);

CREATE TABLE subscription_items (
    org_id           bigint NOT NULL,
    subscription_id  uuid NOT NULL,
    item_id          uuid NOT NULL,
    plan_id          uuid NOT NULL,
    plan_version     int NOT NULL,
    price_id         uuid NOT NULL,
    quantity         bigint NOT NULL DEFAULT 1,
    stripe_item_id   text,
    period_start_at  timestamptz,
    period_end_at    timestamptz,
    created_at       timestamptz NOT NULL DEFAULT now(),
    removed_at       timestamptz,
    PRIMARY KEY (org_id, subscription_id, item_id),
    FOREIGN KEY (org_id, subscription_id) REFERENCES subscriptions (org_id, subscription_id)
);

CREATE TABLE subscription_changes (
    org_id           bigint NOT NULL,
    change_id        uuid NOT NULL,
    subscription_id  uuid NOT NULL,
    kind             text NOT NULL,
    state            text NOT NULL CHECK (state IN ('SCHEDULED', 'APPLIED', 'CANCELED', 'FAILED')),
    detail           jsonb NOT NULL,
    effective_at     timestamptz NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, change_id),
    FOREIGN KEY (org_id, subscription_id) REFERENCES subscriptions (org_id, subscription_id)
);

CREATE TABLE invoices (
    org_id             bigint NOT NULL,
    invoice_id         uuid NOT NULL,
    customer_id        uuid NOT NULL,
    subscription_id    uuid,
    stripe_invoice_id  text NOT NULL,
    number             text NOT NULL DEFAULT '',
    status             text NOT NULL
                       CHECK (status IN ('DRAFT', 'OPEN', 'PAID', 'VOID', 'UNCOLLECTIBLE')),
    billing_reason     text NOT NULL DEFAULT '',
    currency           char(3) NOT NULL,
    subtotal_minor     bigint NOT NULL DEFAULT 0,
    tax_minor          bigint NOT NULL DEFAULT 0,
    total_minor        bigint NOT NULL DEFAULT 0,
    due_minor          bigint NOT NULL DEFAULT 0,
    paid_minor         bigint NOT NULL DEFAULT 0,
    remaining_minor    bigint NOT NULL DEFAULT 0,
    attempt_count      int NOT NULL DEFAULT 0,
    next_attempt_at    timestamptz,
    period_start_at    timestamptz,
    period_end_at      timestamptz,
    due_at             timestamptz,
    finalized_at       timestamptz,
    paid_at            timestamptz,
    hosted_url         text NOT NULL DEFAULT '',
    pdf_url            text NOT NULL DEFAULT '',
    fetch_number       bigint NOT NULL DEFAULT 0,
    raw                jsonb,
    version            bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, invoice_id),
    UNIQUE (org_id, stripe_invoice_id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, customer_id),
    FOREIGN KEY (org_id, subscription_id) REFERENCES subscriptions (org_id, subscription_id)
);
CREATE INDEX invoices_customer ON invoices (org_id, customer_id, created_at);
CREATE INDEX invoices_subscription ON invoices (org_id, subscription_id);

-- One row per try to collect: stored when it is seen, because the payment side forgets the error.
CREATE TABLE payment_attempts (
    org_id          bigint NOT NULL,
    invoice_id      uuid NOT NULL,
    attempt_no      int NOT NULL,
    succeeded       boolean NOT NULL,
    amount_minor    bigint NOT NULL,
    currency        char(3) NOT NULL,
    decline_code    text NOT NULL DEFAULT '',
    advice_code     text NOT NULL DEFAULT '',
    stripe_payment_intent_id text,
    attempted_at    timestamptz NOT NULL,
    PRIMARY KEY (org_id, invoice_id, attempt_no),
    FOREIGN KEY (org_id, invoice_id) REFERENCES invoices (org_id, invoice_id)
);

CREATE TABLE refunds (
    org_id            bigint NOT NULL,
    refund_id         uuid NOT NULL,
    invoice_id        uuid,
    stripe_refund_id  text NOT NULL,
    amount_minor      bigint NOT NULL,
    currency          char(3) NOT NULL,
    status            text NOT NULL,
    reason            text NOT NULL DEFAULT '',
    fetch_number      bigint NOT NULL DEFAULT 0,
    raw               jsonb,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, refund_id),
    UNIQUE (org_id, stripe_refund_id)
);

CREATE TABLE disputes (
    org_id             bigint NOT NULL,
    dispute_id         uuid NOT NULL,
    customer_id        uuid,
    stripe_dispute_id  text NOT NULL,
    amount_minor       bigint NOT NULL,
    currency           char(3) NOT NULL,
    status             text NOT NULL,
    reason             text NOT NULL DEFAULT '',
    fetch_number       bigint NOT NULL DEFAULT 0,
    raw                jsonb,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, dispute_id),
    UNIQUE (org_id, stripe_dispute_id)
);
