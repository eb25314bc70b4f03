-- What of a customer is read from the payment side, tax numbers, and what coupons can say.

ALTER TABLE customers
    ADD COLUMN default_payment_method      text NOT NULL DEFAULT '', -- of the payment side
    ADD COLUMN delinquent                  boolean NOT NULL DEFAULT false,
    ADD COLUMN balance_minor               bigint NOT NULL DEFAULT 0, -- in credit; negative: owes
    ADD COLUMN deleted_stripe_customer_id  text; -- who it was there before it was deleted there
CREATE INDEX customers_stripe_deleted ON customers (org_id, deleted_stripe_customer_id)
    WHERE deleted_stripe_customer_id IS NOT NULL;

-- The default is a fact about the customer: it may be known before the payment method is.
ALTER TABLE payment_methods
    DROP COLUMN is_default,
    ADD COLUMN expiry_told  int NOT NULL DEFAULT 0; -- 202611: the month in which it was told last
CREATE INDEX payment_methods_expiry ON payment_methods (expiry_year, expiry_month)
    WHERE detached_at IS NULL AND expiry_year IS NOT NULL;

CREATE TABLE tax_ids (
    org_id         bigint NOT NULL,
    stripe_tax_id  text NOT NULL,
    customer_id    uuid NOT NULL,
    kind           text NOT NULL,
    value          text NOT NULL,
    verification   text NOT NULL DEFAULT 'PENDING'
                   CHECK (verification IN ('PENDING', 'VERIFIED', 'UNVERIFIED', 'UNAVAILABLE')),
    fetch_number   bigint NOT NULL DEFAULT 0,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    deleted_at     timestamptz,
    PRIMARY KEY (org_id, stripe_tax_id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, customer_id)
);
CREATE INDEX tax_ids_customer ON tax_ids (org_id, customer_id) WHERE deleted_at IS NULL;

ALTER TABLE coupons
    ADD COLUMN plan_keys     text[] NOT NULL DEFAULT '{}', -- '{}': for all plans
    ADD COLUMN metadata      jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN fetch_number  bigint NOT NULL DEFAULT 0;
CREATE INDEX coupons_created ON coupons (org_id, created_at, coupon_id);

ALTER TABLE promotion_codes
    ADD COLUMN customer_id       uuid, -- NULL: for all
    ADD COLUMN first_time_only   boolean NOT NULL DEFAULT false,
    ADD COLUMN minimum_minor     bigint CHECK (minimum_minor > 0),
    ADD COLUMN minimum_currency  char(3),
    ADD COLUMN metadata          jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN fetch_number      bigint NOT NULL DEFAULT 0,
    ADD FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, customer_id),
    ADD CHECK ((minimum_minor IS NULL) = (minimum_currency IS NULL));
CREATE INDEX promotion_codes_created ON promotion_codes (org_id, created_at, promotion_code_id);
