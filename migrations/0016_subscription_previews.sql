-- What a change of a subscription was previewed as, so that the change can be exactly that. Kept for the
-- ten minutes that a preview is valid; a few for each subscription.
CREATE TABLE subscription_previews (
    org_id                bigint NOT NULL,
    preview_id            uuid NOT NULL,
    subscription_id       uuid NOT NULL,
    subscription_version  bigint NOT NULL,      -- it was previewed for
    request               jsonb NOT NULL,       -- what would be sent to the payment side
    expires_at            timestamptz NOT NULL,
    PRIMARY KEY (org_id, preview_id),
    FOREIGN KEY (org_id, subscription_id) REFERENCES subscriptions (org_id, subscription_id)
);
CREATE INDEX subscription_previews_subscription
    ON subscription_previews (org_id, subscription_id, expires_at);
CREATE INDEX subscription_previews_expiry ON subscription_previews (expires_at);
