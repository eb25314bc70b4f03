"""What checks answer when nobody collects any more: grace, then no; and access comes back."""

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from world import request_id, wait_for


@pytest.fixture()
def sold(org):
    """A customer with a feature, of an organisation that bears what is overdue for some seconds."""
    org.connect_account()
    pb, stub = org.pb("organization"), org.stub("organization")
    organization = stub.GetOrganization(pb.GetOrganizationRequest()).organization
    organization.payment_grace.CopyFrom(Duration(seconds=4))
    stub.UpdateOrganization(pb.UpdateOrganizationRequest(
        organization=organization, update_mask={"paths": ["payment_grace"]}, request_id=request_id()))
    org.feature("sso")
    org.plan("pro", [org.pb("catalog").PlanFeature(feature_key="sso")])
    customer = org.customer()
    org.subscribe(customer, "pro")
    assert reason(org, customer) == "GRANTED"
    return customer


def reason(org, customer) -> str:
    return org.reason(org.check("sso", customer))


def is_now(org, customer, wanted: str):
    wait_for(lambda: reason(org, customer) == wanted, 10, wanted)


def disconnect(org):
    pb = org.pb("organization")
    org.stub("organization").DisconnectPaymentAccount(
        pb.DisconnectPaymentAccountRequest(note="moving", request_id=request_id()))


def test_access_is_borne_for_the_grace_and_then_ends(org, sold):
    disconnect(org)
    is_now(org, sold, "GRANTED_GRACE")
    answer = org.check("sso", sold)
    assert answer.allowed and answer.freshness.HasField("valid_until_time")
    is_now(org, sold, "PAYMENT_OVERDUE")
    assert not org.check("sso", sold).allowed


def test_connecting_again_gives_it_back(org, sold):
    disconnect(org)
    is_now(org, sold, "PAYMENT_OVERDUE")
    pb = org.pb("organization")
    org.stub("organization").ConnectPaymentAccount(pb.ConnectPaymentAccountRequest(
        country_code="DE", return_url="https://example.com/done", request_id=request_id()))
    is_now(org, sold, "GRANTED")


def test_an_account_that_was_deauthorized_there_is_the_same(org, sold, sandbox):
    pb = org.pb("organization")
    account = org.stub("organization").GetPaymentAccount(pb.GetPaymentAccountRequest()).payment_account
    sandbox.control(f"accounts/{account.payment_account_ref}/deauthorize")
    is_now(org, sold, "GRANTED_GRACE")
    is_now(org, sold, "PAYMENT_OVERDUE")


def test_all_customers_of_the_organisation_are_reached(org, sold):
    customers = [org.customer() for _ in range(120)]  # more than one page of the walk
    for customer in customers:
        org.subscribe(customer, "pro")
    disconnect(org)
    for customer in (sold, *customers):
        is_now(org, customer, "PAYMENT_OVERDUE")


def test_another_organisation_is_not_touched(org, org2, sold):
    org2.connect_account()
    org2.feature("sso")
    org2.plan("pro", [org2.pb("catalog").PlanFeature(feature_key="sso")])
    theirs = org2.customer()
    org2.subscribe(theirs, "pro")
    disconnect(org)
    is_now(org, sold, "PAYMENT_OVERDUE")
    assert reason(org2, theirs) == "GRANTED"
    with pytest.raises(grpc.RpcError):
        org.subscribe(org.customer(), "pro")
