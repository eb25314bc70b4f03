-- Once a second a job looks for access that has run out, over all organisations.
CREATE INDEX entitlement_snapshots_until ON entitlement_snapshots (access_until)
    WHERE access_until IS NOT NULL;
