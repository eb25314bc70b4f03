"""billingos-sandbox by itself: the protocol of the payment provider, its life cycles, its webhooks."""

import concurrent.futures
import http.client
import json
import subprocess
import time
import urllib.parse

import pytest

from sandbox_client import BINARY, DAY, SECRET, VERSION, Merchant, Receiver, Sim, eventually


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(scope="module")
def sim(tmp_path_factory, receiver):
    made = Sim(tmp_path_factory.mktemp("sim"), "--webhook-url", receiver.url, "--webhook-secret", SECRET)
    yield made
    assert made.stop() == 0


@pytest.fixture()
def shop(sim):
    sim.control("DELETE", "faults")
    yield sim.merchant()
    sim.control("DELETE", "faults")


# The protocol


@pytest.mark.parametrize("header", [None, "Basic eDo=", "Bearer", "Bearer sk_live_x", "Bearer nonsense"])
def test_a_wrong_key_is_401(sim, header):
    answer = sim.raw("GET", "/v1/customers", headers={"Authorization": header} if header else {})
    assert (answer.status, answer.error["type"]) == (401, "invalid_request_error")
    assert "sk_live_x" not in answer.text


def test_only_the_pinned_version_or_none(sim):
    assert sim.call("GET", "/v1/customers", headers={"Stripe-Version": "2022-11-15"}).status == 400
    answer = sim.raw("GET", "/v1/customers", headers={"Authorization": "Bearer sk_test_x"})
    assert (answer.status, answer.headers["Stripe-Version"]) == (200, VERSION)
    assert answer.headers["Request-Id"].startswith("req_")


def test_stores_are_isolated(sim, shop):
    other, customer = sim.merchant(), shop.customer()
    for answer in (sim.call("GET", f"/v1/customers/{customer}"), other.call("GET", f"customers/{customer}")):
        assert (answer.status, answer.error["code"]) == (404, "resource_missing")
    answer = sim.call("GET", "/v1/customers", account="acct_unknown")
    assert (answer.status, answer.error["code"]) == (403, "account_invalid")
    assert shop.call("GET", f"customers/{customer}").headers["Stripe-Account"] == shop.account


def test_unknown_and_not_simulated_paths(sim):
    assert sim.call("GET", "/v1/custmers").status == 404
    assert sim.call("PUT", "/v1/customers").status == 404
    answer = sim.call("POST", "/v1/checkout/sessions", {"mode": "subscription"})
    assert (answer.status, answer.headers["X-Sim-Not-Implemented"]) == (501, "POST /v1/checkout/sessions")


@pytest.mark.parametrize("path, params, code, param", [
    ("customers", {"nme": "x"}, "parameter_unknown", "nme"),
    ("customers", {"metadata": {"a": {"b": "c"}}}, "parameter_unknown", "metadata[a][b]"),
    ("customers", {"balance": "many"}, "parameter_invalid_integer", "balance"),
    ("products", {"name": ""}, "parameter_invalid_empty", "name"),
    ("products", {}, "parameter_missing", "name"),
    ("subscriptions", {"customer": "cus_none"}, "parameter_missing", "items"),
    ("subscriptions", {"customer": "cus_none", "items": [{"price": "price_none"}]}, "resource_missing", "customer"),
    ("subscriptions", {"customer": "c", "items": [{"price": "p"}], "coupon": "c"}, "parameter_unknown", "coupon"),
    ("subscriptions", {"customer": "c", "items": [{"price": "p"}], "payment_behavior": "hope"}, None,
     "payment_behavior"),
    ("customers", {"expand": ["nothing"]}, None, "expand"),
])
def test_parameters_are_checked(shop, path, params, code, param):
    answer = shop.call("POST", path, params)
    assert (answer.status, answer.error.get("code"), answer.error["param"]) == (400, code, param)
    assert answer.error["type"] == "invalid_request_error"


