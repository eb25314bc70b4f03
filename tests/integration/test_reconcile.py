"""The mirror is compared with the payment side: what was lost is found, repaired, and recorded with its cause."""

import concurrent.futures
import json
import time
import urllib.parse

import pytest

import world
from errors import fails
from test_subscriptions import Shop
from test_webhooks import Door
from world import request_id, wait_for


class Mirror:
    def __init__(self, server, sandbox, stubs):
        self.server, self.sandbox = server, sandbox
        self.org = world.Org(server, stubs, sandbox)
        self.shop = Shop(self.org)
        self.door = Door(server, server.cluster)
        self.pb = self.org.pb("insights")

    @property
    def insights(self):
        return self.org.stub("insights")

    def sql(self, text, *values):
        with self.server.cluster.connect(self.server.database) as connection:
            connection.execute(text, values)

    def sold(self, count=1):
        """Subscriptions on both sides with nothing under way: (ours, the id there)."""
        made = [self.shop.create(self.org.customer()).subscription for _ in range(count)]
        self.door.quiet()
        there = {s["metadata"]["billingos_id"]: s["id"] for s in self.shop.there()}
        return [(m, there[m.subscription_id]) for m in made]

    def change_there(self, stripe_id, form="cancel_at_period_end=true"):
        self.sandbox.api(f"subscriptions/{stripe_id}", self.shop.account, "POST", form)

    def fault(self, action, **fields):
        self.sandbox.control("faults", {"action": action, "times": 1000000, **fields})

    def no_faults(self):
        self.sandbox.control("faults", method="DELETE")

    def reconcile(self, *arguments, check=True):
        return self.server.billingos("reconcile", *arguments, "--account", self.shop.account, "--json", check=check)

    def run(self, *arguments):
        return json.loads(self.reconcile("run", *arguments).stdout)

    def report(self, *arguments):
        return [json.loads(line) for line in self.reconcile("report", *arguments).stdout.splitlines()]

    def exact(self):
        """A whole comparison finds nothing."""
        run = self.run("--full")
        assert run["state"] == "DONE" and run["repaired"] == run["open"] == 0, (run, self.report())
        assert run["compared"] == run["matching"] > 0
        return run


@pytest.fixture()
def mirror(own, stubs):
    server, sandbox = own()
    return Mirror(server, sandbox, stubs)


def test_lost_webhooks_are_found_and_repaired(mirror):
    (changed, changed_id), (kept, _) = mirror.sold(2)
    mirror.fault("webhook_drop")
    mirror.change_there(changed_id)
    mirror.shop.there()
    time.sleep(0.5)
    assert not mirror.shop.get(changed).cancel_at_period_end
    run = mirror.run()
    assert (run["state"], run["repaired"], run["open"]) == ("DONE", 1, 0), run
    assert run["lost_events"] >= 1 and run["matching"] == run["compared"] - 1
    assert mirror.shop.get(changed).cancel_at_period_end and not mirror.shop.get(kept).cancel_at_period_end
    (drift,) = mirror.report()
    assert (drift["kind"], drift["cause"], drift["object"], drift["repaired"]) == (
        "DIFFERENT", "lost_event", changed_id, True)
    assert {"path": "cancel_at_period_end", "old": "false", "new": "true"} in drift["changes"]
    assert drift["resource"] == changed.subscription_id and 0 <= drift["age_seconds"] < 60
    assert [e["type"] for e in (json.loads(row[0]) for row in mirror.door.rows(
        "SELECT convert_from(payload, 'UTF8') FROM webhook_inbox WHERE listed"))] == ["customer.subscription.updated"]
    mirror.exact()


def test_a_subscription_that_ended_unseen_is_found_without_any_event(mirror):
    (made, stripe_id), = mirror.sold()
    mirror.fault("never_generate", match={"type": "customer.subscription.deleted"})
    mirror.sandbox.api(f"subscriptions/{stripe_id}", mirror.shop.account, "DELETE")
    run = mirror.run()
    assert run["repaired"] == 1 and mirror.shop.status(mirror.shop.get(made)) == "CANCELED"
    (drift,) = mirror.report("--run", run["run"])
    assert (drift["kind"], drift["cause"]) == ("DIFFERENT", "changed_elsewhere")
    assert mirror.org.reason(mirror.org.check("sso", made.customer_id)) == "NO_ACTIVE_SUBSCRIPTION"
    mirror.exact()


