"""Invoices: what the mirror says about them, and what is done with them."""

import concurrent.futures

import grpc
import pytest

from errors import Failure, fails
from test_subscriptions import Shop
from world import request_id, wait_for


class Books(Shop):
    """A shop and the invoices of its customers."""

    def __init__(self, org):
        super().__init__(org)
        self.ipb = org.pb("invoice")

    @property
    def invoices(self):
        return self.org.stub("invoice")

    def invoice(self, invoice_id):
        return self.invoices.GetInvoice(self.ipb.GetInvoiceRequest(invoice_id=invoice_id)).invoice

    def list_invoices(self, **fields):
        return self.invoices.ListInvoices(self.ipb.ListInvoicesRequest(**fields))

    def attempts(self, **fields):
        return list(self.invoices.ListPaymentAttempts(self.ipb.ListPaymentAttemptsRequest(**fields)).payment_attempts)

    def invoice_status(self, invoice) -> str:
        return self.ipb.InvoiceStatus.Name(invoice.status).removeprefix("INVOICE_STATUS_")

    def attempt_state(self, attempt) -> str:
        return self.ipb.PaymentAttemptState.Name(attempt.state).removeprefix("PAYMENT_ATTEMPT_STATE_")

    def invoice_of(self, subscription, status="PAID", seconds=10):
        """The newest invoice of the subscription, once it has the status."""
        return wait_for(lambda: next(iter(self.list_invoices(
            subscription_id=subscription.subscription_id,
            statuses=[self.ipb.InvoiceStatus.Value(f"INVOICE_STATUS_{status}")]).invoices), None), seconds,
            f"an invoice that is {status}")

    def open_invoice(self, customer, decline="insufficient_funds"):
        """An invoice that could not be collected at the renewal, and its subscription."""
        made = self.create(customer).subscription
        there = next(s for s in self.there() if s["metadata"]["billingos_id"] == made.subscription_id)
        self.org.sandbox.control(f"customers/{self.account}/{there['customer']}/payment_method", {"decline": decline})
        self.org.sandbox.control(f"subscriptions/{self.account}/{there['id']}/renew")
        return self.invoice_of(made, "OPEN"), made

    def heal(self, invoice):
        """Cards of the customer are not declined any more."""
        there = self.invoice_there(invoice.number)["customer"]
        self.org.sandbox.control(f"customers/{self.account}/{there}/payment_method", {"decline": None})

    def act(self, verb, invoice, key=None, **fields):
        request = getattr(self.ipb, f"{verb}Request")
        return getattr(self.invoices, verb)(request(
            invoice_id=invoice.invoice_id, request_id=key or request_id(), **fields)).invoice

    def refund(self, invoice, minor_units=None, key=None, currency="EUR", **fields):
        if minor_units is not None:
            fields["amount"] = self.common.Money(minor_units=minor_units, currency_code=currency)
        return self.invoices.CreateRefund(self.ipb.CreateRefundRequest(
            invoice_id=invoice.invoice_id, request_id=key or request_id(), **fields)).refund

    def refunds(self, **fields):
        return list(self.invoices.ListRefunds(self.ipb.ListRefundsRequest(**fields)).refunds)

    def refunds_there(self):
        return self.org.sandbox.api("refunds?limit=100", self.account)["data"]

    def invoice_there(self, number):
        return next(i for i in self.org.sandbox.api("invoices?limit=100", self.account)["data"]
                    if i["number"] == number)


@pytest.fixture()
def books(org):
    return Books(org)


def test_an_invoice_says_what_the_payment_side_says(books):
    customer = books.org.customer()
    made = books.create(customer).subscription
    invoice = books.invoice(books.invoice_of(made).invoice_id)
    there = books.invoice_there(invoice.number)
    assert (invoice.customer_id, invoice.subscription_id) == (customer.customer_id, made.subscription_id)
    assert invoice.billing_reason == books.ipb.BILLING_REASON_SUBSCRIPTION_CREATE
    for ours, theirs in (("subtotal", "subtotal"), ("total", "total"), ("amount_due", "amount_due"),
                         ("amount_paid", "amount_paid"), ("amount_remaining", "amount_remaining")):
        assert getattr(invoice, ours).minor_units == there[theirs], ours
        assert getattr(invoice, ours).currency_code == "EUR"
    assert invoice.amount_refunded.minor_units == 0
    assert (invoice.hosted_url, invoice.pdf_url) == (there["hosted_invoice_url"], there["invoice_pdf"])
    assert invoice.pay_time.seconds == there["status_transitions"]["paid_at"]
    assert invoice.finalize_time.seconds == there["status_transitions"]["finalized_at"]
    assert not invoice.HasField("void_time") and not invoice.HasField("last_failure")
    (line,) = invoice.lines
    (line_there,) = there["lines"]["data"]
    assert (line.description, line.quantity) == (line_there["description"], line_there["quantity"])
    assert line.amount.minor_units == line_there["amount"]
    assert line.period.start_time.seconds == line_there["period"]["start"]
    assert (line.price_id, line.subscription_item_id) == (made.items[0].price_id, made.items[0].item_id)
    assert not line.proration and not invoice.more_lines
    assert not books.list_invoices().invoices[0].lines, "lists leave the lines out"


