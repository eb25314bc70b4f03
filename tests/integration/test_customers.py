"""Customers: made, found by either id, changed, listed, archived; and everything that is refused."""

import secrets
import time

import grpc
import pytest

from errors import fails
from world import request_id, wait_for

INVALID, EXISTS = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.ALREADY_EXISTS
NOT_FOUND, PRECONDITION = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION


class Api:
    """CustomerService of one organisation: api.CreateCustomer(customer=...), with a request_id of its own."""

    def __init__(self, org):
        self.pb, self.common = org.pb("customer"), org.pb("common")
        self._stub = org.stub("customer")

    def __getattr__(self, method):
        request_type = getattr(self.pb, method + "Request")

        def call(**fields):
            if "request_id" in request_type.DESCRIPTOR.fields_by_name:
                fields.setdefault("request_id", request_id())
            return getattr(self._stub, method)(request_type(**fields))

        return call

    def make(self, **fields):
        return self.CreateCustomer(customer=self.pb.Customer(**fields)).customer


@pytest.fixture()
def api(org):
    return Api(org)


def test_a_customer_keeps_what_it_was_given(api):
    pb = api.pb
    made = api.make(
        external_customer_id="user-17", email="Ada@Example.com", name="Ada Lovelace", phone="+49 30 1234",
        address=api.common.Address(line1="Weg 1", city="Berlin", postal_code="10115", country_code="DE"),
        currency_code="EUR", locale="de-AT", time_zone="Europe/Vienna", tax_exemption=pb.TAX_EXEMPTION_REVERSE,
        metadata={"team": "blue"})
    assert made.customer_id.startswith("cus_") and made.etag == "1"
    assert made.status == pb.CUSTOMER_STATUS_ACTIVE and not made.HasField("archive_time")
    assert made.address.line1 == "Weg 1" and made.metadata["team"] == "blue"
    assert api.GetCustomer(customer_id=made.customer_id).customer == made
    assert api.GetCustomer(external_customer_id="user-17").customer == made


def test_a_customer_may_be_empty(api):
    made = api.make()
    assert made.tax_exemption == api.pb.TAX_EXEMPTION_NONE and not made.HasField("address")
    assert made.external_customer_id == "" and api.make().customer_id != made.customer_id


@pytest.mark.parametrize("field, value", [
    ("email", "no-address"), ("email", "a" * 250 + "@example.com"), ("name", "x" * 201), ("phone", "1" * 41),
    ("locale", "de_AT"), ("locale", "x"), ("locale", "a" * 36), ("external_customer_id", "x" * 129),
    ("tax_exemption", 9),
])
def test_wrong_fields_are_named(api, field, value):
    with fails("FIELD_INVALID", INVALID, f"customer.{field}"):
        api.make(**{field: value})


def test_what_else_is_refused(api):
    with fails("FIELD_INVALID", INVALID, "customer"):
        api.CreateCustomer()
    with fails("FIELD_INVALID", INVALID, "customer.spend_cap") as failure:
        api.make(spend_cap=api.common.Money(minor_units=1, currency_code="EUR"))
    assert "not supported yet" in failure[0].violations["customer.spend_cap"]
    with fails("CURRENCY_UNKNOWN", INVALID) as failure:
        api.make(currency_code="EURO")
    assert failure[0].metadata == {"currency_code": "EURO"}
    with fails("TIME_ZONE_UNKNOWN", INVALID) as failure:
        api.make(time_zone="Mars/Olympus")
    assert failure[0].metadata == {"time_zone": "Mars/Olympus"}
    with fails("FIELD_INVALID", INVALID, "customer.address.country_code"):
        api.make(address=api.common.Address(country_code="de"))
    with fails("FIELD_INVALID", INVALID) as failure:
        api.make(email="x", phone="1" * 41, locale="?")
    assert set(failure[0].violations) == {"customer.email", "customer.phone", "customer.locale"}
    with fails("FIELD_INVALID", INVALID, "customer"):
        api.GetCustomer()
    with fails("FIELD_INVALID", INVALID, "customer_id"):
        api.GetCustomer(customer_id="cus_1")
    with fails("FIELD_INVALID", INVALID, "external_customer_id"):
        api.GetCustomer(external_customer_id="")
    with fails("CUSTOMER_NOT_FOUND", NOT_FOUND) as failure:
        api.GetCustomer(external_customer_id="nobody")
    assert failure[0].metadata == {"external_customer_id": "nobody"}


def test_an_external_id_is_given_once(api):
    first = api.make(external_customer_id="user-17")
    with fails("CUSTOMER_EXISTS", EXISTS) as failure:
        api.make(external_customer_id="user-17")
    assert failure[0].metadata == {"external_customer_id": "user-17", "customer_id": first.customer_id}
    other = api.make(external_customer_id="user-18")
    with fails("CUSTOMER_EXISTS", EXISTS) as failure:
        api.UpdateCustomer(customer=api.pb.Customer(
            customer_id=other.customer_id, external_customer_id="user-17"))
    assert failure[0].metadata["customer_id"] == first.customer_id


