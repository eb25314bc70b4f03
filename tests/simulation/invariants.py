"""What must hold whatever has happened, once nothing is under way any more. Each function is one invariant: its
docstring says it, and it raises Broken with what it found."""

import collections
import datetime

from walk import Broken

LIVE = ("INCOMPLETE", "TRIALING", "ACTIVE", "PAST_DUE", "UNPAID", "PAUSED")
ALL = []


def invariant(function):
    ALL.append(function)
    return function


class Books:
    """Both sides as they are now, and what the walk was told; read once."""

    def __init__(self, walk):
        self.walk, self.book, self.shop, self.org = walk, walk.book, walk.shop, walk.org
        shop = self.shop
        self.customers = [shop.uuid_of(customer) for customer in self.book.customers]
        self.customer_rows = {row[0]: row for row in shop.rows(
            "SELECT customer_id, customer_no, stripe_customer_id, org_id FROM customers WHERE customer_id = ANY (%s)",
            self.customers)}
        names = ("subscription_id", "customer_id", "status", "plan_key", "quantity", "stripe_subscription_id",
                 "period_start_at", "period_end_at", "trial_end_at", "cancel_at_period_end", "canceled_at", "ended_at",
                 "stripe_price_id", "past_due_since")
        self.here = [dict(zip(names, row)) for row in shop.rows(
            "SELECT u.subscription_id, u.customer_id, u.status, p.key, u.quantity, u.stripe_subscription_id,"
            " u.period_start_at, u.period_end_at, u.trial_end_at, u.cancel_at_period_end, u.canceled_at, u.ended_at,"
            " r.stripe_price_id, u.past_due_since FROM subscriptions u JOIN plans p USING (org_id, plan_id)"
            " JOIN prices r USING (org_id, price_id) WHERE u.customer_id = ANY (%s)", self.customers)]
        self.there = {each["id"]: each for each in self._there("subscriptions", "status=all&")}
        self.invoices = self._there("invoices")
        self.charges = self._there("charges")
        self.invoice_rows = {row[0]: row for row in shop.rows(
            "SELECT stripe_invoice_id, status, total_minor, paid_minor, remaining_minor, subscription_id FROM invoices"
            " WHERE customer_id = ANY (%s)", self.customers)}

    def _there(self, kind: str, query: str = ""):
        found = []
        for row in self.customer_rows.values():
            if row[2]:
                page = self.org.sandbox.api(f"{kind}?{query}limit=100&customer={row[2]}", self.shop.account)
                assert not page["has_more"], kind
                found += page["data"]
        return found


def same(what: str, ours, theirs):
    if ours != theirs:
        raise Broken(f"{what}: {ours!r} here, {theirs!r} there")


def seconds(moment: datetime.datetime):
    return None if moment is None else int(moment.timestamp())


@invariant
def a_row_and_an_object_each(books):
    """Every subscription there is one here, and every one here that got that far is one there."""
    here = {row["stripe_subscription_id"] for row in books.here if row["stripe_subscription_id"]}
    same("subscriptions", here, set(books.there))


@invariant
def told_subscriptions_exist(books):
    """What a caller was told was made is there, of that customer."""
    rows = {row["subscription_id"]: row["customer_id"] for row in books.here}
    for subscription, customer in books.book.subscriptions.items():
        same(subscription, rows.get(books.shop.uuid_of(subscription)), books.shop.uuid_of(customer))


@invariant
def one_object_per_claim(books):
    """No claim has made two objects: each object carries the id of one row."""
    counted = collections.Counter(each["metadata"].get("billingos_id") for each in books.there.values())
    for claim, count in counted.items():
        if claim is None or count != 1:
            raise Broken(f"{count} objects carry the id {claim}")


@invariant
def one_live_subscription_per_plan(books):
    """A customer never has one plan twice."""
    counted = collections.Counter((row["customer_id"], row["plan_key"]) for row in books.here if row["status"] in LIVE)
    for key, count in counted.items():
        if count > 1:
            raise Broken(f"{count} live subscriptions of {key}")


