"""What tests put straight into the tables, the way the program would: in one transaction with its event."""

import json
import uuid

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def uuid_of(text: str) -> uuid.UUID:
    """The 128 bits of an id such as "cus_01J8Z0..."."""
    number = 0
    for letter in text.rsplit("_", 1)[1]:
        number = number * 32 + LETTERS.index(letter)
    return uuid.UUID(int=number)


class Rows:
    """The tables of one organisation in test mode."""

    def __init__(self, org):
        self.connection = org.server.cluster.connect(org.server.database)
        self.org_id = self.connection.execute(
            "SELECT org_id FROM organizations WHERE organization_id = %s AND NOT live",
            (uuid_of(org.organization_id),)).fetchone()[0]

    def close(self):
        self.connection.close()

    def run(self, text: str, **values):
        """One statement; {org_id} is there as a parameter. The rows, if there are any."""
        cursor = self.connection.execute(text, {"org_id": self.org_id, **values})
        return cursor.fetchall() if cursor.description else None

    def tell(self, kind: str, customer=None, payload=None):
        """Appends an event as store/event_log.c does: last in its transaction."""
        self.run(
            "WITH head AS (INSERT INTO event_heads AS h (org_id, seq) VALUES (%(org_id)s, 1)"
            " ON CONFLICT (org_id) DO UPDATE SET seq = h.seq + 1 RETURNING seq), added AS ("
            " INSERT INTO event_log (org_id, seq, event_id, type, customer_id, payload)"
            " SELECT %(org_id)s, seq, %(event_id)s, %(kind)s, %(customer)s, %(payload)s FROM head)"
            " SELECT pg_notify('billingos_events', '')",
            event_id=uuid.uuid4(), kind=kind, customer=customer and uuid_of(customer.customer_id),
            payload=json.dumps(payload or {}))

    def tell_many(self, count: int, kind: str, customer, payload=None):
        """That many events in one transaction."""
        self.run(
            "WITH head AS (UPDATE event_heads SET seq = seq + %(count)s WHERE org_id = %(org_id)s RETURNING seq), added"
            " AS (INSERT INTO event_log (org_id, seq, event_id, type, customer_id, payload)"
            " SELECT %(org_id)s, seq - %(count)s + n, gen_random_uuid(), %(kind)s, %(customer)s, %(payload)s"
            " FROM head, generate_series(1, %(count)s) AS n)"
            " SELECT pg_notify('billingos_events', '')",
            count=count, kind=kind, customer=uuid_of(customer.customer_id), payload=json.dumps(payload or {}))

    def head(self, customer, uncovered: str = "FEATURE_NOT_IN_PLAN"):
        """Raises the state version and says so."""
        version = self.run(
            "INSERT INTO entitlement_heads AS h (org_id, customer_id, state_version, uncovered)"
            " VALUES (%(org_id)s, %(customer)s, 1, %(uncovered)s) ON CONFLICT (org_id, customer_id)"
            " DO UPDATE SET state_version = h.state_version + 1, uncovered = excluded.uncovered"
            " RETURNING state_version", customer=uuid_of(customer.customer_id), uncovered=uncovered)[0][0]
        self.tell("ENTITLEMENTS_CHANGED", customer, {"state_version": version})
        return version

    def entitle(self, customer, feature_key: str, access: str = "GRANTED", **columns):
        """Gives the customer the feature: columns of entitlement_snapshots; returns the state version."""
        columns = {"access": access, "provenance": "PLAN", **columns}
        names = ", ".join(columns)
        values = ", ".join(f"%({name})s" for name in columns)
        with self.connection.transaction():
            self.run(
                "DELETE FROM entitlement_snapshots WHERE org_id = %(org_id)s AND customer_id = %(customer)s"
                " AND feature_id = (SELECT feature_id FROM features WHERE org_id = %(org_id)s AND key = %(key)s)",
                customer=uuid_of(customer.customer_id), key=feature_key)
            self.run(
                f"INSERT INTO entitlement_snapshots (org_id, customer_id, feature_id, {names})"
                f" SELECT %(org_id)s, %(customer)s, feature_id, {values} FROM features"
                " WHERE org_id = %(org_id)s AND key = %(key)s",
                customer=uuid_of(customer.customer_id), key=feature_key, **columns)
            return self.head(customer)
