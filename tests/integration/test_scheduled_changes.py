"""Changes that wait for the end of the period: they happen with it, are listed until then, and can be taken back."""

import grpc
import pytest

from errors import fails
from test_subscription_changes import DAY, Changes
from world import request_id, wait_for


class Scheduled(Changes):
    def schedule(self, subscription, **wish):
        wish.setdefault("timing", "AT_PERIOD_END")
        return self.change(subscription, **wish)

    def waiting(self, subscription=None):
        return list(self.stub.ListScheduledChanges(self.pb.ListScheduledChangesRequest(
            subscription_id=subscription.subscription_id if subscription else "")).scheduled_changes)

    def take_back(self, subscription, change, key=None, timeout=None):
        return self.stub.CancelScheduledChange(self.pb.CancelScheduledChangeRequest(
            subscription_id=subscription.subscription_id, scheduled_change_id=change.scheduled_change_id,
            request_id=key or request_id()), timeout=timeout).subscription


@pytest.fixture()
def shop(own, stubs):
    from world import Org
    server, sandbox = own()
    return Scheduled(Org(server, stubs, sandbox))


@pytest.mark.parametrize("wish, total", [
    ({"plan_key": "small", "timing": "UNSPECIFIED"}, 3 * 900), ({"quantity": 1, "timing": "UNSPECIFIED"}, 1900),
    ({"plan_key": "large"}, 3 * 4900), ({"interval": 4}, 3 * 19000),
], ids=["down", "fewer", "up", "year"])
def test_it_happens_when_the_period_turns(shop, wish, total):
    made = shop.subscribe(quantity=3)
    answer = shop.schedule(made, **wish)
    change = answer.scheduled_change
    assert change.scheduled_change_id.startswith("sch_") and change.actor.actor_id
    assert change.effective_time == made.current_period_end_time
    assert change.change.quantity == wish.get("quantity", 3)
    assert [(i.plan_key, i.quantity) for i in answer.subscription.items] == [("medium", 3)]
    assert shop.waiting(made) == shop.waiting() == [change]
    assert len(shop.invoices(made)) == 1

    left = made.current_period_end_time.seconds - made.current_period_start_time.seconds
    shop.pass_time(left - 60)
    assert shop.their(made)["items"]["data"][0]["quantity"] == 3 and shop.get(made).plan_key == "medium"
    shop.pass_time(120 + 3700)  # and the hour of the draft
    turned = wait_for(lambda: (s := shop.get(made)).current_period_start_time == made.current_period_end_time and s,
                      20, "the new period is mirrored")
    assert (turned.plan_key, turned.items[0].quantity) == (wish.get("plan_key", "medium"), wish.get("quantity", 3))
    assert shop.waiting() == []
    renewal = shop.invoices(made)[0]
    assert (renewal["billing_reason"], renewal["total"]) == ("subscription_cycle", total)
    assert shop.their(made)["schedule"], "for one more day"
    shop.pass_time(2 * DAY)
    assert shop.their(made)["schedule"] is None
    assert (shop.status(shop.get(made)), len(shop.invoices(made))) == ("ACTIVE", 2)


def test_it_can_be_taken_back(shop):
    made, key = shop.subscribe(), request_id()
    change = shop.schedule(made, plan_key="small").scheduled_change
    other = shop.subscribe()
    for wrong in (other, made):
        with fails("SCHEDULED_CHANGE_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
            shop.take_back(wrong, change if wrong is other else shop.pb.ScheduledChange(
                scheduled_change_id="sch_01J8Z0K3V9QHXXXXXXXXXXXXXX"[:30]))
    kept = shop.take_back(made, change, key)
    assert kept.plan_key == "medium" and shop.take_back(made, change, key) == kept
    assert shop.waiting() == [] and shop.their(made)["schedule"] is None
    with fails("SCHEDULED_CHANGE_NOT_FOUND"):
        shop.take_back(made, change)
    shop.pass_time(32 * DAY)
    assert shop.their(made)["items"]["data"][0]["price"]["unit_amount"] == 1900
    assert shop.change(made, quantity=2).subscription.items[0].quantity == 2, "and others can follow"


def test_one_waits_at_a_time(shop):
    made = shop.subscribe()
    change = shop.schedule(made, plan_key="small").scheduled_change
    for timing in ("NOW", "AT_PERIOD_END"):
        with fails("SCHEDULED_CHANGE_EXISTS", grpc.StatusCode.ALREADY_EXISTS) as failure:
            shop.change(made, quantity=2, timing=timing)
        assert failure[0].metadata["scheduled_change_id"] == change.scheduled_change_id
    assert shop.waiting(made) == [change]


def test_what_ends_has_nothing_to_wait_for(shop):
    made = shop.subscribe()
    shop.schedule(made, plan_key="small")
    assert shop.cancel(made).cancel_at_period_end, "the end takes the place of the change"
    assert shop.waiting() == []
    with fails("SUBSCRIPTION_STATE_INVALID"):
        shop.schedule(made, plan_key="small")

    other = shop.subscribe()
    shop.schedule(other, plan_key="small")
    assert shop.status(shop.cancel(other, "NOW")) == "CANCELED"
    assert shop.waiting() == []


def test_an_end_on_the_day_after_the_turn(shop):
    made = shop.subscribe()
    shop.schedule(made, plan_key="small")
    shop.pass_time(made.current_period_end_time.seconds - made.current_period_start_time.seconds + 60)
    wait_for(lambda: shop.get(made).plan_key == "small", 20, "the new period is mirrored")
    assert shop.their(made)["schedule"]
    assert shop.cancel(made).cancel_at_period_end and shop.their(made)["schedule"] is None


def test_a_preview_of_the_next_period(shop):
    made = shop.subscribe()
    preview = shop.preview(made, plan_key="small", timing="UNSPECIFIED")
    assert (preview.due_now.minor_units, preview.credit.minor_units, list(preview.lines)) == (0, 0, [])
    assert preview.next_invoice_total.minor_units == 900
    assert preview.effective_time == preview.next_invoice_time == made.current_period_end_time
    change = shop.change(made, preview_id=preview.preview_id).scheduled_change
    assert change.effective_time == preview.effective_time


def test_pages_and_strangers(shop, org2):
    made = [shop.subscribe() for _ in range(3)]
    ids = [shop.schedule(s, plan_key="small").scheduled_change.scheduled_change_id for s in made]
    seen, token = [], ""
    while True:
        page = shop.stub.ListScheduledChanges(shop.pb.ListScheduledChangesRequest(page_size=2, page_token=token))
        seen += [c.scheduled_change_id for c in page.scheduled_changes]
        token = page.next_page_token
        if not token:
            break
    assert sorted(seen) == sorted(ids)
    stranger = org2.stub("subscription")
    with fails("SUBSCRIPTION_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        stranger.ListScheduledChanges(shop.pb.ListScheduledChangesRequest(subscription_id=made[0].subscription_id))
    with fails("SUBSCRIPTION_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        stranger.CancelScheduledChange(shop.pb.CancelScheduledChangeRequest(
            subscription_id=made[0].subscription_id, scheduled_change_id=ids[0], request_id=request_id()))
