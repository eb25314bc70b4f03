-- Organisations, who may act for them, and what they did.
--
-- org_id is the organisation in ONE MODE: the live side has an even number n, the test side n + 1.
-- Every tenant table starts its keys with org_id, so live and test data cannot meet, and no
-- statement can forget the mode. What belongs to the organisation as a whole (members, invitations)
-- is kept under the live number.

CREATE SEQUENCE organization_numbers;

-- What all servers of one database must share and nobody wants to configure: made once, at random.
CREATE TABLE server_secrets (
    name        text PRIMARY KEY,
    value       bytea NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE organizations (
    org_id                 bigint PRIMARY KEY,
    organization_id        uuid NOT NULL,
    live                   boolean NOT NULL,
    name                   text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    slug                   text NOT NULL DEFAULT gen_random_uuid()::text,
    country                char(2),
    time_zone              text NOT NULL DEFAULT 'UTC',
    support_email          text NOT NULL DEFAULT '',
    allowed_origins        text[] NOT NULL DEFAULT '{}',
    metadata               jsonb NOT NULL DEFAULT '{}',
    default_currency       char(3) NOT NULL DEFAULT 'USD',
    payment_grace_seconds  bigint NOT NULL DEFAULT 259200 CHECK (payment_grace_seconds >= 0),
    max_staleness_seconds  bigint NOT NULL DEFAULT 3600 CHECK (max_staleness_seconds > 0),
    catalog_version        bigint NOT NULL DEFAULT 1,
    version                bigint NOT NULL DEFAULT 1,
    created_at             timestamptz NOT NULL DEFAULT now(),
    updated_at             timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, live),
    UNIQUE (slug, live),
    CHECK (live = (org_id % 2 = 0))
);

CREATE TABLE members (
    org_id      bigint NOT NULL REFERENCES organizations,
    member_id   uuid NOT NULL,
    email       text NOT NULL,
    name        text NOT NULL DEFAULT '',
    role        text NOT NULL CHECK (role IN ('OWNER', 'ADMIN', 'DEVELOPER', 'VIEWER')),
    version     bigint NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    removed_at  timestamptz,
    PRIMARY KEY (org_id, member_id)
);
CREATE UNIQUE INDEX members_email ON members (org_id, lower(email)) WHERE removed_at IS NULL;

CREATE TABLE invitations (
    org_id         bigint NOT NULL REFERENCES organizations,
    invitation_id  uuid NOT NULL,
    email          text NOT NULL,
    role           text NOT NULL CHECK (role IN ('OWNER', 'ADMIN', 'DEVELOPER', 'VIEWER')),
    token_hash     bytea NOT NULL,
    created_by     text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,
    accepted_at    timestamptz,
    member_id      uuid,                     -- whom it made a member
    revoked_at     timestamptz,
    PRIMARY KEY (org_id, invitation_id),
    UNIQUE (org_id, token_hash)
);

CREATE TABLE api_keys (
    org_id        bigint NOT NULL REFERENCES organizations,
    key_id        uuid NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('SECRET', 'PUBLISHABLE', 'RESTRICTED')),
    name          text NOT NULL DEFAULT '',
    scopes        text[] NOT NULL DEFAULT '{}',
    key_hash      bytea NOT NULL,            -- SHA-256 of the whole key text; the text is never stored
    shown_start   text NOT NULL,             -- first letters, to recognise it
    shown_end     text NOT NULL,             -- last four
    created_by    text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_used_at  timestamptz,               -- coarse: at most one write a minute
    expires_at    timestamptz,               -- end of the overlap after a rotation, or as asked
    revoked_at    timestamptz,
    rotated_to    uuid,
    replaces      uuid,                      -- the other end of rotated_to
    PRIMARY KEY (org_id, key_id),
    UNIQUE (org_id, key_hash)
);

-- From the hash of a secret to its tenant: the one look-up that cannot know org_id beforehand.
CREATE TABLE credentials (
    secret_hash  bytea PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('API_KEY', 'INVITATION')),
    org_id       bigint NOT NULL,
    object_id    uuid NOT NULL
);

CREATE TABLE audit_log (
    org_id       bigint NOT NULL REFERENCES organizations,
    audit_id     uuid NOT NULL,
    actor        text NOT NULL,
    actor_name   text NOT NULL DEFAULT '',   -- as it was then
    both_modes   boolean NOT NULL DEFAULT false, -- of the organisation as a whole; kept under the live
                                             -- number and shown on either side
    action       text NOT NULL,
    target_type  text NOT NULL DEFAULT '',
    target       text NOT NULL DEFAULT '',
    detail       jsonb NOT NULL DEFAULT '{}',
    request_id   text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, audit_id)
);

-- Every mutating call with a request_id, and every call to the payment side, is one row: the claim,
-- the content it was made with, and in the end its answer. A failure before any effect deletes it.
CREATE TABLE intents (
    -- Deferred, so that the creation of an organisation can be claimed like any other call: the claim
    -- is the first row of its transaction.
    org_id           bigint NOT NULL REFERENCES organizations DEFERRABLE INITIALLY DEFERRED,
    intent_id        uuid NOT NULL,
    method           text NOT NULL,
    request_id       text NOT NULL,
    body_hash        bytea NOT NULL,
    state            text NOT NULL CHECK (state IN ('PENDING', 'DONE', 'FAILED')),
    request          bytea,                  -- the serialized request, for the resolver
    response         bytea,                  -- the serialized answer, once DONE
    failure          jsonb,                  -- reason, message and pairs, once FAILED
    subject_id       uuid,                   -- the subscription, plan ... it is about
    actor            text NOT NULL DEFAULT '',
    generation       int NOT NULL DEFAULT 1, -- part of the idempotency key; raised only when the
                                             -- effect is known to be absent
    attempts         int NOT NULL DEFAULT 0,
    first_sent_at    timestamptz,
    leased_until     timestamptz,            -- whoever drives it now; a crash lets it expire
    next_attempt_at  timestamptz NOT NULL DEFAULT now(),
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, intent_id),
    UNIQUE (org_id, method, request_id)
);
CREATE INDEX intents_open ON intents (next_attempt_at) WHERE state = 'PENDING';
CREATE INDEX intents_request ON intents (org_id, request_id);
CREATE INDEX intents_subject ON intents (org_id, subject_id) WHERE state = 'PENDING';