def test_the_form_is_read_as_the_provider_does(shop):
    body = (f"customer={shop.customer()}&items[][price]={shop.price}&items[][quantity]=3&expand[]=customer"
            "&metadata[a%20b]=%C3%A4+%26&metadata%5Bc%5D=d")
    headers = {"Authorization": "Bearer sk_test_x", "Stripe-Account": shop.account,
               "Content-Type": "application/x-www-form-urlencoded"}
    answer = shop.sim.raw("POST", "/v1/subscriptions", body.encode(), headers)
    assert answer.status == 200, answer.text
    assert answer.json["items"]["data"][0]["quantity"] == 3
    assert answer.json["metadata"] == {"a b": "ä &", "c": "d"}
    assert answer.json["customer"]["object"] == "customer"
    for broken in (b"email=%zz", b"email=%ff", b"email=a%00b"):
        assert shop.sim.raw("POST", "/v1/customers", broken, headers).status == 400


def test_empty_unsets_and_absent_leaves_alone(shop):
    customer = shop.customer(name="N", email="e@example.com", metadata={"a": "1", "b": "2"})
    changed = shop.ok("POST", f"customers/{customer}", {"name": "", "metadata": {"a": ""}})
    assert (changed["name"], changed["email"], changed["metadata"]) == (None, "e@example.com", {"b": "2"})
    assert shop.ok("POST", f"customers/{customer}", {"metadata": ""})["metadata"] == {}


def test_lists_page_both_ways(shop):
    made = [shop.ok("POST", "customers", {"email": "page@example.com"})["id"] for _ in range(7)]
    newest_first = made[::-1]
    page = shop.ok("GET", "customers", {"limit": 3, "email": "page@example.com"})
    assert [one["id"] for one in page["data"]] == newest_first[:3] and page["has_more"]
    page = shop.ok("GET", "customers", {"limit": 3, "starting_after": newest_first[3]})
    assert [one["id"] for one in page["data"]] == newest_first[4:7]
    page = shop.ok("GET", "customers", {"limit": 2, "ending_before": newest_first[4]})
    assert [one["id"] for one in page["data"]] == newest_first[2:4] and page["has_more"]
    assert shop.call("GET", "customers", {"limit": 101}).status == 400
    assert shop.call("GET", "customers", {"starting_after": "cus_none"}).error["code"] == "resource_missing"
    assert shop.ok("GET", "customers", {"created": {"gt": int(time.time()) + 100}})["data"] == []


def test_hidden_by_default(shop):
    subscription = shop.subscription()["id"]
    shop.ok("DELETE", f"subscriptions/{subscription}")
    assert shop.ok("GET", "subscriptions")["data"] == []
    assert [one["id"] for one in shop.ok("GET", "subscriptions", {"status": "all"})["data"]] == [subscription]
    shop.ok("POST", f"prices/{shop.price}", {"active": False})
    assert shop.ok("GET", "prices")["data"] == []
    assert len(shop.ok("GET", "prices", {"active": False})["data"]) == 1


# Idempotency


def test_a_key_replays_the_first_answer(shop):
    first = shop.call("POST", "customers", {"email": "i@example.com"}, key="k-replay")
    second = shop.call("POST", "customers", {"email": "i@example.com"}, key="k-replay")
    assert first.json["id"] == second.json["id"]
    assert (first.headers["Idempotent-Replayed"], second.headers["Idempotent-Replayed"]) == (None, "true")
    assert second.headers["Idempotency-Key"] == "k-replay"
    other = shop.call("POST", "customers", {"email": "j@example.com"}, key="k-replay")
    assert (other.status, other.error["type"]) == (400, "idempotency_error")
    assert shop.sim.merchant().call("POST", "customers", {"email": "j@example.com"}, key="k-replay").status == 200


def test_a_refused_request_leaves_the_key_free_and_a_decline_does_not(shop):
    assert shop.call("POST", "products", {"nme": "x"}, key="k-free").status == 400
    assert shop.call("POST", "products", {"name": "x"}, key="k-free").status == 200
    customer = shop.customer()
    shop.decline(customer, "do_not_honor")
    params = {"customer": customer, "items": [{"price": shop.price}], "payment_behavior": "error_if_incomplete"}
    first = shop.call("POST", "subscriptions", params, key="k-decline")
    assert (first.status, first.error["type"], first.error["decline_code"]) == (402, "card_error", "do_not_honor")
    shop.decline(customer, None)
    again = shop.call("POST", "subscriptions", params, key="k-decline")
    assert (again.status, again.headers["Idempotent-Replayed"]) == (402, "true")
    assert shop.call("POST", "subscriptions", params, key="k-new").json["status"] == "active"
    assert shop.state()["subscriptions"] == 1


