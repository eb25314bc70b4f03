"""Tax numbers of customers: added, checked by the authority, listed, removed."""

import grpc
import pytest

from errors import fails
from test_crash import SECONDS, crash  # noqa: F401 (a fixture)
from test_customers import Api
from test_subscriptions import Shop
from world import request_id, wait_for

INVALID, NOT_FOUND = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND


class Taxed:
    def __init__(self, org):
        self.org, self.shop, self.api = org, Shop(org), Api(org)
        self.customer = org.customer()

    def add(self, value="DE123456789", kind="eu_vat", **fields):
        return self.api.CreateTaxId(customer_id=self.customer.customer_id, kind=kind, value=value, **fields).tax_id

    def remove(self, tax_id, **fields):
        self.api.DeleteTaxId(customer_id=self.customer.customer_id, tax_id_id=tax_id.tax_id_id, **fields)

    def listed(self):
        return list(self.api.ListTaxIds(customer_id=self.customer.customer_id).tax_ids)

    def there(self):
        (customer,) = self.org.sandbox.api("customers", self.shop.account)["data"]
        return customer["id"], self.org.sandbox.api(f"customers/{customer['id']}/tax_ids", self.shop.account)["data"]


@pytest.fixture()
def taxed(org):
    return Taxed(org)


def test_a_tax_number_is_added_listed_and_removed(taxed):
    pb, key = taxed.api.pb, request_id()
    made = taxed.add(request_id=key)
    assert (made.kind, made.value, made.verification) == ("eu_vat", "DE123456789", pb.TAX_ID_VERIFICATION_PENDING)
    assert made.tax_id_id.startswith("txi_") and made.create_time.seconds > 0
    assert taxed.listed() == [made] and taxed.add(request_id=key) == made
    assert [t["id"] for t in taxed.there()[1]] == [made.tax_id_id]
    taxed.remove(made, request_id=key + "d")
    taxed.remove(made, request_id=key + "d")  # a repeat
    assert taxed.listed() == [] and taxed.there()[1] == []
    with fails("TAX_ID_NOT_FOUND", NOT_FOUND):
        taxed.remove(made)


def test_what_the_authority_says(taxed):
    pb = taxed.api.pb
    assert taxed.add("DE000000000").verification == pb.TAX_ID_VERIFICATION_VERIFIED
    assert taxed.add("DE111111111").verification == pb.TAX_ID_VERIFICATION_UNVERIFIED
    assert taxed.add("12-3456789", "us_ein").verification == pb.TAX_ID_VERIFICATION_UNAVAILABLE


def test_what_is_changed_there_is_mirrored(taxed):
    made = taxed.add()
    customer, _ = taxed.there()
    taxed.org.sandbox.api(f"customers/{customer}/tax_ids", taxed.shop.account, "POST", "type=gb_vat&value=GB123456789")
    wait_for(lambda: sorted(t.kind for t in taxed.listed()) == ["eu_vat", "gb_vat"], 10, "added there")
    taxed.org.sandbox.api(f"customers/{customer}/tax_ids/{made.tax_id_id}", taxed.shop.account, "DELETE")
    wait_for(lambda: [t.kind for t in taxed.listed()] == ["gb_vat"], 10, "removed there")
    taxed.org.sandbox.api(f"customers/{customer}", taxed.shop.account, "DELETE")
    wait_for(lambda: taxed.listed() == [], 10, "gone with the customer")


def test_what_is_refused(taxed, org2):
    with fails("TAX_ID_INVALID", INVALID) as failure:
        taxed.add("DE12")
    assert failure[0].metadata == {"kind": "eu_vat", "value": "DE12"}
    for fields, field in [({"kind": ""}, "kind"), ({"kind": "EU-VAT"}, "kind"), ({"value": ""}, "value"),
                          ({"value": "x" * 41}, "value")]:
        with fails("FIELD_INVALID", INVALID, field):
            taxed.add(**fields)
    with fails("PAYMENT_SIDE_REJECTED"):
        taxed.add("123456789", "xx_vat")
    made = taxed.add()
    other = taxed.org.customer()
    with fails("TAX_ID_NOT_FOUND", NOT_FOUND):
        taxed.api.DeleteTaxId(customer_id=other.customer_id, tax_id_id=made.tax_id_id)
    with fails("CUSTOMER_NOT_FOUND", NOT_FOUND):
        Api(org2).ListTaxIds(customer_id=taxed.customer.customer_id)
    for digit in range(4):
        taxed.add(f"DE12345678{digit}")
    with fails("OBJECT_LIMIT_REACHED"):
        taxed.add("DE999999999")
    assert len(taxed.there()[1]) == 5


@pytest.mark.parametrize("point", ["claimed", "called"])
def test_a_crash_adds_one(crash, point):  # noqa: F811
    taxed, key = Taxed(crash.org), request_id()

    def call(**options):
        return crash.org.stub("customer").CreateTaxId(taxed.api.pb.CreateTaxIdRequest(
            customer_id=taxed.customer.customer_id, kind="eu_vat", value="DE123456789", request_id=key),
            **options).tax_id

    crash.at(f"tax_id.{point}", lambda: call(timeout=SECONDS))
    made = call()
    assert call() == made and [t["id"] for t in taxed.there()[1]] == [made.tax_id_id]
    assert crash.rows("SELECT stripe_tax_id FROM tax_ids WHERE deleted_at IS NULL") == [(made.tax_id_id,)]
