"""Customers and payment methods as the payment side has them: what is taken, what stays ours, what ends."""

import urllib.parse

import pytest

from test_customers import Api
from test_subscriptions import Shop
from world import wait_for


class Mirror:
    """A customer who has bought, on both sides."""

    def __init__(self, org, **fields):
        self.org, self.shop, self.api = org, Shop(org), Api(org)
        self.customer = org.customer(**fields)
        self.subscription = self.shop.create(self.customer).subscription
        self.settled()

    @property
    def there(self):
        return self.org.sandbox.api("customers", self.shop.account)["data"][0]

    def change(self, **form):
        return self.org.sandbox.api(f"customers/{self.there['id']}", self.shop.account, "POST",
                                    urllib.parse.urlencode(form))

    @property
    def here(self):
        return self.api.GetCustomer(customer_id=self.customer.customer_id).customer

    def rows(self, query, *values):
        with self.org.server.cluster.connect(self.org.server.database) as connection:
            return connection.execute(query, values).fetchall()

    def settled(self):
        wait_for(lambda: self.rows("SELECT (SELECT count(*) FROM webhook_inbox WHERE state = 'NEW')"
                                   " + (SELECT count(*) FROM dirty_objects)") == [(0,)], 20, "applied")

    def becomes(self, **fields):
        wait_for(lambda: all(getattr(self.here, name) == value for name, value in fields.items()), 10, str(fields))

    def told(self, kind):
        return self.rows("SELECT count(*) FROM event_log e JOIN customers c USING (org_id, customer_id)"
                         " WHERE e.type = %s AND c.external_id = %s", kind, self.customer.external_customer_id)[0][0]


@pytest.fixture()
def mirror(org):
    return Mirror(org, name="Ada", email="ada@example.com")


def test_what_is_changed_there_is_taken(mirror):
    before = mirror.told("CUSTOMER_UPDATED")
    mirror.change(name="Ada L.", email="ada@new.example", phone="+49 30 1",
                  **{"address[line1]": "Weg 1", "address[city]": "Berlin", "address[country]": "DE"})
    mirror.becomes(name="Ada L.", email="ada@new.example", phone="+49 30 1")
    assert (mirror.here.address.line1, mirror.here.address.country_code) == ("Weg 1", "DE")
    assert mirror.told("CUSTOMER_UPDATED") == before + 1
    mirror.change(name="")
    mirror.becomes(name="")


def test_what_the_merchant_writes_here_survives_news_of_something_else(mirror):
    mirror.api.UpdateCustomer(customer=mirror.api.pb.Customer(
        customer_id=mirror.customer.customer_id, name="Ours", metadata={"tier": "gold"}))
    mirror.change(phone="+49 30 2")
    mirror.becomes(phone="+49 30 2", name="Ours")
    assert mirror.here.metadata["tier"] == "gold"
    assert mirror.here.external_customer_id == mirror.customer.external_customer_id


def test_what_does_not_fit_is_not_taken(mirror):
    mirror.change(name="x" * 250, phone="+49 30 3")
    mirror.becomes(phone="+49 30 3", name="Ada")


def test_a_card_is_mirrored_and_nothing_more(mirror):
    method = mirror.there_card = mirror.org.sandbox.api(
        f"customers/{mirror.there['id']}/payment_methods", mirror.shop.account)["data"][0]
    rows = mirror.rows("SELECT brand, last4, expiry_month, expiry_year, kind, detached_at IS NULL FROM payment_methods"
                       " WHERE stripe_payment_method_id = %s", method["id"])
    assert rows == [("visa", "4242", 12, 2034, "CARD", True)]
    assert mirror.told("PAYMENT_METHOD_ATTACHED") == 1
    columns = {name for (name,) in mirror.rows("SELECT column_name FROM information_schema.columns"
                                               " WHERE table_name = 'payment_methods'")}
    assert "raw" not in columns

    mirror.change(**{"invoice_settings[default_payment_method]": method["id"]})
    mirror.becomes(default_payment_method_id=method["id"])
    mirror.org.sandbox.api(f"payment_methods/{method['id']}/detach", mirror.shop.account, "POST")
    mirror.becomes(default_payment_method_id="")
    wait_for(lambda: mirror.told("PAYMENT_METHOD_DETACHED") == 1, 10, "detached")


def test_a_customer_deleted_there_stays_here_and_can_buy_again(mirror):
    gone = mirror.there["id"]
    mirror.org.sandbox.api(f"customers/{gone}", mirror.shop.account, "DELETE")
    wait_for(lambda: mirror.shop.status(mirror.shop.get(mirror.subscription)) == "CANCELED", 10, "ended")
    wait_for(lambda: mirror.rows("SELECT stripe_customer_id, deleted_stripe_customer_id FROM customers"
                                 " WHERE external_id = %s", mirror.customer.external_customer_id) == [(None, gone)],
             10, "forgotten")
    assert mirror.here.name == "Ada"
    assert mirror.rows("SELECT count(*) FROM payment_methods m JOIN customers c USING (org_id, customer_id)"
                       " WHERE c.external_id = %s AND m.detached_at IS NULL",
                       mirror.customer.external_customer_id) == [(0,)]
    again = mirror.shop.create(mirror.customer).subscription
    assert mirror.shop.status(again) == "ACTIVE"
    assert mirror.there["id"] != gone and mirror.there["name"] == "Ada"
