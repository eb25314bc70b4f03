-- Access ends a grace period after a payment account was disconnected, and comes back when it is
-- connected again. A job then walks the customers of the organisation; this is the last one it has done,
-- NULL when there is no walk.
ALTER TABLE stripe_accounts ADD COLUMN access_sweep uuid;
CREATE INDEX stripe_accounts_access_sweep ON stripe_accounts (org_id) WHERE access_sweep IS NOT NULL;
