"""Pausing, trials and renewal: what each verb does on both sides, what it refuses, what a repeat gets."""

import datetime
import time

import grpc
import pytest

import world
from errors import fails
from test_crash import SECONDS, Crash
from test_subscriptions import DAY, Shop
from world import request_id, wait_for

VERBS = ["PauseCollection", "ResumeCollection", "PauseSubscription", "ResumeSubscription", "ExtendTrial", "EndTrial",
         "RenewSubscription"]


class Verbs(Shop):
    """A shop whose subscriptions stand still and go on."""

    def do(self, verb, subscription, timeout=None, **fields):
        fields.setdefault("request_id", request_id())
        behavior = fields.pop("behavior", None)
        if verb == "PauseCollection":
            fields["behavior"] = self.pb.CollectionPause.Value(f"COLLECTION_PAUSE_{behavior or 'VOID'}")
        if verb == "ExtendTrial":
            fields.setdefault("trial_end_time", self.ahead(20))
        request = getattr(self.pb, f"{verb}Request")(subscription_id=subscription.subscription_id, **fields)
        return getattr(self.stub, verb)(request, timeout=timeout).subscription

    @staticmethod
    def ahead(days=0.0, seconds=0):
        return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(
            days=days, seconds=seconds)

    def one_there(self):
        (there,) = self.there()
        return there

    def sim(self, path, body=None):
        return self.org.sandbox.control(path, body)

    def renewed_there(self):
        self.sim(f"subscriptions/{self.account}/{self.one_there()['id']}/renew")

    def declines(self, code):
        there = self.one_there()
        self.sim(f"customers/{self.account}/{there['customer']}/payment_method", {"decline": code})

    def invoices(self):
        return self.org.sandbox.api(f"invoices?subscription={self.one_there()['id']}&limit=100", self.account)["data"]

    def until(self, subscription, status):
        return wait_for(lambda: (s := self.get(subscription)) and self.status(s) == status and s, 10, status)

    def past_due(self, customer, end="unpaid"):
        """A subscription whose renewal was declined."""
        self.sim(f"accounts/{self.account}/dunning", {"retry_after_days": [3], "end": end})
        # The default of the customer is charged, so that it can be made to decline.
        made = self.create(customer, trial_days=1, payment_method_id="").subscription
        self.declines(None)
        self.do("EndTrial", made)
        self.declines("insufficient_funds")
        self.renewed_there()
        return self.until(made, "PAST_DUE")


@pytest.fixture()
def shop(org):
    return Verbs(org)


@pytest.mark.parametrize("behavior, kept", [("KEEP_AS_DRAFT", "draft"), ("MARK_UNCOLLECTIBLE", "uncollectible"),
                                            ("VOID", "void")])
def test_paused_collection_leaves_access_and_status_alone(shop, org, behavior, kept):
    customer = org.customer()
    made = shop.create(customer).subscription
    key = request_id()
    paused = shop.do("PauseCollection", made, behavior=behavior, request_id=key)
    assert shop.status(paused) == "ACTIVE"
    assert shop.pb.CollectionPause.Name(paused.collection_pause) == f"COLLECTION_PAUSE_{behavior}"
    assert not paused.HasField("collection_resume_time") and not paused.HasField("pause_time")
    assert shop.one_there()["pause_collection"] == {"behavior": kept if kept == "void" else behavior.lower(),
                                                    "resumes_at": None}
    assert org.check("sso", customer).allowed
    assert shop.do("PauseCollection", made, behavior=behavior, request_id=key) == paused

    time.sleep(1.1)  # the payment side counts in seconds
    shop.renewed_there()
    assert shop.invoices()[0]["status"] == kept
    going_on = wait_for(lambda: (s := shop.get(made)).current_period_start_time != made.current_period_start_time and s,
                        10, "the period goes on")
    assert shop.status(going_on) == "ACTIVE"

    resumed = shop.do("ResumeCollection", made)
    assert resumed.collection_pause == 0 and shop.one_there()["pause_collection"] is None
    again = shop.do("ResumeCollection", made)
    assert again.etag == resumed.etag, "it was not paused: nothing changed"
    if kept == "draft":
        draft = shop.invoices()[0]
        assert draft["auto_advance"] and draft["automatically_finalizes_at"], "it is collected later"


def test_paused_collection_has_a_date_to_resume(shop, org):
    made = shop.create(org.customer()).subscription
    until = shop.ahead(7)
    paused = shop.do("PauseCollection", made, resume_time=until)
    assert paused.collection_resume_time.seconds == int(until.timestamp())
    assert shop.one_there()["pause_collection"]["resumes_at"] == int(until.timestamp())
    later = shop.do("PauseCollection", made, resume_time=shop.ahead(9), behavior="KEEP_AS_DRAFT")
    assert later.collection_resume_time.seconds > paused.collection_resume_time.seconds


