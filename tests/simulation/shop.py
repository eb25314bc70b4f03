"""What the walks of one worker share: a server, a payment side, an organisation with plans."""

import pathlib
import sys
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import world  # noqa: E402
from world import request_id  # noqa: E402

# What is lost for good, or never passes the signature check, is found by reconciliation.
WEBHOOK_FAULTS = ("webhook_duplicate", "webhook_delay")
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Shop:
    webhook_faults = WEBHOOK_FAULTS

    def __init__(self, cluster, stubs):
        self.server = world.Server(cluster)
        self.sandbox = world.Sandbox(self.server.webhook_url, self.server.webhook_secret)
        self.server.use(self.sandbox)
        self.server.start()
        self.org = world.Org(self.server, stubs, self.sandbox)
        self.account = self.org.connect_account()
        self.connection = cluster.connect(self.server.database)
        self.kills = 0
        self._catalogue()

    def _catalogue(self):
        catalog = self.org.pb("catalog")
        self.org.meter("calls")
        self.org.feature("sso")
        self.org.feature("calls", "METERED", meter_key="calls")
        for plan, price, trial in (("basic", 900, 0), ("pro", 4900, 0), ("trial", 1900, 14)):
            self.org.plan(plan, [catalog.PlanFeature(feature_key="sso"), self.org.limit("calls", 1000)],
                          minor_units=price, trial_days=trial)

    def rows(self, query: str, *values):
        return self.connection.execute(query, values).fetchall()

    @staticmethod
    def uuid_of(identifier: str) -> uuid.UUID:
        """"sub_01M8..." is 128 bits in Crockford's base 32."""
        number = 0
        for letter in identifier.split("_", 1)[1]:
            number = number * 32 + CROCKFORD.index(letter)
        return uuid.UUID(int=number & (1 << 128) - 1)

    def kill(self):
        """The server dies without a farewell, and is started again."""
        self.kills += 1
        self.server.kill9()
        self.server.start()
        self.org.reconnect()

    def request_id(self) -> str:
        return request_id()

    def close(self):
        self.connection.close()
        self.server.close()
        self.sandbox.close()