def test_keys_are_kept_for_a_simulated_day(tmp_path):
    sim = Sim(tmp_path)
    try:
        first = sim.ok("POST", "/v1/customers", {}, key="k-day")["id"]
        sim.control("POST", "clock/advance", {"seconds": DAY - 60})
        assert sim.ok("POST", "/v1/customers", {}, key="k-day")["id"] == first
        sim.control("POST", "clock/advance", {"seconds": 120})
        assert sim.ok("POST", "/v1/customers", {}, key="k-day")["id"] != first
    finally:
        sim.stop()


def test_a_running_key_is_409(shop):
    shop.sim.control("POST", "faults", {"action": "hang", "ms": 600, "match": {"path_regex": "^/v1/customers$"}})
    with concurrent.futures.ThreadPoolExecutor() as pool:
        slow = pool.submit(shop.call, "POST", "customers", {}, "k-running")
        time.sleep(0.2)
        answer = shop.call("POST", "customers", {}, key="k-running")
        assert (answer.status, answer.error["code"]) == (409, "idempotency_key_in_use")
        created = slow.result().json["id"]
    assert shop.call("POST", "customers", {}, key="k-running").json["id"] == created


# Faults


def test_500_after_commit_is_kept_under_the_key(shop):
    shop.sim.control("POST", "faults", {"action": "500_after_commit", "match": {"method": "POST"}})
    first = shop.call("POST", "customers", {"email": "f@example.com"}, key="k-500")
    assert (first.status, first.headers["Stripe-Should-Retry"]) == (500, "false")
    again = shop.call("POST", "customers", {"email": "f@example.com"}, key="k-500")
    assert (again.status, again.headers["Idempotent-Replayed"]) == (500, "true")
    assert len(shop.ok("GET", "customers", {"email": "f@example.com"})["data"]) == 1


def test_500_before_has_no_effect(shop):
    shop.sim.control("POST", "faults", {"action": "500_before", "match": {"path_regex": "customers"}})
    assert shop.call("POST", "customers", {"email": "g@example.com"}, key="k-500b").status == 500
    assert shop.ok("GET", "customers", {"email": "g@example.com"})["data"] == []
    assert shop.call("POST", "customers", {"email": "g@example.com"}, key="k-500b").status == 200


def test_a_dropped_answer_can_be_asked_for_again(shop):
    shop.sim.control("POST", "faults", {"action": "drop_after_commit", "match": {"account": shop.account}})
    with pytest.raises((http.client.BadStatusLine, ConnectionError)):
        shop.call("POST", "customers", {"email": "d@example.com"}, key="k-drop")
    customer = shop.call("POST", "customers", {"email": "d@example.com"}, key="k-drop")
    assert (customer.status, customer.headers["Idempotent-Replayed"]) == (200, "true")
    assert len(shop.ok("GET", "customers", {"email": "d@example.com"})["data"]) == 1


def test_limits_and_locks(shop):
    shop.sim.control("POST", "faults", {"action": "rate_limit", "reason": "endpoint-rate"})
    answer = shop.call("GET", "customers")
    assert (answer.status, answer.error["code"]) == (429, "rate_limit")
    assert answer.headers["Stripe-Rate-Limited-Reason"] == "endpoint-rate"
    shop.sim.control("POST", "faults", {"action": "lock_timeout", "match": {"nth": 2}})
    assert shop.call("GET", "customers").status == 200
    answer = shop.call("GET", "customers")
    assert (answer.status, answer.headers["Stripe-Should-Retry"]) == (429, "true")
    assert shop.call("GET", "customers").status == 200
    assert shop.sim.raw("POST", "/_sim/faults", b'{"action":"explode"}').status == 400


# Accounts