def test_a_repeat_gives_the_first_answer_and_another_body_is_refused(api):
    key = request_id()
    first = api.CreateCustomer(customer=api.pb.Customer(email="a@example.com"), request_id=key)
    assert api.CreateCustomer(customer=api.pb.Customer(email="a@example.com"), request_id=key) == first
    with fails("IDEMPOTENCY_KEY_REUSED", INVALID):
        api.CreateCustomer(customer=api.pb.Customer(email="b@example.com"), request_id=key)
    assert len(api.ListCustomers().customers) == 1
    for _ in range(2):
        api.CreateCustomer(customer=api.pb.Customer(email="c@example.com"), request_id="")
    assert len(api.ListCustomers().customers) == 3


def test_updates_change_what_the_mask_names(api):
    pb = api.pb
    made = api.make(external_customer_id="user-17", name="Ada", phone="1", metadata={"a": "b"},
                    address=api.common.Address(city="Berlin"))
    changed = api.UpdateCustomer(customer=pb.Customer(customer_id=made.customer_id, name="Eve", etag="1")).customer
    assert (changed.name, changed.phone, changed.etag, changed.address.city) == ("Eve", "1", "2", "Berlin")
    by_external = api.UpdateCustomer(customer=pb.Customer(external_customer_id="user-17"),
                                     update_mask={"paths": ["phone", "metadata", "address"]}).customer
    assert (by_external.name, by_external.phone, dict(by_external.metadata)) == ("Eve", "", {})
    assert not by_external.HasField("address") and by_external.external_customer_id == "user-17"
    renamed = api.UpdateCustomer(customer=pb.Customer(
        customer_id=made.customer_id, external_customer_id="user-99")).customer
    assert api.GetCustomer(external_customer_id="user-99").customer == renamed
    with fails("CUSTOMER_NOT_FOUND", NOT_FOUND):
        api.GetCustomer(external_customer_id="user-17")
    with fails("ETAG_MISMATCH", grpc.StatusCode.ABORTED) as failure:
        api.UpdateCustomer(customer=pb.Customer(customer_id=made.customer_id, name="X", etag="1"))
    assert failure[0].metadata == {"etag": "1", "current_etag": "4"}
    with fails("UPDATE_MASK_INVALID", INVALID):
        api.UpdateCustomer(customer=pb.Customer(customer_id=made.customer_id), update_mask={"paths": ["shoe_size"]})
    with fails("FIELD_INVALID", INVALID, "customer.external_customer_id"):
        api.UpdateCustomer(customer=pb.Customer(name="X"))
    assert api.GetCustomer(customer_id=made.customer_id).customer == renamed


def test_lists_are_filtered_and_paged_newest_first(api):
    pb = api.pb
    first = api.make(external_customer_id="a_1", email="one@example.com")
    others = [api.make(external_customer_id=f"a-{i}", email="two@example.com") for i in range(4)]
    newest = [c.customer_id for c in reversed(others)]

    def ids(**filters):
        return [c.customer_id for c in api.ListCustomers(**filters).customers]

    assert ids() == [*newest, first.customer_id]
    assert ids(email="ONE@example.com") == [first.customer_id] and ids(email="two@example.com") == newest
    assert ids(external_id_prefix="a_") == [first.customer_id], "a prefix is no pattern"
    assert ids(external_id_prefix="a-") == newest
    until = api.common.TimeRange(end_time=others[0].create_time)
    assert ids(create_range=until) == [first.customer_id]
    assert ids(create_range=api.common.TimeRange(start_time=others[0].create_time)) == newest
    api.ArchiveCustomer(customer_id=first.customer_id)
    assert ids(status=pb.CUSTOMER_STATUS_ARCHIVED) == [first.customer_id]
    assert ids(status=pb.CUSTOMER_STATUS_ACTIVE) == newest

    seen, token = [], ""
    while True:
        page = api.ListCustomers(page_size=2, page_token=token)
        seen += [c.customer_id for c in page.customers]
        token = page.next_page_token
        if not token:
            break
    assert seen == [*newest, first.customer_id]


def test_forged_and_foreign_page_tokens_are_refused(org2, api):
    for _ in range(3):
        api.make()
    token = api.ListCustomers(page_size=1).next_page_token
    swapped = ("B" if token[5] != "B" else "C").join((token[:5], token[6:]))
    for bad in (swapped, token + "A", "AAAA", " "):
        with fails("PAGE_TOKEN_INVALID", INVALID):
            api.ListCustomers(page_size=1, page_token=bad)
    with fails("PAGE_TOKEN_INVALID", INVALID):
        api.ListCustomers(page_size=1, page_token=token, email="x@example.com")
    with fails("PAGE_TOKEN_INVALID", INVALID):
        Api(org2).ListCustomers(page_size=1, page_token=token)
    with fails("FIELD_INVALID", INVALID, "page_size"):
        api.ListCustomers(page_size=-1)
    with fails("FIELD_INVALID", INVALID, "status"):
        api.ListCustomers(status=7)
    with fails("FIELD_INVALID", INVALID, "create_range"):
        api.ListCustomers(create_range={"start_time": {"seconds": 2}, "end_time": {"seconds": 1}})


