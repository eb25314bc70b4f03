"""Webhooks that cannot be applied are set aside and do not hold up the others; an operator sees them and decides."""

import json

import pytest

import world
from test_subscriptions import Shop
from test_webhooks import Door, event
from world import wait_for

POISON = """
CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'poison'; END $$;
CREATE TRIGGER poison BEFORE {verb} ON {table} FOR EACH ROW WHEN (new.{column} = '{value}') EXECUTE FUNCTION poison();
"""
CURE = "DROP FUNCTION poison() CASCADE"


class Ops:
    def __init__(self, server, sandbox, stubs):
        self.server, self.sandbox = server, sandbox
        self.org = world.Org(server, stubs, sandbox)
        self.shop = Shop(self.org)
        self.door = Door(server, server.cluster)

    def sql(self, text):
        with self.server.cluster.connect(self.server.database) as connection:
            connection.execute(text)

    def webhooks(self, *arguments, check=True):
        return self.server.billingos("webhooks", *arguments, check=check)

    def listed(self, *arguments):
        return [json.loads(line) for line in self.webhooks("list", "--json", *arguments).stdout.splitlines()]

    def sold(self):
        """A subscription on both sides, with nothing under way."""
        made = self.shop.create(self.org.customer()).subscription
        self.door.quiet()
        ids = self.door.rows("SELECT stripe_subscription_id FROM subscriptions WHERE subscription_id = (SELECT"
                             " subscription_id FROM subscriptions ORDER BY created_at DESC LIMIT 1)")
        return made, ids[0][0]

    def cancel_there(self, stripe_id, at_end="true"):
        self.sandbox.api(f"subscriptions/{stripe_id}", self.shop.account, "POST", f"cancel_at_period_end={at_end}")


@pytest.fixture()
def ops(own, stubs):
    server, sandbox = own({"BILLINGOS_JOBS_WEBHOOK_ATTEMPTS_MAX": "2"})
    return Ops(server, sandbox, stubs)


def test_a_poisoned_object_is_set_aside_and_comes_back(ops):
    bad, bad_id = ops.sold()
    good, good_id = ops.sold()
    ops.sql(POISON.format(verb="UPDATE", table="subscriptions", column="stripe_subscription_id", value=bad_id))
    ops.cancel_there(bad_id)
    ops.cancel_there(good_id)
    wait_for(lambda: ops.shop.get(good).cancel_at_period_end, 10, "the other one is not held up")
    (row,) = wait_for(lambda: ops.listed("--state", "quarantined"), 20, "set aside")
    assert (row["state"], row["object"], row["error"], row["account"]) == ("QUARANTINED", bad_id, "INTERNAL", ops.shop.account)
    assert row in ops.listed(), "without --state it is what waits for somebody"
    assert ops.listed("--account", "acct_other") == []
    wait_for(lambda: 'billingos_webhooks_quarantined{kind="object"} 1' in ops.server.metrics(), 5, "counted")
    shown = json.loads(ops.webhooks("show", "--json", row["event"]).stdout)
    assert shown["payload"]["id"] == row["event"] and shown["payload"]["data"]["object"]["id"] == bad_id
    assert row["event"] in ops.webhooks("show", row["event"]).stdout

    ops.sql(CURE)
    assert not ops.shop.get(bad).cancel_at_period_end
    ops.webhooks("replay", row["event"])
    wait_for(lambda: ops.shop.get(bad).cancel_at_period_end, 10, "applied after all")
    assert ops.listed() == []
    wait_for(lambda: 'billingos_webhooks_quarantined{kind="object"} 0' in ops.server.metrics(), 5, "counted")


def test_a_new_event_gives_a_set_aside_object_another_try(ops):
    made, stripe_id = ops.sold()
    ops.sql(POISON.format(verb="UPDATE", table="subscriptions", column="stripe_subscription_id", value=stripe_id))
    ops.cancel_there(stripe_id)
    wait_for(lambda: ops.listed("--state", "quarantined"), 20, "set aside")
    ops.sql(CURE)
    ops.sandbox.api(f"subscriptions/{stripe_id}", ops.shop.account, "POST", "metadata[note]=again")
    wait_for(lambda: ops.shop.get(made).cancel_at_period_end, 10, "applied")
    assert ops.listed() == []