def test_onboarding(sim):
    account = sim.ok("POST", "/v1/accounts", {"type": "express", "email": "m@example.com"})
    assert not account["charges_enabled"] and "external_account" in account["requirements"]["currently_due"]
    assert sim.call("POST", f"/v1/accounts/{account['id']}/login_links").status == 400
    params = {"account": account["id"], "type": "account_onboarding", "refresh_url": "http://x.test/refresh",
              "return_url": "http://x.test/return"}
    path = urllib.parse.urlsplit(sim.ok("POST", "/v1/account_links", params)["url"]).path
    assert "no real payments" in sim.raw("GET", path).text
    assert sim.raw("GET", path).headers["Location"] == "http://x.test/refresh"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    done = sim.raw("POST", path, b"action=onboard", form)
    assert (done.status, done.headers["Location"]) == (303, "http://x.test/return")
    account = sim.ok("GET", f"/v1/accounts/{account['id']}")
    assert account["charges_enabled"] and account["payouts_enabled"] and account["details_submitted"]
    assert sim.ok("POST", f"/v1/accounts/{account['id']}/login_links")["object"] == "login_link"
    sim.control("POST", f"accounts/{account['id']}/restrict")
    assert not sim.ok("GET", f"/v1/accounts/{account['id']}")["charges_enabled"]
    assert sim.ok("DELETE", f"/v1/accounts/{account['id']}")["deleted"]
    assert sim.call("GET", "/v1/customers", account=account["id"]).error["code"] == "account_invalid"


def test_charging_needs_an_onboarded_account(sim):
    account = sim.ok("POST", "/v1/accounts", {"type": "express"})["id"]
    shop = Merchant(sim, account)
    answer = shop.call("POST", "subscriptions", {"customer": shop.customer(), "items": [{"price": shop.price}]})
    assert answer.status == 400 and "card_payments" in answer.error["message"]


# Subscriptions, invoices, payments


def test_create_decline_pay_cancel(shop):
    customer = shop.customer()
    subscription = shop.subscription(customer, expand=["latest_invoice.payments"])
    invoice = subscription["latest_invoice"]
    assert (subscription["status"], invoice["status"], invoice["total"]) == ("active", "paid", 1000)
    assert invoice["parent"]["subscription_details"]["subscription"] == subscription["id"]
    assert "current_period_end" not in subscription
    item = subscription["items"]["data"][0]
    assert 27 * DAY < item["current_period_end"] - item["current_period_start"] <= 31 * DAY

    shop.decline(customer, "insufficient_funds")
    renewed = shop.renew(subscription["id"])
    assert renewed["status"] == "past_due"
    invoice = shop.ok("GET", f"invoices/{renewed['latest_invoice']}",
                      {"expand": ["payments.data.payment.payment_intent"]})
    assert invoice["status"] == "open" and invoice["next_payment_attempt"] and invoice["attempt_count"] == 1
    intent = invoice["payments"]["data"][0]["payment"]["payment_intent"]
    assert intent["last_payment_error"]["decline_code"] == "insufficient_funds"
    refused = shop.call("POST", f"invoices/{invoice['id']}/pay")
    assert (refused.status, refused.error["decline_code"]) == (402, "insufficient_funds")

    shop.decline(customer, None)
    assert shop.ok("POST", f"invoices/{invoice['id']}/pay")["status"] == "paid"
    assert shop.ok("GET", f"subscriptions/{subscription['id']}")["status"] == "active"
    assert shop.call("POST", f"invoices/{invoice['id']}/pay").error["code"] == "invoice_already_paid"
    assert shop.call("POST", f"invoices/{invoice['id']}/void").status == 400

    ends = shop.ok("POST", f"subscriptions/{subscription['id']}", {"cancel_at_period_end": True})
    assert ends["status"] == "active" and ends["cancel_at"] and ends["canceled_at"] and not ends["ended_at"]
    gone = shop.ok("DELETE", f"subscriptions/{subscription['id']}", {"prorate": True})
    assert gone["status"] == "canceled" and gone["ended_at"]
    assert shop.call("DELETE", f"subscriptions/{subscription['id']}").status == 404
    assert shop.call("POST", f"subscriptions/{subscription['id']}", {"items": [{"price": shop.price}]}).status == 400