@invariant
def nothing_is_pending(books):
    """Every claim was settled."""
    for row in books.here:
        if row["status"] == "PENDING":
            raise Broken(f"{row['subscription_id']} is pending")


@invariant
def failed_sold_nothing(books):
    """Of what failed here nothing lives there."""
    for row in books.here:
        there = books.there.get(row["stripe_subscription_id"])
        if row["status"] == "FAILED" and there is not None and there["status"] not in ("incomplete_expired", "canceled"):
            raise Broken(f"{row['subscription_id']} failed here and is {there['status']} there")


@invariant
def the_mirror_is_the_object(books):
    """Field by field."""
    for row in books.here:
        there = books.there.get(row["stripe_subscription_id"])
        if there is None:
            continue
        item = there["items"]["data"][0]
        name = f"{row['subscription_id']} "
        same(name + "status", row["status"], there["status"].upper())
        same(name + "price", row["stripe_price_id"], item["price"]["id"])
        same(name + "quantity", row["quantity"], item["quantity"])
        same(name + "period start", seconds(row["period_start_at"]), item["current_period_start"])
        same(name + "period end", seconds(row["period_end_at"]), item["current_period_end"])
        same(name + "trial end", seconds(row["trial_end_at"]), there["trial_end"])
        same(name + "cancel at period end", row["cancel_at_period_end"], there["cancel_at_period_end"])
        same(name + "canceled", seconds(row["canceled_at"]), there["canceled_at"])
        same(name + "ended", seconds(row["ended_at"]), there["ended_at"])


@invariant
def overdue_has_a_beginning(books):
    """Exactly what is overdue says since when."""
    for row in books.here:
        same(f"{row['subscription_id']} past due", row["past_due_since"] is not None,
             row["status"] in ("PAST_DUE", "UNPAID"))


@invariant
def every_invoice_is_mirrored(books):
    """With its state and its amounts."""
    same("invoices", set(books.invoice_rows), {each["id"] for each in books.invoices})
    for each in books.invoices:
        _, status, total, paid, remaining, _ = books.invoice_rows[each["id"]]
        same(each["id"] + " status", status, each["status"].upper())
        same(each["id"] + " total", total, each["total"])
        same(each["id"] + " paid", paid, each["amount_paid"])
        same(each["id"] + " remaining", remaining, each["amount_remaining"])


@invariant
def lines_add_up(books):
    """The lines of an invoice are its total."""
    for each in books.invoices:
        same(each["id"], sum(line["amount"] for line in each["lines"]["data"]), each["subtotal"])
        same(each["id"], each["amount_paid"] + each["amount_remaining"], each["amount_due"])


@invariant
def no_money_twice(books):
    """What was charged is what was paid, and no period of a subscription was paid for twice."""
    charged = sum(each["amount"] for each in books.charges if each["status"] == "succeeded")
    same("charged and paid", charged, sum(each["amount_paid"] for each in books.invoices))
    periods = collections.Counter()
    for each in books.invoices:
        for line in each["lines"]["data"]:
            if each["status"] == "paid" and line["amount"] > 0:
                parent = each["parent"]["subscription_details"]["subscription"] if each["parent"] else None
                periods[(parent, line["period"]["start"], line["period"]["end"])] += 1
    for period, count in periods.items():
        if count > 1 + books.book.renewals[period[0]] and period[1] != period[2]:
            raise Broken(f"{period} was paid {count} times")


