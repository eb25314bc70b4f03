"""A seeded random walk of a merchant, a payment side that fails, and a server that dies.

What the walk does depends on its seed and on what it was told (the answers to its calls), never on what happens to be
visible at the moment; so a seed does the same again. It keeps a book of what it was told, which invariants.py holds
against both sides."""

import collections
import dataclasses
import json
import random
import time
import uuid

import grpc
from google.protobuf import json_format

from errors import Failure
from world import wait_for

STEPS = 14
ANSWER_SECONDS = 60
PATIENT = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)
CALL_FAULTS = ("500_before", "500_after_commit", "drop_before", "drop_after_commit", "rate_limit", "lock_timeout",
               "409_in_use")
PLANS = ("basic", "pro", "trial")
CARDS = ("pm_card_visa", "pm_card_visa", "pm_card_mastercard", "pm_card_chargeDeclined",
         "pm_card_chargeDeclinedInsufficientFunds")


class Broken(AssertionError):
    """Something that must always hold did not."""


@dataclasses.dataclass
class Told:
    """A call that was answered: sent once more it must get the same answer."""
    method: str
    request: object
    answer: object


@dataclasses.dataclass
class Book:
    """What the walk was told."""
    customers: list = dataclasses.field(default_factory=list)
    subscriptions: dict = dataclasses.field(default_factory=dict)  # id -> customer id
    told: list = dataclasses.field(default_factory=list)
    usage: dict = dataclasses.field(default_factory=dict)  # customer id -> {event id: quantity}
    renewals: collections.Counter = dataclasses.field(default_factory=collections.Counter)  # by the id there
    log: list = dataclasses.field(default_factory=list)  # the steps, for whoever reads a failure


