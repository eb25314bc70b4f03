CREATE TABLE plans (
    org_id bigint NOT NULL,
    plan_id uuid NOT NULL,
    PRIMARY KEY (org_id, plan_id)
);