def test_first_payment_fails(shop):
    customer = shop.customer("pm_card_chargeCustomerFail")
    subscription = shop.subscription(customer)
    assert subscription["status"] == "incomplete"
    answer = shop.call("POST", "subscriptions", {
        "customer": customer, "items": [{"price": shop.price}], "payment_behavior": "error_if_incomplete"})
    assert (answer.status, answer.error["code"]) == (402, "card_declined")
    assert shop.state()["subscriptions"] == 1
    refused = shop.call("POST", "customers", {"payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds"})
    assert (refused.status, refused.error["decline_code"]) == (402, "insufficient_funds")
    nobody = shop.customer(card=None)
    answer = shop.call("POST", "subscriptions", {"customer": nobody, "items": [{"price": shop.price}]})
    assert (answer.status, answer.error["code"]) == (400, "resource_missing")


def test_confirming_the_intent_activates(shop):
    subscription = shop.subscription(shop.customer(card=None), payment_behavior="default_incomplete", expand=[
        "latest_invoice.confirmation_secret", "latest_invoice.payments.data.payment.payment_intent"])
    intent = subscription["latest_invoice"]["payments"]["data"][0]["payment"]["payment_intent"]
    secret = subscription["latest_invoice"]["confirmation_secret"]["client_secret"]
    assert (subscription["status"], intent["client_secret"]) == ("incomplete", secret)
    paid = shop.ok("POST", f"payment_intents/{intent['id']}/confirm", {"payment_method": "pm_card_visa"})
    assert paid["status"] == "succeeded"
    assert shop.ok("GET", f"subscriptions/{subscription['id']}")["status"] == "active"


def test_a_change_in_mid_period_is_prorated(shop):
    subscription = shop.subscription(metadata={"op": "1"})
    item = subscription["items"]["data"][0]["id"]
    added = shop.call("POST", f"subscriptions/{subscription['id']}", {"items": [{"price": shop.price}]})
    assert added.status == 400
    changed = shop.ok("POST", f"subscriptions/{subscription['id']}", {
        "items": [{"id": item, "quantity": 3}], "proration_behavior": "always_invoice", "expand": ["latest_invoice"]})
    invoice = changed["latest_invoice"]
    assert (invoice["total"], invoice["billing_reason"], invoice["status"]) == (2000, "subscription_update", "paid")
    assert [line["amount"] for line in invoice["lines"]["data"]] == [-1000, 3000]
    assert invoice["parent"]["subscription_details"]["metadata"] == {"op": "1"}


def test_a_year_on_a_test_clock(shop):
    start = 1704067200 + 30 * DAY  # 2024-01-31
    clock = shop.ok("POST", "test_helpers/test_clocks", {"frozen_time": start})["id"]
    customer = shop.customer(test_clock=clock)
    subscription = shop.subscription(customer, trial_period_days=14)
    assert subscription["status"] == "trialing"
    assert shop.ok("GET", "subscriptions")["data"] == []

    def advance(to):
        shop.ok("POST", f"test_helpers/test_clocks/{clock}/advance", {"frozen_time": to})
        return shop.ok("GET", f"subscriptions/{subscription['id']}", {"expand": ["latest_invoice"]})

    now = advance(start + 14 * DAY + 60)
    assert (now["status"], now["latest_invoice"]["status"]) == ("active", "draft")
    now = advance(start + 14 * DAY + 3700)
    assert (now["latest_invoice"]["status"], now["latest_invoice"]["total"]) == ("paid", 1000)
    shop.decline(customer, "insufficient_funds")
    now = advance(start + 14 * DAY + 30 * DAY)
    assert now["status"] == "past_due" and now["latest_invoice"]["attempt_count"] == 1
    now = advance(now["latest_invoice"]["next_payment_attempt"] + 1)
    assert now["status"] == "past_due" and now["latest_invoice"]["attempt_count"] == 2
    now = advance(start + 62 * DAY)
    assert (now["status"], now["cancellation_details"]["reason"]) == ("canceled", "payment_failed")
    events = shop.ok("GET", "events", {"type": "customer.subscription.*", "limit": 100})["data"]
    types = [event["type"] for event in events]
    assert types[-1] == "customer.subscription.created" and types[0] == "customer.subscription.deleted"
    assert "customer.subscription.trial_will_end" in types


