"""The official command-line tool runs its own scenarios against the simulator.

A scenario is a script of requests that comes with the tool. It has to end well, and the event it is named after
has to be there. What the simulator does not have yet answers 501 and says so; such a scenario is skipped, any
other end is a failure.
"""

import json
import os
import re
import subprocess
import urllib.request

import pytest

import sandbox_client
from others import HERE, KEY, recorded, show

STRIPE = HERE / "node_modules" / "@stripe" / "cli-linux-x64" / "bin" / "stripe"
SCENARIOS = [
    "account.updated", "coupon.created", "customer.created", "customer.deleted", "customer.updated",
    "customer.subscription.created", "customer.subscription.deleted", "customer.subscription.paused",
    "customer.subscription.trial_will_end", "customer.subscription.updated", "payment_method.attached", "price.created",
    "price.updated", "product.created", "product.deleted", "product.updated",
]
# Those that begin with something the simulator may lack.
LARGER = [
    "charge.dispute.created", "charge.failed", "charge.succeeded", "checkout.session.completed", "invoice.created",
    "invoice.finalized", "invoice.marked_uncollectible", "invoice.paid", "invoice.payment_action_required",
    "invoice.payment_failed", "invoice.voided", "payment_intent.succeeded", "plan.created", "setup_intent.succeeded",
    "subscription_schedule.created",
]


@pytest.fixture()
def trigger(recorder, tmp_path):
    """trigger(event): the finished process."""

    def run(event):
        return subprocess.run(
            [STRIPE, "trigger", event, "--api-base", f"http://{recorder.address}"], capture_output=True, text=True,
            timeout=100, env={**os.environ, "HOME": str(tmp_path), "STRIPE_API_KEY": KEY})

    return run


def wait_for(recorder, event):
    """Until there is such an event, of the platform or of an account; what the clock does comes a moment later."""
    base = f"http://{recorder.address}"

    def get(path, account):
        headers = {"authorization": f"Bearer {KEY}", **({"stripe-account": account} if account else {})}
        with urllib.request.urlopen(urllib.request.Request(base + path, headers=headers), timeout=20) as answer:
            return json.load(answer)

    accounts = [None, *(one["id"] for one in get("/v1/accounts", None)["data"])]
    sandbox_client.eventually(
        lambda: any(get(f"/v1/events?limit=1&type={event}", account)["data"] for account in accounts))


@pytest.mark.parametrize("event", SCENARIOS)
def test_a_scenario_ends_well(trigger, recorder, event):
    done = trigger(event)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    wait_for(recorder, event)


@pytest.mark.parametrize("event", LARGER)
def test_a_larger_scenario_ends_well_or_says_what_is_missing(trigger, recorder, event):
    done = trigger(event)
    said = done.stdout + done.stderr
    missing = re.search(r"The simulator does not implement [^.]*", said)
    if missing:
        pytest.skip(missing[0])
    assert done.returncode == 0, said[-3000:]
    wait_for(recorder, event)


def test_all_that_was_said_is_valid(recorder, judge, tmp_path):
    report = judge([recorded([recorder], tmp_path / "cli.jsonl")])
    assert report["checked"]["answers"] > 30
    # The tool sends what older versions took; what the simulator answers is judged, not what it was asked.
    answers = [one for one in report["violations"] if not one["what"].startswith("request ")]
    assert answers == [], show({"violations": answers})