@invariant
def entitlements_follow_from_the_mirror(books):
    """Access is a function of the states of the customer's subscriptions, in the rows and in the answers."""
    pb = books.org.pb("entitlement")
    for customer, identifier in zip(books.customers, books.book.customers):
        states = {row["status"] for row in books.here if row["customer_id"] == customer}
        access = {access for (access,) in books.shop.rows(
            "SELECT access FROM entitlement_snapshots WHERE customer_id = %s", customer)}
        if states & {"ACTIVE", "TRIALING"}:
            wanted = {"GRANTED"}
        elif "PAST_DUE" in states:
            wanted = {"GRACE"}
        else:
            wanted = access - {"GRANTED", "GRACE"}
        same(f"access of {identifier}", access, wanted)
        answer = books.org.stub("entitlement").CheckEntitlement(pb.CheckEntitlementRequest(
            query=pb.EntitlementQuery(customer_id=identifier, feature_key="sso")), timeout=10).answer
        same(f"answer for {identifier}", answer.allowed, bool(wanted & {"GRANTED", "GRACE"}))


@invariant
def usage_counts_each_event_once(books):
    """The counters are the sum of the events that were acknowledged, each once."""
    for identifier, events in books.book.usage.items():
        number = books.customer_rows[books.shop.uuid_of(identifier)][1]
        (kept, quantity), = books.shop.rows(
            "SELECT count(*), coalesce(sum(quantity), 0) FROM usage_events WHERE customer_no = %s", number)
        same(f"events of {identifier}", (kept, int(quantity)), (len(events), sum(events.values())))
        (used,), = books.shop.rows(  # of all windows: a subscription begins new ones
            "SELECT coalesce(sum(used), 0) FROM usage_counters WHERE customer_no = %s AND reset_period = 3", number)
        same(f"counters of {identifier}", int(used), sum(events.values()))


@invariant
def the_log_has_no_gap(books):
    """The numbers of the organisation's events are 1, 2, 3, ..."""
    for org_id, count, last, head in books.shop.rows(
            "SELECT l.org_id, count(*), max(l.seq), max(h.seq) FROM event_log l JOIN event_heads h USING (org_id)"
            " GROUP BY l.org_id"):
        same(f"log of organisation {org_id}", (count, head), (last, last))


@invariant
def each_subscription_is_told_of_once(books):
    """One CREATED per subscription, and as many ends as there are subscriptions that ended."""
    told = collections.Counter(books.shop.rows(
        "SELECT subscription_id, type FROM event_log WHERE subscription_id = ANY (%s)",
        [row["subscription_id"] for row in books.here]))
    for row in books.here:
        ended = told[(row["subscription_id"], "SUBSCRIPTION_CANCELED")]
        same(f"ends of {row['subscription_id']}", ended, 1 if row["status"] == "CANCELED" else 0)
        if told[(row["subscription_id"], "SUBSCRIPTION_CREATED")] > 1:
            raise Broken(f"{row['subscription_id']} was made twice in the log")


@invariant
def intents_are_settled(books):
    """Nothing is claimed any more, nothing waits to be fetched, no event was given up."""
    (intents, dirty, inbox), = books.shop.rows(
        "SELECT (SELECT count(*) FROM intents WHERE state = 'PENDING'), (SELECT count(*) FROM dirty_objects),"
        " (SELECT count(*) FROM webhook_inbox WHERE state IN ('NEW', 'FAILED'))")
    same("intents, objects, events", (intents, dirty, inbox), (0, 0, 0))


@invariant
def one_intent_per_request(books):
    """Whatever was sent again is one claim."""
    for told in books.book.told:
        (count,), = books.shop.rows("SELECT count(*) FROM intents WHERE request_id = %s", told.request.request_id)
        same(f"{told.method} {told.request.request_id}", count, 1)


@invariant
def customers_are_one_each(books):
    """One customer there for each customer here that ever bought something."""
    ids = [row[2] for row in books.customer_rows.values() if row[2]]
    same("customers", len(ids), len(set(ids)))
    for row in books.here:
        if row["stripe_subscription_id"]:
            same(f"customer of {row['subscription_id']}", books.customer_rows[row["customer_id"]][2],
                 books.there[row["stripe_subscription_id"]]["customer"])


def check(walk):
    books = Books(walk)
    for function in ALL:
        try:
            function(books)
        except Broken as error:
            raise Broken(f"{function.__name__}: {error}") from error