def test_periods_come_back_to_the_31st(shop):
    start = 1704067200 + 30 * DAY  # 2024-01-31
    clock = shop.ok("POST", "test_helpers/test_clocks", {"frozen_time": start})["id"]
    subscription = shop.subscription(shop.customer(test_clock=clock))["id"]
    ends = []
    for _ in range(3):
        item = shop.ok("GET", f"subscriptions/{subscription}")["items"]["data"][0]
        ends.append(time.strftime("%m-%d", time.gmtime(item["current_period_end"])))
        shop.ok("POST", f"test_helpers/test_clocks/{clock}/advance", {"frozen_time": item["current_period_end"] + 7200})
    assert ends == ["02-29", "03-31", "04-30"]


def test_tiers_packages_and_usage(shop):
    meter = shop.ok("POST", "billing/meters", {
        "display_name": "calls", "event_name": "calls", "default_aggregation": {"formula": "sum"}})["id"]
    tiers = [{"up_to": 10, "unit_amount": 100}, {"up_to": "inf", "unit_amount_decimal": "0.5", "flat_amount": 50}]
    price = shop.ok("POST", "prices", {
        "product": shop.product, "currency": "usd", "billing_scheme": "tiered", "tiers_mode": "graduated",
        "tiers": tiers, "recurring": {"interval": "month", "usage_type": "metered", "meter": meter},
        "expand": ["tiers"]})
    assert [tier["up_to"] for tier in price["tiers"]] == [10, None]
    customer = shop.customer()
    subscription = shop.ok("POST", "subscriptions", {"customer": customer, "items": [{"price": price["id"]}]})
    usage = {"event_name": "calls", "payload": {"stripe_customer_id": customer, "value": 30}, "identifier": "u1"}
    shop.ok("POST", "billing/meter_events", usage)
    assert shop.call("POST", "billing/meter_events", usage).status == 400
    time.sleep(1.1)
    invoice = shop.ok("GET", f"invoices/{shop.renew(subscription['id'])['latest_invoice']}")
    assert (invoice["total"], invoice["status"]) == (10 * 100 + 20 * 0.5 + 50, "paid")


# Webhooks


def test_events_are_signed_and_delivered(shop, receiver):
    customer = shop.customer()
    subscription = shop.subscription(customer, key="k-event")
    mine = lambda: [event for event in receiver.events if event["account"] == shop.account]  # noqa: E731
    listed = lambda: shop.ok("GET", "events", {"limit": 100})["data"]  # noqa: E731
    eventually(lambda: {event["id"] for event in mine()} == {event["id"] for event in listed()})
    eventually(lambda: all(event["pending_webhooks"] == 0 for event in listed()))
    created = [event for event in mine() if event["type"] == "customer.subscription.created"]
    assert len(created) == 1 and created[0]["data"]["object"]["id"] == subscription["id"]
    assert created[0]["request"]["idempotency_key"] == "k-event"
    assert (created[0]["api_version"], created[0]["livemode"]) == (VERSION, False)
    updated = [event for event in mine() if event["type"] == "customer.subscription.updated"]
    assert updated[0]["data"]["previous_attributes"]["status"] == "incomplete"
    assert receiver.invalid == 0


def test_deliveries_are_retried(tmp_path):
    hook = Receiver(failures=3)
    sim = Sim(tmp_path, "--webhook-url", hook.url, "--webhook-secret", SECRET)
    try:
        shop = sim.merchant()
        eventually(lambda: hook.types().count("price.created") == 1, 20)
        event = shop.ok("GET", "events", {"type": "price.created"})["data"][0]["id"]
        sim.control("POST", f"webhooks/resend/{event}")
        eventually(lambda: hook.types().count("price.created") == 2)
        sim.control("POST", "faults", {"action": "webhook_drop", "match": {"type": "customer.created"}})
        twice = {"action": "webhook_duplicate", "count": 2, "match": {"type": "customer.created", "nth": 2}}
        sim.control("POST", "faults", twice)
        shop.ok("POST", "customers", {})
        shop.ok("POST", "customers", {})
        eventually(lambda: hook.types().count("customer.created") == 3)
        assert len(shop.ok("GET", "events", {"type": "customer.created"})["data"]) == 2
        sim.control("POST", "faults", {"action": "never_generate", "match": {"type": "customer.updated"}})
        customer = shop.customer()
        shop.ok("POST", f"customers/{customer}", {"name": "x"})
        assert shop.ok("GET", "events", {"type": "customer.updated"})["data"] == []
    finally:
        hook.close()
        assert sim.stop() == 0


