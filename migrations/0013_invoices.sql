-- What invoices are made of and what becomes of their money: lines, payments, refunds, credit notes
-- and disputes, as the payment side has them.

ALTER TABLE invoices
    ADD COLUMN discount_minor           bigint NOT NULL DEFAULT 0,
    ADD COLUMN voided_at                timestamptz,
    ADD COLUMN metadata                 jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN more_lines               boolean NOT NULL DEFAULT false,
    ADD COLUMN stripe_payment_intent_id text,
    -- What went wrong last; '' = nothing, or it was paid since.
    ADD COLUMN decline_code             text NOT NULL DEFAULT '',
    ADD COLUMN failed_at                timestamptz;

CREATE INDEX invoices_newest ON invoices (org_id, created_at, invoice_id);
CREATE INDEX invoices_payment_intent ON invoices (org_id, stripe_payment_intent_id)
    WHERE stripe_payment_intent_id IS NOT NULL;

-- Written whole with their invoice. At most 500 of one invoice.
CREATE TABLE invoice_lines (
    org_id          bigint NOT NULL,
    invoice_id      uuid NOT NULL,
    position        int NOT NULL,
    line_id         uuid NOT NULL,
    stripe_line_id  text NOT NULL,
    stripe_price_id text NOT NULL DEFAULT '',
    stripe_item_id  text NOT NULL DEFAULT '',
    description     text NOT NULL DEFAULT '',
    quantity        bigint NOT NULL DEFAULT 0,
    amount_minor    bigint NOT NULL,
    discount_minor  bigint NOT NULL DEFAULT 0,
    tax_minor       bigint NOT NULL DEFAULT 0,
    proration       boolean NOT NULL DEFAULT false,
    period_start_at timestamptz,
    period_end_at   timestamptz,
    PRIMARY KEY (org_id, invoice_id, position),
    FOREIGN KEY (org_id, invoice_id) REFERENCES invoices (org_id, invoice_id)
);

-- A try to collect is one charge of the payment side, or a payment that waits for the customer and
-- has no charge yet. It is mirrored by itself, so it may be known before its invoice is.
ALTER TABLE payment_attempts
    ADD COLUMN payment_id               uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN customer_id              uuid,
    ADD COLUMN state                    text NOT NULL DEFAULT 'PENDING'
               CHECK (state IN ('PENDING', 'ACTION_REQUIRED', 'SUCCEEDED', 'FAILED', 'CANCELED')),
    ADD COLUMN stripe_charge_id         text,
    ADD COLUMN stripe_payment_method_id text NOT NULL DEFAULT '',
    ADD COLUMN card_brand               text NOT NULL DEFAULT '',
    ADD COLUMN card_last4               text NOT NULL DEFAULT '',
    ADD COLUMN fetch_number             bigint NOT NULL DEFAULT 0;
UPDATE payment_attempts a SET state = CASE WHEN a.succeeded THEN 'SUCCEEDED' ELSE 'FAILED' END,
    customer_id = i.customer_id
    FROM invoices i WHERE i.org_id = a.org_id AND i.invoice_id = a.invoice_id;
ALTER TABLE payment_attempts
    DROP CONSTRAINT payment_attempts_pkey,
    DROP COLUMN attempt_no,
    DROP COLUMN succeeded,
    ALTER COLUMN invoice_id DROP NOT NULL,
    ALTER COLUMN customer_id SET NOT NULL,
    ALTER COLUMN payment_id DROP DEFAULT,
    ALTER COLUMN state DROP DEFAULT,
    ADD PRIMARY KEY (org_id, payment_id),
    ADD FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, customer_id);
CREATE UNIQUE INDEX payment_attempts_charge ON payment_attempts (org_id, stripe_charge_id)
    WHERE stripe_charge_id IS NOT NULL;
CREATE INDEX payment_attempts_newest ON payment_attempts (org_id, attempted_at, payment_id);
CREATE INDEX payment_attempts_customer ON payment_attempts (org_id, customer_id, attempted_at);
CREATE INDEX payment_attempts_invoice ON payment_attempts (org_id, invoice_id, attempted_at);
CREATE INDEX payment_attempts_intent ON payment_attempts (org_id, stripe_payment_intent_id);

-- PENDING without an id of the payment side: claimed, and to be made there. Such a row counts
-- against what may still be paid back.
ALTER TABLE refunds
    ADD COLUMN customer_id              uuid,
    ADD COLUMN stripe_payment_intent_id text NOT NULL DEFAULT '',
    ADD COLUMN stripe_charge_id         text NOT NULL DEFAULT '',
    ADD COLUMN failure_code             text NOT NULL DEFAULT '',
    ALTER COLUMN stripe_refund_id DROP NOT NULL,
    ADD FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, customer_id),
    ADD FOREIGN KEY (org_id, invoice_id) REFERENCES invoices (org_id, invoice_id);
CREATE INDEX refunds_newest ON refunds (org_id, created_at, refund_id);
CREATE INDEX refunds_invoice ON refunds (org_id, invoice_id);

CREATE TABLE credit_notes (
    org_id                bigint NOT NULL,
    credit_note_id        uuid NOT NULL,
    invoice_id            uuid NOT NULL,
    customer_id           uuid NOT NULL,
    stripe_credit_note_id text, -- NULL: claimed, and to be made at the payment side
    number                text NOT NULL DEFAULT '',
    amount_minor          bigint NOT NULL,
    refund_minor          bigint NOT NULL DEFAULT 0,
    balance_minor         bigint NOT NULL DEFAULT 0,
    currency              char(3) NOT NULL,
    reason                text NOT NULL DEFAULT '',
    note                  text NOT NULL DEFAULT '',
    voided                boolean NOT NULL DEFAULT false,
    pdf_url               text NOT NULL DEFAULT '',
    fetch_number          bigint NOT NULL DEFAULT 0,
    raw                   jsonb,
    created_at            timestamptz NOT NULL DEFAULT now(),
    updated_at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, credit_note_id),
    UNIQUE (org_id, stripe_credit_note_id),
    FOREIGN KEY (org_id, invoice_id) REFERENCES invoices (org_id, invoice_id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, customer_id)
);
CREATE INDEX credit_notes_newest ON credit_notes (org_id, created_at, credit_note_id);
CREATE INDEX credit_notes_invoice ON credit_notes (org_id, invoice_id);

ALTER TABLE disputes
    ADD COLUMN stripe_payment_intent_id text NOT NULL DEFAULT '',
    ADD COLUMN stripe_charge_id         text NOT NULL DEFAULT '',
    ADD COLUMN due_at                   timestamptz,
    ADD FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, customer_id);
CREATE INDEX disputes_newest ON disputes (org_id, created_at, dispute_id);