def test_a_paused_subscription_gives_no_access(shop, org):
    customer = org.customer()
    made = shop.create(customer).subscription
    key = request_id()
    paused = shop.do("PauseSubscription", made, request_id=key)
    assert shop.status(paused) == "PAUSED" and abs(paused.pause_time.seconds - time.time()) < 60
    assert not paused.HasField("resume_time") and paused.collection_pause == 0
    answer = org.check("sso", customer)
    assert not answer.allowed and org.reason(answer) == "SUBSCRIPTION_PAUSED"
    assert shop.do("PauseSubscription", made, request_id=key) == paused
    with fails("SUBSCRIPTION_STATE_INVALID", grpc.StatusCode.FAILED_PRECONDITION) as failure:
        shop.do("PauseSubscription", made)
    assert failure[0].metadata["status"] == "PAUSED" and failure[0].metadata["method"] == "PauseSubscription"

    invoices = len(shop.invoices())
    resumed = shop.do("ResumeSubscription", made)
    assert shop.status(resumed) == "ACTIVE" and not resumed.HasField("pause_time")
    assert resumed.current_period_end_time == made.current_period_end_time, "the period that was paid goes on"
    assert len(shop.invoices()) == invoices and org.check("sso", customer).allowed


def test_a_new_period_may_begin_with_the_resumption(shop, org):
    made = shop.create(org.customer()).subscription
    shop.do("PauseSubscription", made)
    time.sleep(1.1)
    resumed = shop.do("ResumeSubscription", made, start_new_period=True)
    assert shop.status(resumed) == "ACTIVE"
    assert resumed.current_period_start_time.seconds > made.current_period_start_time.seconds
    assert [i["status"] for i in shop.invoices()] == ["paid", "paid"]


def test_unused_time_is_credited_with_a_pause(shop, org):
    made = shop.create(org.customer()).subscription
    shop.do("PauseSubscription", made, credit_unused_time=True)
    balance = org.sandbox.api(f"customers/{shop.one_there()['customer']}", shop.account)["balance"]
    assert -1900 <= balance < -1890
    shop.do("ResumeSubscription", made)
    balance = org.sandbox.api(f"customers/{shop.one_there()['customer']}", shop.account)["balance"]
    assert -10 < balance <= 0, "the rest of the period is paid for again"


def test_a_pause_ends_by_itself(shop, org):
    customer = org.customer()
    made = shop.create(customer).subscription
    until = shop.ahead(seconds=3)
    paused = shop.do("PauseSubscription", made, resume_time=until)
    assert paused.resume_time.seconds == int(until.timestamp())
    assert shop.get(made).resume_time == paused.resume_time
    assert not shop.until(made, "ACTIVE").HasField("resume_time")
    assert time.time() >= until.timestamp()
    assert org.check("sso", customer).allowed and shop.one_there()["status"] == "active"


def test_a_pause_that_cannot_end_stays(shop, org):
    made = shop.create(org.customer(), trial_days=1, payment_method_id="").subscription
    shop.declines(None)
    shop.do("EndTrial", made)
    shop.declines("card_declined")
    paused = shop.do("PauseSubscription", made, credit_unused_time=True, resume_time=shop.ahead(seconds=2))
    org.sandbox.api(f"customers/{shop.one_there()['customer']}", shop.account, "POST", "balance=0")
    assert paused.HasField("resume_time")
    wait_for(lambda: not shop.get(made).HasField("resume_time"), 10, "tried once")
    assert shop.status(shop.get(made)) == "PAUSED"

    key = request_id()
    with fails("PAYMENT_DECLINED", grpc.StatusCode.FAILED_PRECONDITION) as first:
        shop.do("ResumeSubscription", made, request_id=key)
    assert first[0].metadata["decline_class"] and first[0].metadata["subscription_id"] == made.subscription_id
    open_invoices = [i for i in shop.invoices() if i["status"] == "open"]
    assert len(open_invoices) == 1, "the one that is open is paid, no second one is made"
    shop.declines(None)
    with fails("PAYMENT_DECLINED"):
        shop.do("ResumeSubscription", made, request_id=key)
    assert shop.status(shop.do("ResumeSubscription", made)) == "ACTIVE"
    assert not [i for i in shop.invoices() if i["status"] == "open"]