# The program


@pytest.mark.parametrize("options, words", [
    (["--lisen", "x"], "did you mean --listen?"),
    (["--webhook-url", "http://x"], "is missing"),
    (["--webhook-url", "http://x", "--webhook-secret", ""], "whsec_"),
    (["--secret-key", "sk_live_1"], "sk_test_"),
    (["--seed", "x"], "number"),
    (["--log-level"], "value"),
])
def test_wrong_options_end_with_2(options, words):
    result = subprocess.run([str(BINARY), *options], capture_output=True, text=True, timeout=10)
    assert result.returncode == 2 and words in result.stderr


def test_help_and_taken_port(sim):
    result = subprocess.run([str(BINARY), "--help"], capture_output=True, text=True, timeout=10)
    assert result.returncode == 0 and "--webhook-url" in result.stdout
    result = subprocess.run([str(BINARY), "--listen", sim.host], capture_output=True, text=True, timeout=10)
    assert result.returncode == 1 and result.stderr.strip()


def test_a_seed_gives_the_same_ids(tmp_path):
    ids = []
    for _ in range(2):
        sim = Sim(tmp_path, "--seed", "42")
        ids.append(sim.ok("POST", "/v1/customers", {})["id"])
        sim.stop()
    assert ids[0] == ids[1]


def test_the_request_log_has_no_key(sim, shop):
    shop.customer(email="log@example.com")
    log = sim.control("GET", "requests")["requests"]
    newest = next(one for one in log if one["path"] == "/v1/customers")
    assert "log%40example.com" in newest["body"] and newest["account"] == shop.account and newest["status"] == 200
    assert "sk_test_" not in json.dumps(log) and len(log) <= 1000
    assert "no real payments" in sim.raw("GET", "/_sim").text


# The state file


def test_the_world_survives_a_kill(tmp_path):
    hook = Receiver()
    options = ["--state-file", str(tmp_path / "state"), "--webhook-url", hook.url, "--webhook-secret", SECRET]
    sim = Sim(tmp_path, *options)
    shop = sim.merchant()
    customer = shop.customer()
    subscription = shop.subscription(customer)["id"]
    shop.decline(customer, "expired_card")
    shop.renew(subscription)
    sim.control("POST", "faults", {"action": "never_generate", "match": {"type": "product.*"}})
    shop.ok("POST", "products", {"name": "untold"})
    sim.control("POST", "clock/advance", {"seconds": 4 * DAY})
    keyed = shop.ok("POST", "customers", {"email": "k@example.com"}, key="k-state")["id"]
    eventually(lambda: sim.control("GET", "state")["webhooks_waiting"] == 0)

    def world(of):
        of.sim = sim
        paths = ["customers", "prices", "subscriptions?status=all", "invoices", "payment_intents", "charges"]
        return [sim.call("GET", "/v1/" + path, account=shop.account).json["data"] for path in paths]

    before, delivered = world(shop), len(hook.events)
    sim.process.kill()
    sim.process.wait()
    with open(tmp_path / "state", "a") as file:
        file.write('{"now":17')
    sim = Sim(tmp_path, *options)
    assert world(shop) == before
    assert shop.ok("POST", "customers", {"email": "k@example.com"}, key="k-state")["id"] == keyed
    assert shop.state()["subscriptions_by_status"]["past_due"] == 1
    new = shop.customer()
    assert new not in json.dumps(before)
    eventually(lambda: sim.control("GET", "state")["webhooks_waiting"] == 0)
    assert 2 <= len(hook.events) - delivered <= 3  # the new customer, and what was never told
    assert sim.stop() == 0
    sim = Sim(tmp_path, *options)
    assert shop.sim is not sim and sim.ok("GET", f"/v1/customers/{new}", account=shop.account)["id"] == new
    assert sim.stop() == 0
    (tmp_path / "state").write_text("something else\n")
    command = [str(BINARY), "--listen", "127.0.0.1:0", *options]
    result = subprocess.run(command, capture_output=True, text=True, timeout=10)
    assert result.returncode == 1 and "state file" in result.stderr
    hook.close()