def test_lists_of_invoices_are_narrowed_and_paged(books):
    first, second = books.org.customer(), books.org.customer()
    subscriptions = [books.create(first).subscription, books.create(second).subscription]
    wait_for(lambda: len(books.list_invoices().invoices) == 2, 10, "both invoices")

    everything = list(books.list_invoices().invoices)
    assert everything == sorted(everything, key=lambda i: (i.create_time.ToNanoseconds(), i.invoice_id), reverse=True)
    page = books.list_invoices(page_size=1)
    rest = books.list_invoices(page_size=1, page_token=page.next_page_token)
    assert [i.invoice_id for i in (*page.invoices, *rest.invoices)] == [i.invoice_id for i in everything]
    assert not rest.next_page_token
    assert [i.customer_id for i in books.list_invoices(customer_id=first.customer_id).invoices] == [first.customer_id]
    assert [i.customer_id for i in books.list_invoices(
        external_customer_id=second.external_customer_id).invoices] == [second.customer_id]
    assert len(books.list_invoices(subscription_id=subscriptions[0].subscription_id).invoices) == 1
    assert len(books.list_invoices(statuses=[books.ipb.INVOICE_STATUS_PAID]).invoices) == 2
    assert not books.list_invoices(statuses=[books.ipb.INVOICE_STATUS_OPEN]).invoices
    with fails("PAGE_TOKEN_INVALID", grpc.StatusCode.INVALID_ARGUMENT):
        books.list_invoices(page_size=1, page_token=page.next_page_token, customer_id=first.customer_id)
    with fails("CUSTOMER_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        books.list_invoices(external_customer_id="nobody")
    with fails("FIELD_INVALID", grpc.StatusCode.INVALID_ARGUMENT):
        books.list_invoices(statuses=[99])


def test_each_try_to_collect_is_told_with_what_can_be_done(books):
    customer = books.org.customer()
    invoice, made = books.open_invoice(customer)
    (attempt,) = wait_for(lambda: books.attempts(invoice_id=invoice.invoice_id), 10, "the try")
    common = books.org.pb("common")
    assert books.attempt_state(attempt) == "FAILED"
    assert (attempt.attempt_number, attempt.amount.minor_units) == (1, invoice.amount_due.minor_units)
    assert (attempt.customer_id, attempt.subscription_id) == (customer.customer_id, made.subscription_id)
    assert (attempt.failure.decline_code, attempt.failure.decline_class) == (
        "insufficient_funds", common.DECLINE_CLASS_FUNDS)
    assert "another payment method" in attempt.failure.message
    assert attempt.failure.action_url == invoice.hosted_url
    assert (attempt.payment_method.brand, len(attempt.payment_method.last4)) == ("visa", 4)
    assert invoice.last_failure.decline_code == "insufficient_funds"

    wait_for(lambda: len(books.attempts(customer_id=customer.customer_id)) == 2, 10, "the first payment too")
    page = books.invoices.ListPaymentAttempts(books.ipb.ListPaymentAttemptsRequest(page_size=1))
    rest = books.invoices.ListPaymentAttempts(books.ipb.ListPaymentAttemptsRequest(
        page_size=1, page_token=page.next_page_token))
    assert {books.attempt_state(a) for a in (*page.payment_attempts, *rest.payment_attempts)} == {"FAILED", "SUCCEEDED"}
    assert books.attempts(state=books.ipb.PAYMENT_ATTEMPT_STATE_FAILED) == [attempt]


def test_a_payment_that_waits_for_the_customer_is_a_try(books):
    made = books.create(books.org.customer(), payment_method_id="pm_card_authenticationRequired",
                        payment_behavior=books.pb.PAYMENT_BEHAVIOR_ALLOW_INCOMPLETE).subscription
    invoice = books.invoice_of(made, "OPEN")
    (attempt,) = wait_for(lambda: books.attempts(invoice_id=invoice.invoice_id), 10, "the try")
    assert books.attempt_state(attempt) == "ACTION_REQUIRED" and not attempt.HasField("failure")
    there = books.org.sandbox.api("payment_intents?limit=1", books.account)["data"][0]
    books.org.sandbox.control(f"payment_intents/{books.account}/{there['id']}/authenticate", {"succeed": True})
    (paid,) = wait_for(lambda: [a for a in books.attempts(invoice_id=invoice.invoice_id)
                                if books.attempt_state(a) == "SUCCEEDED"], 10, "paid")
    assert paid.payment_attempt_id == attempt.payment_attempt_id


def test_another_organisation_knows_none_of_it(books, org2):
    invoice = books.invoice_of(books.create(books.org.customer()).subscription)
    stub, pb = org2.stub("invoice"), org2.pb("invoice")
    with fails("INVOICE_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        stub.GetInvoice(pb.GetInvoiceRequest(invoice_id=invoice.invoice_id))
    with fails("INVOICE_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        stub.ListPaymentAttempts(pb.ListPaymentAttemptsRequest(invoice_id=invoice.invoice_id))
    with fails("CUSTOMER_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        stub.ListInvoices(pb.ListInvoicesRequest(customer_id=invoice.customer_id))
    assert not stub.ListInvoices(pb.ListInvoicesRequest()).invoices


def test_an_open_invoice_is_paid_once(books):
    invoice, made = books.open_invoice(books.org.customer())
    key = request_id()
    books.heal(invoice)
    paid = books.act("PayInvoice", invoice, key, payment_method_id="pm_card_visa")
    assert books.invoice_status(paid) == "PAID" and paid.amount_remaining.minor_units == 0
    assert paid.amount_paid.minor_units == invoice.amount_due.minor_units and not paid.HasField("last_failure")
    assert books.act("PayInvoice", invoice, key, payment_method_id="pm_card_visa") == paid
    assert books.invoice_there(invoice.number)["status"] == "paid"
    with fails("INVOICE_STATE_INVALID", grpc.StatusCode.FAILED_PRECONDITION) as failure:
        books.act("PayInvoice", invoice)
    assert failure[0].metadata == {"invoice_id": invoice.invoice_id, "status": "PAID"}
    with fails("IDEMPOTENCY_KEY_REUSED"):
        books.act("PayInvoice", invoice, key)
    wait_for(lambda: [books.attempt_state(a) for a in books.attempts(invoice_id=invoice.invoice_id)] == [
        "SUCCEEDED", "FAILED"], 10, "both tries")
    wait_for(lambda: books.status(books.get(made)) == "ACTIVE", 10, "the subscription recovers")


def test_a_decline_is_told_with_what_the_customer_can_do(books):
    invoice, _ = books.open_invoice(books.org.customer())
    key = request_id()
    for _ in range(2):
        with fails("PAYMENT_DECLINED", grpc.StatusCode.FAILED_PRECONDITION) as failure:
            books.act("PayInvoice", invoice, key)
        assert failure[0].metadata == {"decline_code": "insufficient_funds", "decline_class": "FUNDS",
                                       "invoice_id": invoice.invoice_id}
        assert "another payment method" in failure[0].message and "tripe" not in failure[0].message
    tries = wait_for(lambda: (a := books.attempts(invoice_id=invoice.invoice_id)) and len(a) == 2 and a, 10, "two tries")
    assert {a.failure.decline_code for a in tries} == {"insufficient_funds"}
    with fails("PAYMENT_METHOD_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        books.act("PayInvoice", invoice, payment_method_id="pm_nothing")
    assert books.invoice_there(invoice.number)["status"] == "open"


def test_a_payment_that_must_be_confirmed_says_where(books):
    invoice, _ = books.open_invoice(books.org.customer())
    books.heal(invoice)
    with fails("PAYMENT_ACTION_REQUIRED", grpc.StatusCode.FAILED_PRECONDITION) as failure:
        books.act("PayInvoice", invoice, payment_method_id="pm_card_authenticationRequired")
    assert failure[0].metadata == {"action_url": invoice.hosted_url, "invoice_id": invoice.invoice_id}


def test_an_invoice_is_paid_elsewhere_voided_or_written_off(books):
    invoice, _ = books.open_invoice(books.org.customer())
    there = len(books.org.sandbox.api("charges?limit=100", books.account)["data"])
    paid = books.act("PayInvoice", invoice, paid_elsewhere=True)
    assert books.invoice_status(paid) == "PAID"
    assert len(books.org.sandbox.api("charges?limit=100", books.account)["data"]) == there, "nothing was charged"
    with fails("FIELD_INVALID", field="payment_method_id"):
        books.act("PayInvoice", invoice, paid_elsewhere=True, payment_method_id="pm_card_visa")

    invoice, _ = books.open_invoice(books.org.customer())
    written_off = books.act("MarkInvoiceUncollectible", invoice, note="gave up")
    assert books.invoice_status(written_off) == "UNCOLLECTIBLE"
    with fails("INVOICE_STATE_INVALID"):
        books.act("MarkInvoiceUncollectible", invoice)
    voided = books.act("VoidInvoice", invoice, note="never mind")
    assert books.invoice_status(voided) == "VOID" and voided.HasField("void_time")
    assert books.invoice_status(books.act("VoidInvoice", invoice)) == "VOID", "it is void already"
    assert books.invoice_there(invoice.number)["status"] == "void"
    with fails("FIELD_INVALID", field="note"):
        books.act("VoidInvoice", invoice, note="x" * 2001)
    for verb in ("PayInvoice", "SendInvoice", "FinalizeInvoice", "MarkInvoiceUncollectible"):
        with fails("INVOICE_STATE_INVALID"):
            books.act(verb, invoice)


def test_an_invoice_to_be_sent_is_sent_again(books):
    made = books.create(books.org.customer(), collection_method=books.pb.COLLECTION_METHOD_INVOICE, days_until_due=14,
                        payment_method_id="").subscription
    there = wait_for(lambda: [i for i in books.org.sandbox.api("invoices?limit=100", books.account)["data"]], 10, "made")[0]
    if there["status"] == "draft":
        draft = books.invoice_of(made, "DRAFT")
        assert not draft.hosted_url
        assert books.invoice_status(books.act("FinalizeInvoice", draft)) == "OPEN"
    invoice = books.invoice_of(made, "OPEN")
    assert invoice.hosted_url and invoice.pdf_url and invoice.HasField("due_time")
    sent = books.act("SendInvoice", invoice)
    assert sent.invoice_id == invoice.invoice_id and books.invoice_status(sent) == "OPEN"
    assert books.org.sandbox.api("events?type=invoice.sent", books.account)["data"]


def test_a_lost_answer_is_settled_and_charged_once(books):
    invoice, _ = books.open_invoice(books.org.customer())
    key = request_id()
    books.heal(invoice)
    with books.answers_lost("/v1/invoices/.*/pay"):
        with fails("OUTCOME_PENDING", grpc.StatusCode.UNAVAILABLE):
            books.act("PayInvoice", invoice, key, payment_method_id="pm_card_visa")
    wait_for(lambda: books.invoice_status(books.invoice(invoice.invoice_id)) == "PAID", 20, "settled")
    assert books.invoice_status(books.act("PayInvoice", invoice, key, payment_method_id="pm_card_visa")) == "PAID"
    charges = [c for c in books.org.sandbox.api("charges?limit=100", books.account)["data"] if c["paid"]]
    assert len(charges) == 2, "the first invoice and this one"


def test_money_is_paid_back_up_to_what_was_paid(books):
    customer = books.org.customer()
    invoice = books.invoice_of(books.create(customer).subscription)
    key = request_id()
    first = books.refund(invoice, 500, key, reason=books.ipb.CREDIT_NOTE_REASON_ORDER_CHANGE)
    assert first.state == books.ipb.REFUND_STATE_SUCCEEDED and first.amount.minor_units == 500
    assert (first.invoice_id, first.customer_id) == (invoice.invoice_id, customer.customer_id)
    assert first.reason == books.ipb.CREDIT_NOTE_REASON_ORDER_CHANGE
    assert books.refund(invoice, 500, key, reason=books.ipb.CREDIT_NOTE_REASON_ORDER_CHANGE) == first
    assert books.invoice(invoice.invoice_id).amount_refunded.minor_units == 500
    with fails("REFUND_TOO_LARGE", grpc.StatusCode.FAILED_PRECONDITION) as failure:
        books.refund(invoice, 1401)
    assert failure[0].metadata == {"invoice_id": invoice.invoice_id, "amount": "1401", "refundable": "1400"}
    rest = books.refund(invoice)
    assert rest.amount.minor_units == 1400
    with fails("REFUND_TOO_LARGE"):
        books.refund(invoice)
    assert sorted(r["amount"] for r in books.refunds_there()) == [500, 1400]
    assert {r["metadata"]["billingos_id"] for r in books.refunds_there()} == {first.refund_id, rest.refund_id}

    assert {r.refund_id for r in books.refunds(invoice_id=invoice.invoice_id)} == {first.refund_id, rest.refund_id}
    assert len(books.refunds(customer_id=customer.customer_id, state=books.ipb.REFUND_STATE_SUCCEEDED)) == 2
    assert not books.refunds(state=books.ipb.REFUND_STATE_FAILED)
    wait_for(lambda: books.invoices.GetRefund(books.ipb.GetRefundRequest(
        refund_id=first.refund_id)).refund.payment_attempt_id, 10, "its payment")
    (attempt,) = books.attempts(invoice_id=invoice.invoice_id)
    assert {r.payment_attempt_id for r in books.refunds()} == {attempt.payment_attempt_id}


def test_what_cannot_be_paid_back_is_refused(books, org2):
    invoice = books.invoice_of(books.create(books.org.customer()).subscription)
    with fails("CURRENCY_MISMATCH", grpc.StatusCode.INVALID_ARGUMENT):
        books.refund(invoice, 100, currency="USD")
    for amount in (0, -5):
        with fails("FIELD_INVALID", field="amount"):
            books.refund(invoice, amount)
    with fails("FIELD_INVALID", field="reason"):
        books.refund(invoice, 100, reason=77)
    unpaid, _ = books.open_invoice(books.org.customer())
    with fails("INVOICE_STATE_INVALID"):
        books.refund(unpaid)
    with fails("INVOICE_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        org2.stub("invoice").CreateRefund(books.ipb.CreateRefundRequest(invoice_id=invoice.invoice_id))
    made = books.refund(invoice, 100)
    with fails("REFUND_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        org2.stub("invoice").GetRefund(books.ipb.GetRefundRequest(refund_id=made.refund_id))
    assert len(books.refunds_there()) == 1


def test_refunds_at_the_same_time_do_not_pass_what_was_paid(books):
    invoice = books.invoice_of(books.create(books.org.customer()).subscription)

    def one(_):
        try:
            return books.refund(invoice, 700).amount.minor_units
        except grpc.RpcError as error:
            assert Failure(error).reason == "REFUND_TOO_LARGE", error
            return 0

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(one, range(8))) == [0] * 6 + [700] * 2
    assert [r["amount"] for r in books.refunds_there()] == [700, 700]


def test_a_refund_made_elsewhere_is_mirrored_and_counts(books):
    invoice = books.invoice_of(books.create(books.org.customer()).subscription)
    charge = books.org.sandbox.api("charges?limit=1", books.account)["data"][0]
    books.org.sandbox.api("refunds", books.account, "POST", f"charge={charge['id']}&amount=400&reason=duplicate")
    (seen,) = wait_for(lambda: books.refunds(invoice_id=invoice.invoice_id), 10, "mirrored")
    assert (seen.amount.minor_units, seen.reason) == (400, books.ipb.CREDIT_NOTE_REASON_DUPLICATE)
    with fails("REFUND_TOO_LARGE"):
        books.refund(invoice, 1501)
    assert books.refund(invoice).amount.minor_units == 1500


def test_a_refund_whose_answer_is_lost_is_made_once(books):
    invoice = books.invoice_of(books.create(books.org.customer()).subscription)
    key = request_id()
    with books.answers_lost("/v1/refunds"):
        with fails("OUTCOME_PENDING", grpc.StatusCode.UNAVAILABLE):
            books.refund(invoice, 300, key)
        with fails("REFUND_TOO_LARGE"):
            books.refund(invoice, 1601)
    (made,) = wait_for(lambda: books.refunds(), 20, "settled")
    assert wait_for(lambda: books.refund(invoice, 300, key), 20, "answered").refund_id == made.refund_id
    assert len(books.refunds_there()) == 1