def test_what_is_missing_on_either_side(mirror):
    (made, stripe_id), = mirror.sold()
    (there,) = mirror.shop.there()
    mirror.fault("webhook_drop")
    outside = mirror.sandbox.api("subscriptions", mirror.shop.account, "POST", urllib.parse.urlencode({
        "customer": there["customer"], "items[0][price]": there["items"]["data"][0]["price"]["id"],
        "default_payment_method": there["default_payment_method"]}))
    mirror.sql("INSERT INTO invoices (org_id, invoice_id, customer_id, stripe_invoice_id, status, currency)"
               " SELECT org_id, gen_random_uuid(), customer_id, 'in_gone', 'DRAFT', 'EUR' FROM invoices LIMIT 1")
    run = mirror.run()
    found = {d["object"]: d for d in mirror.report()}
    assert (found[outside["id"]]["kind"], found[outside["id"]]["cause"]) == ("MISSING_HERE", "lost_event")
    assert (found["in_gone"]["kind"], found["in_gone"]["repaired"]) == ("MISSING_THERE", True)
    assert run["open"] == 0 and len(mirror.shop.listed().subscriptions) == 2
    assert mirror.door.rows("SELECT status FROM invoices WHERE stripe_invoice_id = 'in_gone'") == [("VOID",)]
    mirror.exact()

    mirror.sql("UPDATE subscriptions SET stripe_subscription_id = 'sub_gone', fetch_number = 0"
               " WHERE stripe_subscription_id = %s", stripe_id)
    run = mirror.run()
    (gone,) = [d for d in mirror.report("--run", run["run"], "--open")]
    assert (gone["kind"], gone["object"], gone["repaired"]) == ("MISSING_THERE", "sub_gone", False)
    assert run["open"] == 1 and mirror.shop.get(made).subscription_id == made.subscription_id


def test_a_wrong_row_is_put_right(mirror):
    (made, _), (other, _) = mirror.sold(2)
    mirror.sql("UPDATE subscriptions SET quantity = 7, period_end_at = now() WHERE subscription_id = (SELECT"
               " subscription_id FROM subscriptions ORDER BY created_at LIMIT 1)")
    mirror.sql("UPDATE invoices SET status = 'OPEN', paid_minor = 0, remaining_minor = total_minor WHERE"
               " subscription_id = (SELECT subscription_id FROM subscriptions ORDER BY created_at DESC LIMIT 1)")
    run = mirror.run()
    assert (run["repaired"], run["open"]) == (2, 0), mirror.report()
    paths = {d["type"]: {c["path"] for c in d["changes"]} for d in mirror.report()}
    assert paths == {"subscription": {"quantity", "current_period_end_time"},
                     "invoice": {"status", "amount_paid", "amount_remaining"}}
    assert mirror.shop.get(made).items[0].quantity == 1
    assert mirror.shop.status(mirror.shop.get(other)) == "ACTIVE"
    mirror.exact()


def test_a_call_that_was_never_settled_is_an_orphan(mirror):
    (made, stripe_id), = mirror.sold()
    mirror.sql("UPDATE subscriptions SET status = 'PENDING', stripe_subscription_id = NULL, fetch_number = 0")
    run = mirror.run()
    (drift,) = mirror.report()
    assert (drift["kind"], drift["cause"], drift["object"], drift["repaired"]) == (
        "ORPHAN_OPERATION", "crash", stripe_id, True)
    assert run["repaired"] == 1 and mirror.shop.status(mirror.shop.get(made)) == "ACTIVE"
    assert len(mirror.shop.listed().subscriptions) == 1
    mirror.exact()


