-- Changes that wait for their time: one at a time for a subscription, listed in the order of time.
CREATE UNIQUE INDEX subscription_changes_waiting ON subscription_changes (org_id, subscription_id)
    WHERE state = 'SCHEDULED';
CREATE INDEX subscription_changes_next ON subscription_changes (org_id, effective_at, change_id)
    WHERE state = 'SCHEDULED';