def test_an_event_that_cannot_be_handled_is_failed_and_the_batch_goes_on(ops):
    made, stripe_id = ops.sold()
    ops.sql(POISON.format(verb="INSERT OR UPDATE", table="dirty_objects", column="object_id", value="sub_poison"))
    poison = event("customer.subscription.updated", "subscription", "sub_poison", ops.shop.account)
    assert ops.door.post(poison) == 200
    ops.cancel_there(stripe_id)
    wait_for(lambda: ops.shop.get(made).cancel_at_period_end, 10, "the others are handled")
    wait_for(lambda: ops.door.state(poison) == "FAILED", 10, "set aside")
    (row,) = ops.listed()
    assert (row["state"], row["attempts"], row["object"]) == ("FAILED", 3, "sub_poison")
    wait_for(lambda: 'billingos_webhooks_quarantined{kind="event"} 1' in ops.server.metrics(), 5, "counted")
    ops.webhooks("skip", row["event"])
    assert ops.door.state(poison) == "IGNORED" and ops.listed() == []


def test_skip_takes_a_set_aside_object_out_of_the_way(ops):
    _, stripe_id = ops.sold()
    ops.sql(POISON.format(verb="UPDATE", table="subscriptions", column="stripe_subscription_id", value=stripe_id))
    ops.cancel_there(stripe_id)
    (row,) = wait_for(lambda: ops.listed("--state", "quarantined"), 20, "set aside")
    ops.webhooks("skip", row["event"])
    assert ops.listed() == [] and ops.door.rows("SELECT count(*) FROM dirty_objects") == [(0,)]
    ops.sql(CURE)


def test_unknown_types_versions_and_accounts_are_kept_and_counted(ops):
    unknown = event("invention.made", "invention", "inv_1", ops.shop.account)
    future = event("customer.subscription.updated", "subscription", "sub_none", ops.shop.account,
                   api_version="2031-01-01.future")
    nobody = event("customer.subscription.updated", "subscription", "sub_1", "acct_nobody")
    for body in (unknown, future, nobody):
        assert ops.door.post(body) == 200
    wait_for(lambda: [ops.door.state(b) for b in (unknown, future, nobody)] == ["IGNORED", "DONE", "PARKED"], 5, "handled")
    text = ops.server.metrics()
    assert 'billingos_webhook_events_total{type="invention.made",result="ignored"} 1' in text
    assert 'billingos_webhook_events_total{type="customer.subscription.updated",result="other_version"} 1' in text
    assert 'billingos_webhook_events_total{type="customer.subscription.updated",result="parked"} 1' in text
    wait_for(lambda: "billingos_webhooks_parked 1" in ops.server.metrics(), 5, "counted")
    assert [row["event"] for row in ops.listed("--state", "parked")] == [json.loads(nobody)["id"]]
    assert "billingos_inbox_oldest_age_seconds" in text


def test_raw_events_are_kept_for_the_days_of_the_setting(ops):
    old, young = (event("invention.made", "invention", "inv_1", ops.shop.account) for _ in range(2))
    for body in (old, young):
        assert ops.door.post(body) == 200
    wait_for(lambda: ops.door.state(young) == "IGNORED", 5, "handled")
    ops.sql(f"UPDATE webhook_inbox SET received_at = now() - interval '3 days'"
            f" WHERE event_id = '{json.loads(old)['id']}'")
    ops.server.restart(env={"BILLINGOS_JOBS_WEBHOOK_KEEP_DAYS": "2"})
    wait_for(lambda: ops.door.state(old) == "ABSENT", 10, "gone")
    assert ops.door.state(young) == "IGNORED"


def test_the_verbs_say_what_is_wrong(ops):
    for arguments, code, text in [
        (["show"], 2, "the id of an event is needed"), (["replay", "a", "b"], 2, "unexpected argument"),
        (["list", "--max", "0"], 2, "--max is a number"), (["list", "--state", "odd"], 1, "the state is"),
        (["show", "evt_none"], 1, "is not in the inbox"), (["skip", "evt_none"], 1, "is not in the inbox"),
        (["replay", "--json", "evt_none"], 2, "unknown option"), (["forget"], 2, "unknown verb"),
    ]:
        result = ops.webhooks(*arguments, check=False)
        assert result.returncode == code and text in result.stderr, (arguments, result)
    assert ops.webhooks("list").stdout == "none\n"
    for verb in ("list", "show", "replay", "skip"):
        assert f"usage: billingos webhooks {verb}" in ops.webhooks(verb, "--help").stdout
