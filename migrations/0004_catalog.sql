-- What is sold: meters, features, plans in versions, prices, discounts.

CREATE TABLE meters (
    org_id           bigint NOT NULL REFERENCES organizations,
    meter_id         uuid NOT NULL,
    meter_no         int NOT NULL GENERATED ALWAYS AS IDENTITY, -- short form for the usage tables
    key              text NOT NULL,
    name             text NOT NULL DEFAULT '',
    description      text NOT NULL DEFAULT '',
    aggregation      text NOT NULL
                     CHECK (aggregation IN ('SUM', 'COUNT', 'MAX', 'UNIQUE_COUNT', 'LAST', 'TIME_WEIGHTED')),
    unit             text NOT NULL DEFAULT '',
    value_property   text NOT NULL DEFAULT '',
    dimensions       text[] NOT NULL DEFAULT '{}',
    durability       text NOT NULL DEFAULT 'SYNC' CHECK (durability IN ('SYNC', 'ASYNC')),
    metadata         jsonb NOT NULL DEFAULT '{}',
    stripe_meter_id  text,
    version          bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    archived_at      timestamptz,
    PRIMARY KEY (org_id, meter_id),
    UNIQUE (org_id, key),
    UNIQUE (org_id, meter_no)
);

CREATE TABLE features (
    org_id              bigint NOT NULL REFERENCES organizations,
    feature_id          uuid NOT NULL,
    key                 text NOT NULL,
    name                text NOT NULL DEFAULT '',
    description         text NOT NULL DEFAULT '',
    kind                text NOT NULL CHECK (kind IN ('BOOLEAN', 'CONFIG', 'METERED', 'CREDITS')),
    meter_id            uuid,
    unit                text NOT NULL DEFAULT '',
    permitted_values    text[] NOT NULL DEFAULT '{}',
    unreachable_policy  text NOT NULL DEFAULT 'DENY' CHECK (unreachable_policy IN ('DENY', 'ALLOW')),
    credit_currency     char(3),             -- CREDITS that are money
    metadata            jsonb NOT NULL DEFAULT '{}',
    version             bigint NOT NULL DEFAULT 1,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    archived_at         timestamptz,
    PRIMARY KEY (org_id, feature_id),
    UNIQUE (org_id, key),
    FOREIGN KEY (org_id, meter_id) REFERENCES meters (org_id, meter_id),
    CHECK (kind <> 'METERED' OR meter_id IS NOT NULL)
);

CREATE TABLE plans (
    org_id                bigint NOT NULL REFERENCES organizations,
    plan_id               uuid NOT NULL,
    key                   text NOT NULL,
    name                  text NOT NULL,
    description           text NOT NULL DEFAULT '',
    addon                 boolean NOT NULL DEFAULT false,
    published_version     int,                 -- what new subscribers get; absent: none yet
    latest_version        int NOT NULL DEFAULT 1, -- the highest number ever given to a version
    display_order         int NOT NULL DEFAULT 0 CHECK (display_order BETWEEN 0 AND 10000),
    compatible_plan_keys  text[] NOT NULL DEFAULT '{}', -- add-ons; empty: all base plans
    application_fee_bps   int NOT NULL DEFAULT 0 CHECK (application_fee_bps BETWEEN 0 AND 10000),
    stripe_product_id     text,
    metadata              jsonb NOT NULL DEFAULT '{}',
    version               bigint NOT NULL DEFAULT 1,
    created_at            timestamptz NOT NULL DEFAULT now(),
    updated_at            timestamptz NOT NULL DEFAULT now(),
    archived_at           timestamptz,
    PRIMARY KEY (org_id, plan_id),
    UNIQUE (org_id, key)
);

