"""CatalogService as the tests use it."""

from world import request_id


class Api:
    """CatalogService of one organisation: api.CreatePlan(plan=..., ...), with a request_id of its own."""

    def __init__(self, org, key=None):
        self.pb, self.common = org.pb("catalog"), org.pb("common")
        channel = org.channel if key is None else org.channel_with(key)
        self._stub = org.stubs.stub("catalog", channel)

    def __getattr__(self, method):
        request_type = getattr(self.pb, method + "Request")

        def call(**fields):
            if "request_id" in request_type.DESCRIPTOR.fields_by_name:
                fields.setdefault("request_id", request_id())
            return getattr(self._stub, method)(request_type(**fields))

        return call

    def price(self, minor=1900, **fields):
        fields.setdefault("model", self.pb.PRICE_MODEL_FLAT)
        fields.setdefault("interval", self.common.BILLING_INTERVAL_MONTH)
        if minor is not None:
            fields.setdefault("unit_price", self.common.Money(minor_units=minor))
        return self.pb.Price(**fields)

    def limit(self, key="calls", **fields):
        fields.setdefault("reset_period", self.common.RESET_PERIOD_MONTH)
        if "unlimited" not in fields:
            fields.setdefault("max", 100)
        return self.pb.PlanFeature(feature_key=key, **fields)

    def plan(self, key="pro", **fields):
        return self.CreatePlan(plan=self.pb.Plan(plan_key=key, name=key.title()), **fields)