def test_a_trial_is_moved_and_ended(shop, org):
    customer = org.customer()
    made = shop.create(customer, trial_days=5).subscription
    key, end = request_id(), shop.ahead(20)
    moved = shop.do("ExtendTrial", made, trial_end_time=end, request_id=key)
    assert shop.status(moved) == "TRIALING" and moved.trial_end_time.seconds == int(end.timestamp())
    assert shop.one_there()["trial_end"] == int(end.timestamp())
    assert shop.do("ExtendTrial", made, trial_end_time=end, request_id=key) == moved
    with fails("FIELD_INVALID", grpc.StatusCode.INVALID_ARGUMENT, "trial_end_time"):
        shop.do("ExtendTrial", made, trial_end_time=shop.ahead(735))

    key = request_id()
    ended = shop.do("EndTrial", made, request_id=key)
    assert shop.status(ended) == "ACTIVE" and ended.trial_end_time.seconds <= time.time()
    assert [i["amount_paid"] for i in shop.invoices()] == [1900, 0]
    assert shop.do("EndTrial", made, request_id=key) == ended
    assert len(shop.invoices()) == 2
    for verb in ("EndTrial", "ExtendTrial"):
        with fails("TRIAL_NOT_RUNNING", grpc.StatusCode.FAILED_PRECONDITION) as failure:
            shop.do(verb, made)
        assert failure[0].metadata["status"] == "ACTIVE"


def test_a_trial_that_cannot_be_paid_runs_on(shop, org):
    customer = org.customer()
    made = shop.create(customer, trial_days=5, payment_method_id="").subscription
    with fails("PAYMENT_METHOD_MISSING", grpc.StatusCode.FAILED_PRECONDITION):
        shop.do("EndTrial", made)
    shop.declines("insufficient_funds")
    key = request_id()
    for _ in range(2):
        with fails("PAYMENT_DECLINED", grpc.StatusCode.FAILED_PRECONDITION) as failure:
            shop.do("EndTrial", made, request_id=key)
        assert failure[0].metadata["decline_code"] == "insufficient_funds"
        assert failure[0].metadata["decline_class"] == "FUNDS"
    assert shop.status(shop.get(made)) == "TRIALING" and shop.one_there()["status"] == "trialing"
    assert len(shop.invoices()) == 1 and org.check("sso", customer).allowed


@pytest.mark.parametrize("behavior, status", [("CANCEL", "CANCELED"), ("PAUSE", "PAUSED"),
                                              ("CREATE_INVOICE", "PAST_DUE")])
def test_the_end_of_a_trial_without_a_card(own, stubs, behavior, status):
    server, sandbox = own()
    shop = Verbs(world.Org(server, stubs, sandbox))
    customer = shop.org.customer()
    made = shop.create(
        customer, trial_days=1, payment_method_id="",
        trial_end_behavior=shop.pb.TrialEndBehavior.Value(f"TRIAL_END_BEHAVIOR_{behavior}")).subscription
    assert shop.pb.TrialEndBehavior.Name(made.trial_end_behavior) == f"TRIAL_END_BEHAVIOR_{behavior}"
    sandbox.control("clock/advance", {"seconds": DAY + 7200})
    shop.until(made, status)


def test_what_is_past_due_is_renewed(shop, org):
    customer = org.customer()
    late = shop.past_due(customer)
    key = request_id()
    for _ in range(2):
        with fails("PAYMENT_DECLINED", grpc.StatusCode.FAILED_PRECONDITION) as failure:
            shop.do("RenewSubscription", late, request_id=key)
        assert failure[0].metadata["decline_class"] == "FUNDS"
    shop.declines(None)
    with fails("PAYMENT_DECLINED"):
        shop.do("RenewSubscription", late, request_id=key)
    key = request_id()
    renewed = shop.do("RenewSubscription", late, request_id=key)
    assert shop.status(renewed) == "ACTIVE" and not renewed.HasField("past_due_time")
    assert shop.do("RenewSubscription", late, request_id=key) == renewed
    assert {i["status"] for i in shop.invoices()} == {"paid"}
    with fails("SUBSCRIPTION_STATE_INVALID"):
        shop.do("RenewSubscription", late)


