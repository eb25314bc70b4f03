"""Every live RPC, called with the ids of another organisation: NOT_FOUND, or an answer that knows nothing
of them. The matrix is made from the descriptors, so a new method or id field is in it by itself."""

import itertools

import grpc
import pytest

import world
from errors import Failure
from world import request_id

# Methods that take ids only as a filter: they answer, with nothing in it.
EMPTY_ANSWERS = {"ListCustomers", "ListSubscriptions", "ListPrices", "ListAuditLog", "WatchInsights", "ListFeatures"}
# Denials are answers: an unknown customer is not allowed.
DENIALS = {"CheckEntitlement"}
CHOSEN_KEYS = {"external_customer_id", "plan_key", "feature_key", "meter_key"}


@pytest.fixture()
def foreign(org2):
    """One object of each kind in the other organisation."""
    meter = org2.meter("calls")
    org2.feature("calls", "METERED", meter_key="calls")
    plan = org2.plan("free", [org2.limit("calls", 5)], minor_units=0)
    customer = org2.customer()
    pb = org2.pb("organization")
    keys = org2.stub("organization").ListApiKeys(pb.ListApiKeysRequest()).api_keys
    members = org2.stub("organization").ListMembers(pb.ListMembersRequest()).members
    invitation = org2.stub("organization").CreateInvitation(pb.CreateInvitationRequest(
        invitation=pb.Invitation(email="new@example.com", role=pb.MEMBER_ROLE_VIEWER), request_id=request_id())).invitation
    return {
        "customer_id": customer.customer_id,
        "external_customer_id": customer.external_customer_id,
        "plan_id": plan.plan.plan_id,
        "plan_key": plan.plan.plan_key,
        "price_id": plan.version.prices[0].price_id,
        "feature_key": "calls",
        "meter_key": meter.meter_key,
        "api_key_id": keys[0].api_key_id,
        "member_id": members[0].member_id,
        "invitation_id": invitation.invitation_id,
        "subscription_id": "sub_" + customer.customer_id.removeprefix("cus_"),
        "invoice_id": "in_" + customer.customer_id.removeprefix("cus_"),
        "refund_id": "re_" + customer.customer_id.removeprefix("cus_"),
        "credit_note_id": "cn_" + customer.customer_id.removeprefix("cus_"),
    }


def _set_ids(message, foreign, path=()):
    """Sets each known id field once: yields the name of the field that is set in the message."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type is not None and not field.is_repeated and field.message_type.file.package == "billingos.v1":
            child = getattr(message, field.name)
            yield from _set_ids(child, foreign, (*path, field.name))
        elif field.name in foreign and not field.is_repeated:
            setattr(message, field.name, foreign[field.name])
            yield ".".join((*path, field.name))
            message.ClearField(field.name)


def _live_methods(org):
    """(service, method descriptor, callable) of everything that is not METHOD_NOT_IMPLEMENTED."""
    for service in world.SERVICES:
        module = org.pb(service)
        for descriptor in module.DESCRIPTOR.services_by_name.values():
            stub = org.stub(service)
            for method in descriptor.methods:
                if not method.client_streaming:
                    yield service, method, getattr(stub, method.name)


def _message_class(org, descriptor):
    return getattr(org.pb(descriptor.file.name.split("/")[-1].removesuffix("_service.proto").removesuffix(".proto")),
                   descriptor.name)


def test_no_method_knows_the_objects_of_another_organisation(org, foreign):
    probes, live = 0, set()
    for service, method, call in _live_methods(org):
        request = _message_class(org, method.input_type)()
        # A key of one's own choosing is no id: creating something under it would make it one's own.
        ids = {k: v for k, v in foreign.items() if not (method.name.startswith("Create") and k in CHOSEN_KEYS)}
        for field in _set_ids(request, ids):
            if "request_id" in request.DESCRIPTOR.fields_by_name:
                request.request_id = request_id()
            try:
                answer = call(request, timeout=10)
                if method.server_streaming:
                    next(answer)
                    answer.cancel()
            except grpc.RpcError as error:
                failure = Failure(error)
                if failure.reason == "METHOD_NOT_IMPLEMENTED":
                    continue
                live.add(method.name)
                probes += 1
                assert failure.code in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT,
                                        grpc.StatusCode.FAILED_PRECONDITION), (method.name, field, failure)
                if failure.code == grpc.StatusCode.FAILED_PRECONDITION:
                    assert failure.reason == "PAYMENT_ACCOUNT_NOT_CONNECTED", (method.name, field, failure)
                continue
            live.add(method.name)
            probes += 1
            text = str(answer) if not method.server_streaming else ""
            assert method.name in EMPTY_ANSWERS | DENIALS or method.name.startswith(("Create", "Report", "Update")), (
                method.name, field, text)
            for kind, value in foreign.items():
                if kind.endswith("_id") and kind != "external_customer_id" and method.name not in DENIALS:
                    assert value not in text, (method.name, field, text)
    assert probes > 30, probes


def test_nothing_of_the_other_organisation_was_changed(org, org2, foreign):
    test_no_method_knows_the_objects_of_another_organisation(org, foreign)
    pb = org2.pb("customer")
    assert org2.stub("customer").GetCustomer(
        pb.GetCustomerRequest(customer_id=foreign["customer_id"])).customer.customer_id == foreign["customer_id"]
    pb = org2.pb("organization")
    assert len(org2.stub("organization").ListMembers(pb.ListMembersRequest()).members) == 1


def test_the_live_side_knows_nothing_of_the_test_side(org, foreign, stubs):
    customer = org.customer()
    live = org.channel_with(org.keys["live_secret_key"])
    pb = stubs.pb("customer")
    with pytest.raises(grpc.RpcError) as caught:
        stubs.stub("customer", live).GetCustomer(pb.GetCustomerRequest(customer_id=customer.customer_id))
    assert Failure(caught.value).reason == "CUSTOMER_NOT_FOUND"
