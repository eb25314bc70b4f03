"""The whole story, as a merchant lives it: connect, publish, subscribe, check, use up, fail to pay."""

import queue
import threading
import time

from world import request_id, wait_for


class Feed:
    """A subscriber of the stream, with the times at which events arrived."""

    def __init__(self, org, **request):
        pb = org.pb("insights")
        self.types = pb.BillingEventType
        self.call = org.stub("insights").WatchInsights(pb.WatchInsightsRequest(**request))
        self.got = queue.Queue()
        first = next(self.call)
        assert first.WhichOneof("message") == "ready", first
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            for message in self.call:
                self.got.put((time.monotonic(), message))
        except Exception as error:  # the end of the stream
            self.got.put((time.monotonic(), error))

    def expect(self, name: str, seconds: float = 1.0):
        """The next event of this type, which must come within a second; others are passed over."""
        wanted = self.types.Value(f"BILLING_EVENT_TYPE_{name}")
        end = time.monotonic() + seconds
        passed = []
        while True:
            try:
                _, message = self.got.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {name} within {seconds} s; came: {passed}") from None
            if isinstance(message, Exception):
                raise message
            if message.WhichOneof("message") == "event":
                if message.event.type == wanted:
                    return message
                passed.append(self.types.Name(message.event.type))

    def close(self):
        self.call.cancel()


def test_from_the_first_plan_to_a_failed_payment(org, sandbox):
    pb = org.pb("subscription")
    account = org.connect_account()

    org.meter("api_calls")
    org.feature("api_calls", "METERED", meter_key="api_calls")
    org.feature("sso")
    catalog = org.pb("catalog")
    org.plan("pro", [org.limit("api_calls", 100), catalog.PlanFeature(feature_key="sso")])
    customer = org.customer(email="buyer@example.com", name="Buyer")
    assert org.reason(org.check("api_calls", customer)) == "NO_ACTIVE_SUBSCRIPTION"

    feed = Feed(org)
    subscription = org.subscribe(customer, "pro")
    assert subscription.status == pb.SUBSCRIPTION_STATUS_ACTIVE, subscription
    feed.expect("SUBSCRIPTION_ACTIVATED")
    feed.expect("ENTITLEMENTS_CHANGED")

    answer = org.check("api_calls", customer)
    assert answer.allowed and answer.balance.limit == 100 and answer.balance.remaining == 100, answer
    assert answer.provenance.subscription_id == subscription.subscription_id
    assert org.check("sso", customer).allowed

    org.report(("one", customer.customer_id, "api_calls", 60))
    assert org.check("api_calls", customer).balance.used == 60
    org.report(("two", customer.customer_id, "api_calls", 40))
    reached = feed.expect("USAGE_LIMIT_REACHED").event
    assert reached.usage_threshold.feature_key == "api_calls"
    denied = org.check("api_calls", customer)
    assert not denied.allowed and org.reason(denied) == "USAGE_LIMIT_REACHED"
    assert denied.balance.remaining == 0 and denied.retry_time.seconds == denied.balance.reset_time.seconds

    stripe_id = sandbox.api("subscriptions?status=all", account)["data"][0]["id"]
    stripe_customer = sandbox.api("customers", account)["data"][0]["id"]
    sandbox.control(f"customers/{account}/{stripe_customer}/payment_method", {"decline": "insufficient_funds"})
    sandbox.control(f"subscriptions/{account}/{stripe_id}/renew")
    failed = feed.expect("PAYMENT_FAILED", 3).event
    assert failed.customer_id == customer.customer_id

    grace = wait_for(lambda: (a := org.check("sso", customer)) and org.reason(a) == "GRANTED_GRACE" and a, 5, "grace")
    assert grace.allowed
    got = org.stub("subscription").GetSubscription(
        pb.GetSubscriptionRequest(subscription_id=subscription.subscription_id)).subscription
    assert got.status == pb.SUBSCRIPTION_STATUS_PAST_DUE

    sandbox.control(f"customers/{account}/{stripe_customer}/payment_method", {"decline": None})
    org.stub("subscription").CancelSubscription(pb.CancelSubscriptionRequest(
        subscription_id=subscription.subscription_id, timing=pb.CHANGE_TIMING_NOW, request_id=request_id()))
    feed.expect("SUBSCRIPTION_CANCELED", 3)
    assert org.reason(org.check("sso", customer)) == "NO_ACTIVE_SUBSCRIPTION"
    feed.close()


def test_a_stream_resumes_without_loss_or_repeat(org):
    feed = Feed(org)
    org.customer()
    token = feed.expect("CUSTOMER_CREATED").resume_token
    feed.close()
    made = [org.customer().customer_id for _ in range(5)]
    pb = org.pb("insights")
    call = org.stub("insights").WatchInsights(pb.WatchInsightsRequest(resume_token=token))
    seen = [next(call).event for _ in range(5)]
    assert [event.customer_id for event in seen] == made
    assert [event.sequence for event in seen] == list(range(seen[0].sequence, seen[0].sequence + 5))
    assert next(call).WhichOneof("message") == "ready"
    call.cancel()
