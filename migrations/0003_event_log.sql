-- What has happened, per organisation in the order of commit. The only path by which anything after
-- a commit happens: cache, feed, outgoing webhooks, mail, insights.
--
-- seq is taken by updating the organisation's head as the last statement before commit: the row lock
-- makes the order of numbers the order of commits, and leaves no gap. Of one organisation a snapshot
-- therefore sees a prefix. xid lets the tail find new rows without a cursor that could pass
-- uncommitted ones.

CREATE TABLE event_heads (
    org_id  bigint PRIMARY KEY REFERENCES organizations,
    seq     bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE event_log (
    org_id           bigint NOT NULL,
    seq              bigint NOT NULL,
    xid              xid8 NOT NULL DEFAULT pg_current_xact_id(),
    event_id         uuid NOT NULL,
    type             text NOT NULL,
    customer_id      uuid,
    subscription_id  uuid,
    payload          jsonb NOT NULL DEFAULT '{}',
    request_id       text NOT NULL DEFAULT '',   -- of the call that caused it
    created_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, seq)
);
CREATE INDEX event_log_xid ON event_log (xid);