-- A published version never changes; subscribers stay on theirs until they are moved. PUBLISHING is
-- a draft that is being made at the payment side: it can neither be changed nor be sold.
CREATE TABLE plan_versions (
    org_id                      bigint NOT NULL,
    plan_id                     uuid NOT NULL,
    plan_version                int NOT NULL,
    state                       text NOT NULL CHECK (state IN ('DRAFT', 'PUBLISHING', 'PUBLISHED')),
    trial_days                  int NOT NULL DEFAULT 0 CHECK (trial_days BETWEEN 0 AND 730),
    trial_needs_payment_method  boolean NOT NULL DEFAULT false,
    note                        text NOT NULL DEFAULT '',
    version                     bigint NOT NULL DEFAULT 1,
    created_at                  timestamptz NOT NULL DEFAULT now(),
    published_at                timestamptz,
    PRIMARY KEY (org_id, plan_id, plan_version),
    FOREIGN KEY (org_id, plan_id) REFERENCES plans (org_id, plan_id)
);
CREATE UNIQUE INDEX plan_versions_draft ON plan_versions (org_id, plan_id) WHERE state <> 'PUBLISHED';

CREATE TABLE plan_features (
    org_id              bigint NOT NULL,
    plan_id             uuid NOT NULL,
    plan_version        int NOT NULL,
    feature_id          uuid NOT NULL,
    unlimited           boolean NOT NULL DEFAULT false,
    limit_value         bigint NOT NULL DEFAULT 0 CHECK (limit_value >= 0),
    reset_period        text NOT NULL DEFAULT 'NEVER'
                        CHECK (reset_period IN ('NEVER', 'DAY', 'WEEK', 'MONTH', 'YEAR', 'BILLING_PERIOD')),
    window_anchor       text NOT NULL DEFAULT 'ANNIVERSARY' CHECK (window_anchor IN ('ANNIVERSARY', 'CALENDAR')),
    limit_basis         text NOT NULL DEFAULT 'SUBSCRIPTION' CHECK (limit_basis IN ('SUBSCRIPTION', 'SEAT')),
    trial_max           bigint CHECK (trial_max >= 0),  -- the limit during a trial; absent: the same
    overage_policy      text NOT NULL DEFAULT 'DENY' CHECK (overage_policy IN ('DENY', 'ALLOW', 'BILL')),
    overage_max         bigint NOT NULL DEFAULT 0 CHECK (overage_max >= 0),
    config_value        jsonb,               -- {"number": 50}, {"text": "gold"} or {"json": {...}}
    permitted_values    text[] NOT NULL DEFAULT '{}',
    rollover_windows    int NOT NULL DEFAULT 0 CHECK (rollover_windows BETWEEN 0 AND 24),
    priority            int NOT NULL DEFAULT 0 CHECK (priority BETWEEN -1000 AND 1000),
    threshold_percents  bigint[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (org_id, plan_id, plan_version, feature_id),
    FOREIGN KEY (org_id, plan_id, plan_version)
        REFERENCES plan_versions (org_id, plan_id, plan_version),
    FOREIGN KEY (org_id, feature_id) REFERENCES features (org_id, feature_id)
);
CREATE INDEX plan_features_feature ON plan_features (org_id, feature_id);

-- With a meter the quantity is its usage, billed after the period; without one it is the quantity of
-- the subscription, billed in advance.
CREATE TABLE prices (
    org_id            bigint NOT NULL,
    price_id          uuid NOT NULL,
    plan_id           uuid NOT NULL,
    plan_version      int NOT NULL,
    key               text NOT NULL DEFAULT '',
    name              text NOT NULL DEFAULT '',
    model             text NOT NULL
                      CHECK (model IN ('FLAT', 'PER_UNIT', 'GRADUATED', 'VOLUME', 'PACKAGE')),
    currency          char(3) NOT NULL,
    unit_minor        bigint NOT NULL DEFAULT 0 CHECK (unit_minor >= 0),
    unit_decimal      text NOT NULL DEFAULT '',  -- minor units with decimals, instead of unit_minor
    package_size      bigint NOT NULL DEFAULT 0 CHECK (package_size >= 0), -- 0 unless PACKAGE
    -- The tiers, one element of each array per tier; the last one ends at 0, which is "without end".
    tier_up_to        bigint[] NOT NULL DEFAULT '{}',
    tier_minor        bigint[] NOT NULL DEFAULT '{}',
    tier_decimal      text[] NOT NULL DEFAULT '{}',
    tier_flat_minor   bigint[] NOT NULL DEFAULT '{}',
    interval_unit     text NOT NULL CHECK (interval_unit IN ('DAY', 'WEEK', 'MONTH', 'YEAR')),
    interval_count    int NOT NULL DEFAULT 1 CHECK (interval_count BETWEEN 1 AND 1096),
    meter_id          uuid,
    quantity_min      bigint NOT NULL DEFAULT 1 CHECK (quantity_min > 0),
    quantity_max      bigint NOT NULL DEFAULT 0 CHECK (quantity_max >= 0), -- 0: no limit
    tax_behavior      text NOT NULL DEFAULT 'UNSPECIFIED'
                      CHECK (tax_behavior IN ('UNSPECIFIED', 'EXCLUSIVE', 'INCLUSIVE')),
    metadata          jsonb NOT NULL DEFAULT '{}',
    stripe_price_id   text,
    version           bigint NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    archived_at       timestamptz,
    PRIMARY KEY (org_id, price_id),
    FOREIGN KEY (org_id, plan_id, plan_version)
        REFERENCES plan_versions (org_id, plan_id, plan_version),
    FOREIGN KEY (org_id, meter_id) REFERENCES meters (org_id, meter_id),
    CHECK (model <> 'FLAT' OR meter_id IS NULL),
    CHECK (cardinality(tier_up_to) = cardinality(tier_minor)
           AND cardinality(tier_up_to) = cardinality(tier_decimal)
           AND cardinality(tier_up_to) = cardinality(tier_flat_minor))
);
CREATE INDEX prices_plan ON prices (org_id, plan_id, plan_version);
CREATE INDEX prices_created ON prices (org_id, created_at, price_id);
CREATE UNIQUE INDEX prices_key ON prices (org_id, plan_id, plan_version, key)
    WHERE key <> '' AND archived_at IS NULL;
-- One price for each interval, currency and meter, so that a choice names exactly one.
CREATE UNIQUE INDEX prices_choice ON prices (org_id, plan_id, plan_version, currency, interval_unit,
    interval_count, coalesce(meter_id, '00000000-0000-0000-0000-000000000000')) WHERE archived_at IS NULL;
CREATE UNIQUE INDEX prices_stripe ON prices (org_id, stripe_price_id) WHERE stripe_price_id IS NOT NULL;

CREATE TABLE coupons (
    org_id              bigint NOT NULL REFERENCES organizations,
    coupon_id           uuid NOT NULL,
    key                 text NOT NULL,
    name                text NOT NULL DEFAULT '',
    percent_off_bps     int CHECK (percent_off_bps BETWEEN 1 AND 10000),
    amount_off_minor    bigint CHECK (amount_off_minor > 0),
    currency            char(3),
    duration            text NOT NULL CHECK (duration IN ('ONCE', 'REPEATING', 'FOREVER')),
    duration_months     int,
    redemptions_max     bigint,
    redemptions         bigint NOT NULL DEFAULT 0,
    expires_at          timestamptz,
    stripe_coupon_id    text,
    version             bigint NOT NULL DEFAULT 1,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    archived_at         timestamptz,
    PRIMARY KEY (org_id, coupon_id),
    UNIQUE (org_id, key),
    CHECK ((percent_off_bps IS NULL) <> (amount_off_minor IS NULL)),
    CHECK ((amount_off_minor IS NULL) = (currency IS NULL))
);

CREATE TABLE promotion_codes (
    org_id             bigint NOT NULL,
    promotion_code_id  uuid NOT NULL,
    coupon_id          uuid NOT NULL,
    code               text NOT NULL,
    active             boolean NOT NULL DEFAULT true,
    redemptions_max    bigint,
    redemptions        bigint NOT NULL DEFAULT 0,
    expires_at         timestamptz,
    stripe_promotion_code_id text,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, promotion_code_id),
    FOREIGN KEY (org_id, coupon_id) REFERENCES coupons (org_id, coupon_id)
);
CREATE UNIQUE INDEX promotion_codes_code ON promotion_codes (org_id, lower(code)) WHERE active;