def test_another_card_renews_and_is_kept(shop, org):
    late = shop.past_due(org.customer())
    with fails("PAYMENT_METHOD_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        shop.do("RenewSubscription", late, payment_method_id="pm_nobody")
    with fails("PAYMENT_DECLINED"):
        shop.do("RenewSubscription", late, payment_method_id="pm_card_chargeCustomerFail")
    assert shop.one_there()["default_payment_method"] is None, "a card that was declined is not kept"
    shop.declines(None)
    renewed = shop.do("RenewSubscription", late, payment_method_id="pm_card_mastercard")
    assert shop.status(renewed) == "ACTIVE" and shop.one_there()["default_payment_method"]


def test_what_stands_still_unpaid_is_renewed(own, stubs):
    server, sandbox = own()
    shop = Verbs(world.Org(server, stubs, sandbox))
    customer = shop.org.customer()
    late = shop.past_due(customer)
    sandbox.control("clock/advance", {"seconds": 4 * DAY})
    shop.until(late, "UNPAID")
    answer = shop.org.check("sso", customer)
    assert not answer.allowed and shop.org.reason(answer) == "PAYMENT_OVERDUE"
    shop.declines(None)
    assert shop.status(shop.do("RenewSubscription", late)) == "ACTIVE"
    wait_for(lambda: shop.org.check("sso", customer).allowed, 5, "access")


@pytest.mark.parametrize("verb, fields, field", [
    ("PauseCollection", {"resume_time": datetime.datetime(2020, 1, 1)}, "resume_time"),
    ("PauseSubscription", {"resume_time": datetime.datetime(2020, 1, 1)}, "resume_time"),
    ("PauseSubscription", {"timing": 9}, "timing"),
    ("ExtendTrial", {"trial_end_time": datetime.datetime(2020, 1, 1)}, "trial_end_time"),
    ("RenewSubscription", {"payment_method_id": "pm/../1"}, "payment_method_id"),
])
def test_a_wrong_field_is_named(shop, org, verb, fields, field):
    made = shop.create(org.customer()).subscription
    before = shop.get(made)
    with fails("FIELD_INVALID", grpc.StatusCode.INVALID_ARGUMENT, field):
        shop.do(verb, made, **fields)
    assert shop.get(made).etag == before.etag


def test_a_required_field_is_named(shop, org):
    made = shop.create(org.customer(), trial_days=3).subscription
    with fails("FIELD_INVALID", field="behavior"):
        shop.stub.PauseCollection(shop.pb.PauseCollectionRequest(subscription_id=made.subscription_id))
    with fails("FIELD_INVALID", field="trial_end_time"):
        shop.stub.ExtendTrial(shop.pb.ExtendTrialRequest(subscription_id=made.subscription_id))
    for verb in VERBS:
        with fails("FIELD_INVALID", field="subscription_id"):
            getattr(shop.stub, verb)(getattr(shop.pb, f"{verb}Request")(subscription_id="sub_x"))


@pytest.mark.parametrize("verb", VERBS)
def test_the_object_must_be_ours_current_and_alive(shop, org, org2, verb):
    made = shop.create(org.customer(), trial_days=3 if "Trial" in verb else 0).subscription
    with fails("ETAG_MISMATCH", grpc.StatusCode.ABORTED):
        shop.do(verb, made, etag="99")
    request = getattr(shop.pb, f"{verb}Request")(subscription_id=made.subscription_id)
    if verb == "PauseCollection":
        request.behavior = shop.pb.COLLECTION_PAUSE_VOID
    if verb == "ExtendTrial":
        request.trial_end_time.FromDatetime(shop.ahead(20))
    with fails("SUBSCRIPTION_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        getattr(org2.stub("subscription"), verb)(request)
    shop.cancel(made, "NOW")
    there = shop.one_there()
    with fails("TRIAL_NOT_RUNNING" if "Trial" in verb else "SUBSCRIPTION_STATE_INVALID",
               grpc.StatusCode.FAILED_PRECONDITION):
        shop.do(verb, made)
    assert shop.one_there() == there


@pytest.mark.parametrize("point", ["claimed", "called", "settling", "settled"])
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_that_was_cut_short_is_settled(own, stubs, verb, point):
    crash = Crash(own, stubs)
    shop = Verbs(crash.org)
    customer = crash.org.customer()
    if verb == "RenewSubscription":
        made = shop.past_due(customer)
        shop.declines(None)
    else:
        made = shop.create(customer, trial_days=3 if "Trial" in verb else 0).subscription
    if verb == "ResumeCollection":
        shop.do("PauseCollection", made)
    if verb == "ResumeSubscription":
        shop.do("PauseSubscription", made)
    fields = {"request_id": request_id()}
    if verb == "PauseSubscription":
        fields["resume_time"] = shop.ahead(9)
    if verb == "ExtendTrial":
        fields["trial_end_time"] = shop.ahead(9)
    invoices = len(shop.invoices())
    crash.at(f"subscription_verb.{point}", lambda: shop.do(verb, made, timeout=SECONDS, **fields))

    answer = shop.do(verb, made, **fields)
    assert shop.do(verb, made, **fields) == answer
    wanted = {"PauseSubscription": "PAUSED", "ExtendTrial": "TRIALING"}.get(verb, "ACTIVE")
    assert shop.status(answer) == wanted == shop.one_there()["status"].upper()
    assert answer.HasField("resume_time") == (verb == "PauseSubscription")
    assert crash.rows("SELECT state FROM intents WHERE request_id = %s", fields["request_id"]) == [("DONE",)]
    assert len(shop.invoices()) == invoices + (verb == "EndTrial"), "nothing is charged twice"
