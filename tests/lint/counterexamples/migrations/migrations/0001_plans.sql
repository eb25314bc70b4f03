CREATE TABLE plans (
    org_id bigint NOT NULL,
    amount_minor numeric NOT NULL,
    weight real,
    PRIMARY KEY (org_id)
);