def test_archiving_takes_a_customer_out_of_use_and_restoring_brings_it_back(org, api):
    pb = api.pb
    org.feature("sso")
    made = api.make(external_customer_id="user-17")
    assert org.reason(org.check("sso", made)) == "NO_ACTIVE_SUBSCRIPTION"
    archived = api.ArchiveCustomer(external_customer_id="user-17").customer
    assert archived.status == pb.CUSTOMER_STATUS_ARCHIVED and archived.archive_time.seconds > 0
    assert api.ArchiveCustomer(customer_id=made.customer_id).customer == archived
    wait_for(lambda: org.reason(org.check("sso", made)) == "CUSTOMER_ARCHIVED", 3, "the check follows")
    with fails("CUSTOMER_ARCHIVED", PRECONDITION) as failure:
        api.UpdateCustomer(customer=pb.Customer(customer_id=made.customer_id, name="x"))
    assert failure[0].metadata == {"customer_id": made.customer_id}
    with fails("CUSTOMER_EXISTS", EXISTS):
        api.make(external_customer_id="user-17")
    restored = api.RestoreCustomer(customer_id=made.customer_id).customer
    assert restored.status == pb.CUSTOMER_STATUS_ACTIVE and not restored.HasField("archive_time")
    assert api.RestoreCustomer(customer_id=made.customer_id).customer == restored
    wait_for(lambda: org.reason(org.check("sso", made)) == "NO_ACTIVE_SUBSCRIPTION", 3, "the check follows")


def test_a_customer_with_a_subscription_is_not_archived(org, api):
    org.connect_account()
    org.plan("pro")
    customer = org.customer(email="buyer@example.com")
    subscription = org.subscribe(customer, "pro")
    with fails("CUSTOMER_HAS_SUBSCRIPTIONS", PRECONDITION) as failure:
        api.ArchiveCustomer(customer_id=customer.customer_id)
    assert failure[0].metadata == {
        "customer_id": customer.customer_id, "subscription_id": subscription.subscription_id}
    with fails("CURRENCY_MISMATCH", INVALID):
        api.UpdateCustomer(customer=api.pb.Customer(customer_id=customer.customer_id, currency_code="USD"))


def test_what_happens_to_customers_is_told(org, api):
    pb = org.pb("insights")
    call = org.stub("insights").WatchInsights(pb.WatchInsightsRequest())
    assert next(call).WhichOneof("message") == "ready"
    made = api.make(external_customer_id="user-17")
    api.UpdateCustomer(customer=api.pb.Customer(customer_id=made.customer_id, name="Ada"))
    api.ArchiveCustomer(customer_id=made.customer_id)
    seen, end = [], time.monotonic() + 5
    while len(seen) < 3 and time.monotonic() < end:
        message = next(call)
        if message.WhichOneof("message") == "event" and message.event.type != pb.BILLING_EVENT_TYPE_ENTITLEMENTS_CHANGED:
            assert message.event.customer_id == made.customer_id
            seen.append(pb.BillingEventType.Name(message.event.type).removeprefix("BILLING_EVENT_TYPE_"))
    call.cancel()
    assert seen == ["CUSTOMER_CREATED", "CUSTOMER_UPDATED", "CUSTOMER_ARCHIVED"]


def test_another_organisation_knows_none_of_them(org2, api):
    made = api.make(external_customer_id="user-17")
    other = Api(org2)
    for call in (lambda: other.GetCustomer(customer_id=made.customer_id),
                 lambda: other.GetCustomer(external_customer_id="user-17"),
                 lambda: other.UpdateCustomer(customer=other.pb.Customer(customer_id=made.customer_id, name="x")),
                 lambda: other.ArchiveCustomer(customer_id=made.customer_id),
                 lambda: other.RestoreCustomer(customer_id=made.customer_id)):
        with fails("CUSTOMER_NOT_FOUND", NOT_FOUND):
            call()
    assert other.make(external_customer_id="user-17").customer_id != made.customer_id


def test_personal_data_stay_out_of_the_audit_log(org, api):
    secret = "Ada " + secrets.token_hex(8)
    made = api.make(name=secret, email="ada@example.com")
    api.UpdateCustomer(customer=api.pb.Customer(customer_id=made.customer_id, name="Other", phone="12345678"))
    pb = org.pb("organization")
    text = str(org.stub("organization").ListAuditLog(pb.ListAuditLogRequest()))
    assert made.customer_id in text and "CustomerService.UpdateCustomer" in text
    assert secret not in text and "ada@example.com" not in text and "12345678" not in text