def test_duplicated_and_reordered_events_leave_nothing_to_repair(mirror):
    mirror.fault("webhook_duplicate", count=2)
    mirror.fault("webhook_delay", ms=300, match={"percent": 50})
    sold = mirror.sold(5)
    for number, (_, stripe_id) in enumerate(sold):
        mirror.change_there(stripe_id)
        if number % 2 == 0:
            mirror.change_there(stripe_id, "cancel_at_period_end=false")
    wait_for(lambda: mirror.sandbox.control("state", method="GET")["webhooks_waiting"] == 0, 20, "all have come")
    mirror.door.quiet()
    mirror.exact()
    assert mirror.report() == []


def test_a_server_that_was_down_catches_up_without_webhooks(mirror):
    sold = mirror.sold(6)
    mirror.fault("webhook_drop")
    mirror.server.stop()
    for _, stripe_id in sold[:3]:
        mirror.change_there(stripe_id)
    mirror.sandbox.api(f"subscriptions/{sold[3][1]}", mirror.shop.account, "DELETE")
    mirror.sandbox.control(f"subscriptions/{mirror.shop.account}/{sold[4][1]}/renew")
    run = mirror.run()  # the command line needs no server
    assert run["open"] == 0 and run["repaired"] >= 5, run
    mirror.exact()
    mirror.server.start()
    mirror.org.reconnect()
    assert all(mirror.shop.get(made).cancel_at_period_end for made, _ in sold[:3])
    assert mirror.shop.status(mirror.shop.get(sold[3][0])) == "CANCELED"
    assert {d["cause"] for d in mirror.report()} == {"lost_event"}


def test_the_payment_side_falters_during_a_comparison(mirror):
    (made, stripe_id), = mirror.sold()
    mirror.fault("webhook_drop")
    mirror.change_there(stripe_id)
    for path in ("^/v1/subscriptions$", "^/v1/events$", f"^/v1/subscriptions/{stripe_id}$"):
        mirror.sandbox.control("faults", {"action": "500_before", "times": 4, "match": {"path_regex": path}})
    run = mirror.run()
    assert run["state"] == "DONE" and run["repaired"] == 1 and mirror.shop.get(made).cancel_at_period_end


def test_one_at_a_time(mirror):
    mirror.sold()
    mirror.sandbox.control("faults", {"action": "hang", "ms": 3000, "times": 1, "match": {"path_regex": "^/v1/events$"}})
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        first = pool.submit(mirror.run)
        wait_for(lambda: mirror.door.rows("SELECT 1 FROM reconcile_runs WHERE state = 'RUNNING'"), 5, "it runs")
        second = mirror.reconcile("run", check=False)
        assert second.returncode == 1 and "right now" in second.stderr
        with fails("RATE_LIMITED"):
            mirror.insights.StartReconciliation(mirror.pb.StartReconciliationRequest(request_id=request_id()))
        assert first.result()["state"] == "DONE"
    assert len(mirror.door.rows("SELECT 1 FROM reconcile_runs")) == 1


def test_the_calls_are_few(mirror):
    for _ in range(130):
        mirror.shop.create(mirror.org.customer())
    mirror.door.quiet()
    mirror.exact()
    run = mirror.exact()
    objects = run["compared"]
    events = mirror.door.rows("SELECT count(*) FROM webhook_inbox WHERE account_id = %s", mirror.shop.account)[0][0]
    assert objects == 260 and run["calls"] <= objects / 100 + events / 100 + 4, run