class Walk:
    def __init__(self, shop, seed: int):
        self.shop, self.org, self.seed = shop, shop.org, seed
        self.random = random.Random(seed)
        self.book = Book()

    # --- calls -----------------------------------------------------------------------------------

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def call(self, service: str, method: str, request):
        """What a good client does: the same again until there is an answer. The answer, or None when the call was
        refused for good."""
        until = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                answer = getattr(self.org.stub(service), method)(request, timeout=5)
                self.note(f"{method}: OK")
                return answer
            except grpc.RpcError as error:
                failure = Failure(error)
                again = failure.code in PATIENT or failure.reason == "REQUEST_IN_PROGRESS"
                if not again:
                    if failure.code in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN):
                        raise Broken(f"{method}: {failure}") from error
                    self.note(f"{method}: {failure.reason}")
                    return None
                if time.monotonic() > until:
                    raise Broken(f"{method} was not answered within {ANSWER_SECONDS} s: {failure}") from error
                time.sleep(0.05)

    def change(self, service: str, method: str, request):
        answer = self.call(service, method, request)
        if answer is not None:
            self.book.told.append(Told(f"{service}.{method}", request, answer))
        return answer

    def note(self, text: str):
        self.book.log.append(text)

    def fault(self, action: str, **match):
        self.org.sandbox.control("faults", {
            "action": action, "times": 1, "ms": 200, "match": {"account": self.shop.account, **match}})
        self.note(f"fault {action} {match}")

    # --- what can happen ---------------------------------------------------------------------------

    def pick(self, things):
        return things[self.random.randrange(len(things))] if things else None

    def subscription(self):
        return self.pick(sorted(self.book.subscriptions))

    def step_customer(self):
        pb = self.org.pb("customer")
        answer = self.change("customer", "CreateCustomer", pb.CreateCustomerRequest(
            customer=pb.Customer(external_customer_id=f"walk-{self.uuid()}"), request_id=self.uuid()))
        self.book.customers.append(answer.customer.customer_id)

    def step_subscribe(self):
        pb = self.org.pb("subscription")
        customer = self.pick(self.book.customers)
        answer = self.change("subscription", "CreateSubscription", pb.CreateSubscriptionRequest(
            customer_id=customer, plan_key=self.pick(PLANS), payment_method_id=self.pick(CARDS),
            request_id=self.uuid()))
        if answer is not None:
            self.book.subscriptions[answer.subscription.subscription_id] = customer

    def step_cancel(self):
        pb, target = self.org.pb("subscription"), self.subscription()
        timing = self.pick((pb.CANCEL_TIMING_NOW, pb.CANCEL_TIMING_AT_PERIOD_END))
        key = self.uuid()
        if target is not None:
            self.change("subscription", "CancelSubscription", pb.CancelSubscriptionRequest(
                subscription_id=target, timing=timing, request_id=key))

    def step_undo(self):
        pb, target, key = self.org.pb("subscription"), self.subscription(), self.uuid()
        if target is not None:
            self.change("subscription", "UndoCancelSubscription", pb.UndoCancelSubscriptionRequest(
                subscription_id=target, request_id=key))

    def step_usage(self):
        pb, customer = self.org.pb("usage"), self.pick(self.book.customers)
        events = self.book.usage.setdefault(customer, {})
        batch = {self.pick(sorted(events)) if events and self.random.random() < 0.3 else self.uuid():
                 self.random.randrange(1, 20) for _ in range(self.random.randrange(1, 8))}
        batch = {event_id: events.get(event_id, quantity) for event_id, quantity in batch.items()}
        answer = self.call("usage", "ReportUsage", pb.ReportUsageRequest(events=[
            pb.UsageEvent(event_id=event_id, source="walk", customer_id=customer, meter_key="calls",
                          quantity=quantity) for event_id, quantity in batch.items()]))
        if answer is not None:
            events.update(batch)

    def step_check(self):
        pb, customer = self.org.pb("entitlement"), self.pick(self.book.customers)
        feature = self.pick(("sso", "calls"))
        self.call("entitlement", "CheckEntitlement", pb.CheckEntitlementRequest(
            query=pb.EntitlementQuery(customer_id=customer, feature_key=feature)))

    def step_repeat(self):
        told = self.pick(self.book.told)
        if told is not None:
            self.repeat(told)

    def repeat(self, told: Told):
        service, method = told.method.split(".")
        answer = self.call(service, method, told.request)
        if answer != told.answer:
            raise Broken(f"{method} sent again got another answer:\n{told.answer}\n{answer}")

    def step_renew(self):
        """A period ends at the payment side."""
        def renew(id_):
            self.book.renewals[id_] += 1
            self.org.sandbox.control(f"subscriptions/{self.shop.account}/{id_}/renew")

        self.there("renew", renew)

    def step_cancel_there(self):
        """Somebody cancels in the payment side's own dashboard."""
        self.there("canceled there", lambda id_: self.org.sandbox.api(
            f"subscriptions/{id_}", self.shop.account, method="DELETE"))

    def there(self, what: str, act):
        target = self.subscription()
        row = self.shop.rows("SELECT stripe_subscription_id FROM subscriptions WHERE subscription_id = %s",
                             self.shop.uuid_of(target)) if target else []
        if row and row[0][0]:
            try:
                act(row[0][0])
                self.note(f"{what} {target}")
            except OSError:  # it has ended
                self.note(f"{what} {target}: refused")

    def step_card(self):
        """The customer's card is exchanged, for a bad one maybe."""
        customer, card = self.pick(self.book.customers), self.pick(CARDS)
        row = self.shop.rows("SELECT stripe_customer_id FROM customers WHERE customer_id = %s",
                             self.shop.uuid_of(customer))
        if row and row[0][0]:
            self.org.sandbox.control(f"customers/{self.shop.account}/{row[0][0]}/payment_method",
                                     {"payment_method": card})
            self.note(f"card {card}")

    def step_call_fault(self):
        self.fault(self.pick(CALL_FAULTS), path_regex="^/v1/(subscriptions|customers|invoices)")

    def step_webhook_fault(self):
        self.fault(self.pick(self.shop.webhook_faults), type="*")

    def step_kill(self):
        self.note("kill -9")
        self.shop.kill()

    STEPS = (  # name, weight
        ("customer", 6), ("subscribe", 20), ("cancel", 10), ("undo", 5), ("usage", 10), ("check", 8), ("repeat", 8),
        ("renew", 10), ("cancel_there", 4), ("card", 6), ("call_fault", 12), ("webhook_fault", 10), ("kill", 1))

    def run(self):
        names = [name for name, _ in self.STEPS]
        weights = [weight for _, weight in self.STEPS]
        self.step_customer()
        for _ in range(STEPS):
            name = self.random.choices(names, weights)[0]
            getattr(self, f"step_{name}")()
        self.org.sandbox.control("faults", method="DELETE")
        for told in self.book.told:
            self.repeat(told)

    def quiesce(self):
        """Until nothing is under way on either side."""
        def quiet():
            (pending,), = self.shop.rows(
                "SELECT (SELECT count(*) FROM intents WHERE state = 'PENDING') + (SELECT count(*) FROM dirty_objects)"
                " + (SELECT count(*) FROM webhook_inbox WHERE state = 'NEW')")
            state = self.org.sandbox.control("state", method="GET")
            return pending == 0 and state["webhooks_waiting"] == 0

        wait_for(quiet, 60, "both sides at rest")


def text_of(message) -> str:
    return json.dumps(json_format.MessageToDict(message), sort_keys=True)
