"""Invoices: what the mirror says about them, and what is done with them."""

import grpc
import pytest

from errors import fails
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
        def look():
            found = self.list_invoices(subscription_id=subscription.subscription_id).invoices
            return found and self.invoice_status(found[0]) == status and found[0]

        return wait_for(look, seconds, f"an invoice that is {status}")

    def open_invoice(self, customer, decline="insufficient_funds"):
        """An invoice that could not be collected at the renewal, and its subscription."""
        made = self.create(customer).subscription
        there = next(s for s in self.there() if s["metadata"]["billingos_id"] == made.subscription_id)
        self.org.sandbox.control(f"customers/{self.account}/{there['customer']}/payment_method", {"decline": decline})
        self.org.sandbox.control(f"subscriptions/{self.account}/{there['id']}/renew")
        return self.invoice_of(made, "OPEN"), made

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