def test_over_the_api(mirror):
    (made, stripe_id), = mirror.sold()
    health = mirror.insights.GetMirrorHealth(mirror.pb.GetMirrorHealthRequest())
    assert not health.HasField("last_reconciliation") and health.accuracy.denominator == 0
    assert health.HasField("last_event_time") and health.pending_operation_count == 0
    stream = mirror.insights.WatchInsights(mirror.pb.WatchInsightsRequest(
        types=[mirror.pb.BILLING_EVENT_TYPE_DRIFT_FOUND]))
    assert next(stream).HasField("ready")
    mirror.fault("webhook_drop")
    mirror.change_there(stripe_id)
    key = request_id()
    asked = mirror.insights.StartReconciliation(mirror.pb.StartReconciliationRequest(full=True, request_id=key))
    assert asked.reconciliation.state == mirror.pb.RECONCILIATION_STATE_RUNNING and asked.reconciliation.full
    assert mirror.insights.StartReconciliation(mirror.pb.StartReconciliationRequest(full=True, request_id=key)) == asked
    run_id = asked.reconciliation.reconcile_run_id

    def get():
        return mirror.insights.GetReconciliation(
            mirror.pb.GetReconciliationRequest(reconcile_run_id=run_id)).reconciliation

    done = wait_for(lambda: (run := get()).state == mirror.pb.RECONCILIATION_STATE_DONE and run, 20, "done")
    assert done.repaired_count == 1 and done.open_count == 0 and done.compared_count == done.matching_count + 1
    assert done.finish_time.seconds >= done.start_time.seconds and done.call_count > 0
    (drift,) = mirror.insights.ListDrifts(mirror.pb.ListDriftsRequest(reconcile_run_id=run_id)).drifts
    assert drift.repaired and drift.cause == "lost_event" and drift.resource_id == made.subscription_id
    assert drift.kind == mirror.pb.DRIFT_KIND_DIFFERENT and drift.changes[0].path == "cancel_at_period_end"
    told = next(stream).event
    assert told.drift.drift == drift and told.subscription_id == made.subscription_id
    assert told.severity == mirror.pb.SEVERITY_WARNING
    stream.cancel()
    for request in (mirror.pb.ListDriftsRequest(open_only=True),
                    mirror.pb.ListDriftsRequest(kind=mirror.pb.DRIFT_KIND_MISSING_HERE)):
        assert len(mirror.insights.ListDrifts(request).drifts) == 0
    health = mirror.insights.GetMirrorHealth(mirror.pb.GetMirrorHealthRequest())
    assert health.last_reconciliation == done
    assert (health.accuracy.numerator, health.accuracy.denominator) == (done.matching_count, done.compared_count)
    wait_for(lambda: f"billingos_mirror_accuracy 0.{done.matching_count * 1000000 // done.compared_count:06d}"
             in mirror.server.metrics(), 5, "measured")
    assert 'billingos_reconcile_drift_total{object="subscription",action="repaired"} 1' in mirror.server.metrics()

    mirror.exact()
    first = mirror.insights.ListReconciliations(mirror.pb.ListReconciliationsRequest(page_size=1))
    second = mirror.insights.ListReconciliations(mirror.pb.ListReconciliationsRequest(
        page_size=1, page_token=first.next_page_token))
    assert first.reconciliations[0].repaired_count == 0 and second.reconciliations[0] == done
    assert second.next_page_token == ""
    for wrong in ("rec_00000000000000000000000001", "x", ""):
        with fails("RECONCILE_RUN_NOT_FOUND" if wrong.startswith("rec") else "FIELD_INVALID"):
            mirror.insights.GetReconciliation(mirror.pb.GetReconciliationRequest(reconcile_run_id=wrong))
    with fails("RECONCILE_RUN_NOT_FOUND"):
        mirror.insights.ListDrifts(mirror.pb.ListDriftsRequest(reconcile_run_id="rec_00000000000000000000000001"))
    with fails("FIELD_INVALID"):
        mirror.insights.ListDrifts(mirror.pb.ListDriftsRequest(kind=99))
    with fails("PAGE_TOKEN_INVALID"):
        mirror.insights.ListDrifts(mirror.pb.ListDriftsRequest(page_token="x"))


def test_without_an_account_there_is_nothing_to_compare(org):
    pb = org.pb("insights")
    with fails("PAYMENT_ACCOUNT_NOT_CONNECTED"):
        org.stub("insights").StartReconciliation(pb.StartReconciliationRequest(request_id=request_id()))
    assert len(org.stub("insights").ListReconciliations(pb.ListReconciliationsRequest()).reconciliations) == 0


def test_it_comes_by_itself(mirror):
    (made, stripe_id), = mirror.sold()
    mirror.fault("webhook_drop")
    mirror.change_there(stripe_id)
    mirror.sql("UPDATE stripe_accounts SET created_at = now() - interval '2 hours'")
    mirror.server.restart()
    mirror.org.reconnect()
    wait_for(lambda: mirror.shop.get(made).cancel_at_period_end, 20, "found and repaired")
    (run,) = wait_for(lambda: [r for r in map(json.loads, mirror.reconcile("status").stdout.splitlines())
                               if r["state"] == "DONE"], 10, "done")
    assert run["full"], "the first one is"


def test_a_comparison_that_broke_off_is_made_again(mirror):
    sold = mirror.sold(3)
    mirror.fault("webhook_drop")
    for _, stripe_id in sold:
        mirror.change_there(stripe_id)
    mirror.server.restart(env={"BILLINGOS_FAILPOINTS": "reconcile.repaired=crash@2"})
    mirror.org.reconnect()
    mirror.insights.StartReconciliation(mirror.pb.StartReconciliationRequest(request_id=request_id()))
    wait_for(lambda: not mirror.server.alive(), 20, "killed")
    mirror.server.restart()
    mirror.org.reconnect()
    wait_for(lambda: all(mirror.shop.get(made).cancel_at_period_end for made, _ in sold), 20, "all are repaired")
    runs = wait_for(lambda: (r := [json.loads(x) for x in mirror.reconcile("status").stdout.splitlines()])
                    and r[0]["state"] == "DONE" and r, 10, "done")
    assert [r["state"] for r in runs] == ["DONE", "FAILED"]
    assert len(mirror.report()) == 3
    mirror.exact()


def test_a_late_event_and_one_set_aside_are_told_apart(own, stubs):
    server, sandbox = own({"BILLINGOS_JOBS_WEBHOOK_ATTEMPTS_MAX": "1"})
    mirror = Mirror(server, sandbox, stubs)
    (late, late_id), (bad, bad_id) = mirror.sold(2)
    mirror.sandbox.control("faults", {"action": "403_account_invalid", "times": 1, "match": {
        "path_regex": f"^/v1/subscriptions/{bad_id}$", "method": "GET"}})
    mirror.change_there(bad_id)
    wait_for(lambda: mirror.door.rows("SELECT 1 FROM dirty_objects WHERE quarantined_at IS NOT NULL"), 20, "set aside")
    server.stop()
    mirror.fault("webhook_drop")
    mirror.change_there(late_id)
    mirror.sql("INSERT INTO webhook_inbox (account_id, event_id, live, type, object_type, object_id, event_at, payload)"
               " SELECT %s, e, false, 'customer.subscription.updated', 'subscription', %s, now(), '{}' FROM"
               " unnest(%s::text[]) e", mirror.shop.account, late_id,
               [e["id"] for e in sandbox.api("events?limit=5", mirror.shop.account)["data"]
                if e["data"]["object"]["id"] == late_id])
    run = mirror.run()
    causes = {d["object"]: d["cause"] for d in mirror.report("--run", run["run"])}
    assert causes == {late_id: "late_event", bad_id: "quarantined"}
    server.start()
    mirror.org.reconnect()
    assert mirror.shop.get(late).cancel_at_period_end and mirror.shop.get(bad).cancel_at_period_end


def test_other_accounts_objects_are_left_alone(mirror):
    """What is sold on the account to customers that are none of ours is not mirrored and not counted."""
    mirror.sold()
    stranger = mirror.sandbox.api("customers", mirror.shop.account, "POST", "email=a@example.com")
    card = mirror.sandbox.api("payment_methods/pm_card_visa/attach", mirror.shop.account, "POST",
                              f"customer={stranger['id']}")
    price = mirror.shop.there()[0]["items"]["data"][0]["price"]["id"]
    mirror.sandbox.api("subscriptions", mirror.shop.account, "POST", urllib.parse.urlencode({
        "customer": stranger["id"], "items[0][price]": price, "default_payment_method": card["id"]}))
    mirror.door.quiet()
    run = mirror.exact()
    assert run["compared"] == 2 and len(mirror.shop.listed().subscriptions) == 1
