"""Organisations, keys and people over gRPC: the story of a merchant's first day, and what is refused."""

import time
import uuid

import grpc
import pytest

from errors import Failure

DEADLINE_S = 10


class Api:
    """OrganizationService with one key in the metadata."""

    def __init__(self, stubs, server, key=None):
        self.pb = stubs.pb("organization")
        self.stub = stubs.stub("organization", server.channel())
        self.key = key

    def __getattr__(self, method):
        call = getattr(self.stub, method)
        request_type = getattr(self.pb, method + "Request")

        def run(*, key=self.key, **fields):
            metadata = [("authorization", f"Bearer {key}")] if key is not None else []
            return call(request_type(**fields), timeout=DEADLINE_S, metadata=metadata)

        return run


def failure(call, **fields):
    """What a call that must fail says."""
    with pytest.raises(grpc.RpcError) as caught:
        call(**fields)
    return Failure(caught.value)


def new_id():
    return str(uuid.uuid4())


@pytest.fixture
def bootstrap(stubs, server):
    return Api(stubs, server, server.bootstrap_token)


@pytest.fixture
def founding(bootstrap):
    return found(bootstrap)


def found(bootstrap, name="Acme"):
    return bootstrap.CreateOrganization(
        organization={"name": name, "default_currency_code": "EUR"},
        owner_email="ada@example.com",
        owner_name="Ada",
        request_id=new_id(),
    )


def secret_of(founding, mode, kind):
    return next(
        issued.secret
        for issued in founding.api_keys
        if issued.api_key.mode == mode and issued.api_key.kind == kind
    )


@pytest.fixture
def live(stubs, server, founding):
    pb = stubs.pb("organization")
    return Api(stubs, server, secret_of(founding, 1, pb.API_KEY_KIND_SECRET))


@pytest.fixture
def test(stubs, server, founding):
    pb = stubs.pb("organization")
    return Api(stubs, server, secret_of(founding, 2, pb.API_KEY_KIND_SECRET))


def test_an_organization_starts_with_four_keys_and_an_owner(founding, live, test):
    assert founding.organization.org_id.startswith("org_")
    assert [key.secret.rsplit("_", 1)[0] for key in founding.api_keys] == [
        "bos_sk_live",
        "bos_pk_live",
        "bos_sk_test",
        "bos_pk_test",
    ]
    for api, mode in ((live, 1), (test, 2)):
        caller = api.GetCaller()
        assert caller.mode == mode
        assert caller.organization.org_id == founding.organization.org_id
        assert "customers.write" in caller.scopes
    members = live.ListMembers().members
    assert [member.email for member in members] == ["ada@example.com"]


def test_a_repeat_gives_the_first_answer_without_the_secrets(bootstrap):
    fields = {
        "organization": {"name": "Repeat", "default_currency_code": "EUR"},
        "owner_email": "ada@example.com",
        "request_id": new_id(),
    }
    first = bootstrap.CreateOrganization(**fields)
    again = bootstrap.CreateOrganization(**fields)
    assert again.organization == first.organization
    assert all(key.secret for key in first.api_keys)
    assert not any(key.secret for key in again.api_keys)
    fields["owner_email"] = "bob@example.com"
    failed = failure(bootstrap.CreateOrganization, **fields)
    assert (failed.code, failed.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "IDEMPOTENCY_KEY_REUSED")


def test_who_may_not_call_is_told_why(stubs, server, bootstrap, live, founding):
    pb = stubs.pb("organization")
    publishable = secret_of(founding, 1, pb.API_KEY_KIND_PUBLISHABLE)
    broken = live.key[:-1] + ("a" if live.key[-1] != "a" else "b")
    cases = [
        (live.GetOrganization, None, grpc.StatusCode.UNAUTHENTICATED, "API_KEY_MISSING"),
        (live.GetOrganization, "junk", grpc.StatusCode.UNAUTHENTICATED, "API_KEY_INVALID"),
        (live.GetOrganization, broken, grpc.StatusCode.UNAUTHENTICATED, "API_KEY_INVALID"),
        (live.GetOrganization, publishable, grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING"),
        (live.GetOrganization, bootstrap.key, grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING"),
        (bootstrap.CreateOrganization, live.key, grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING"),
    ]
    for call, key, code, reason in cases:
        failed = failure(call, key=key)
        assert (failed.code, failed.reason) == (code, reason)


@pytest.mark.parametrize(
    ("organization", "reason", "field"),
    [
        ({"name": "", "default_currency_code": "EUR"}, "FIELD_INVALID", "organization.name"),
        ({"name": "x" * 101, "default_currency_code": "EUR"}, "FIELD_INVALID", "organization.name"),
        ({"name": "A", "default_currency_code": "EURO"}, "CURRENCY_UNKNOWN", None),
        (
            {"name": "A", "default_currency_code": "EUR", "time_zone": "Mars/Olympus"},
            "TIME_ZONE_UNKNOWN",
            None,
        ),
        (
            {"name": "A", "default_currency_code": "EUR", "slug": "A B"},
            "FIELD_INVALID",
            "organization.slug",
        ),
        (
            {"name": "A", "default_currency_code": "EUR", "allowed_origins": ["example.com"]},
            "FIELD_INVALID",
            "organization.allowed_origins[0]",
        ),
    ],
)
def test_what_is_wrong_is_named(bootstrap, organization, reason, field):
    failed = failure(
        bootstrap.CreateOrganization,
        organization=organization,
        owner_email="ada@example.com",
        request_id=new_id(),
    )
    assert (failed.code, failed.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    if field is not None:
        assert list(failed.violations) == [field]


def test_a_change_is_seen_in_both_modes(live, test):
    before = live.GetOrganization().organization
    live.UpdateOrganization(
        organization={"support_email": "help@example.com", "name": "ignored", "etag": before.etag},
        update_mask={"paths": ["support_email"]},
        request_id=new_id(),
    )
    after = test.GetOrganization().organization
    assert after.support_email == "help@example.com"
    assert after.name == "Acme"
    failed = failure(
        test.UpdateOrganization, organization={"name": "B", "etag": before.etag}
    )
    assert (failed.code, failed.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert failed.metadata["current_etag"] == after.etag


def test_a_revoked_key_stops_at_once(stubs, server, live):
    pb = stubs.pb("organization")
    issued = live.CreateApiKey(
        api_key={"name": "worker", "kind": pb.API_KEY_KIND_SECRET, "mode": 1}, request_id=new_id()
    ).issued
    worker = Api(stubs, server, issued.secret)
    worker.GetCaller()
    live.RevokeApiKey(api_key_id=issued.api_key.api_key_id, note="leaked", request_id=new_id())
    deadline = time.monotonic() + 1
    while True:
        try:
            worker.GetCaller()
        except grpc.RpcError:
            break
        assert time.monotonic() < deadline, "the key works a second after it was revoked"
    failed = failure(worker.GetCaller)
    assert (failed.code, failed.reason) == (grpc.StatusCode.UNAUTHENTICATED, "API_KEY_REVOKED")
    assert failed.metadata["api_key_id"] == issued.api_key.api_key_id


def test_a_rotated_key_overlaps(stubs, server, live):
    pb = stubs.pb("organization")
    issued = live.CreateApiKey(
        api_key={"name": "worker", "kind": pb.API_KEY_KIND_SECRET, "mode": 1}
    ).issued
    rotated = live.RotateApiKey(api_key_id=issued.api_key.api_key_id, overlap={"seconds": 1})
    Api(stubs, server, issued.secret).GetCaller()
    Api(stubs, server, rotated.issued.secret).GetCaller()
    time.sleep(1.2)
    assert failure(Api(stubs, server, issued.secret).GetCaller).reason == "API_KEY_EXPIRED"
    Api(stubs, server, rotated.issued.secret).GetCaller()


def test_both_keys_of_a_rotation_count(stubs, server, live):
    pb = stubs.pb("organization")

    def listed():
        return live.ListApiKeys(page_size=1000).api_keys

    while len(listed()) < 100:
        last = live.CreateApiKey(api_key={"name": "worker", "kind": pb.API_KEY_KIND_SECRET, "mode": 1}).issued
    before = listed()
    for fields in ({}, {"overlap": {"seconds": 60}}):
        failed = failure(live.RotateApiKey, api_key_id=last.api_key.api_key_id, **fields)
        assert (failed.code, failed.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OBJECT_LIMIT_REACHED")
        assert failed.metadata == {"kind": "api_keys", "max": "100"}
    assert listed() == before
    Api(stubs, server, last.secret).GetCaller()
    # Without an overlap it is a replacement: a key that has leaked can always be changed.
    rotated = live.RotateApiKey(api_key_id=last.api_key.api_key_id, overlap={})
    Api(stubs, server, rotated.issued.secret).GetCaller()
    assert len(listed()) == 100


def test_a_restricted_key_has_its_scopes_and_gives_no_more(stubs, server, live):
    pb = stubs.pb("organization")
    issued = live.CreateApiKey(
        api_key={
            "name": "narrow",
            "kind": pb.API_KEY_KIND_RESTRICTED,
            "mode": 1,
            "scopes": ["organization.write"],
        }
    ).issued
    narrow = Api(stubs, server, issued.secret)
    assert list(narrow.GetCaller().scopes) == ["organization.read", "organization.write"]
    failed = failure(
        narrow.CreateApiKey, api_key={"name": "more", "kind": pb.API_KEY_KIND_SECRET, "mode": 1}
    )
    assert (failed.code, failed.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_NOT_HELD")


def test_keys_of_the_other_mode_cannot_be_made(stubs, test):
    pb = stubs.pb("organization")
    failed = failure(
        test.CreateApiKey, api_key={"name": "x", "kind": pb.API_KEY_KIND_SECRET, "mode": 1}
    )
    assert (failed.code, failed.reason) == (grpc.StatusCode.PERMISSION_DENIED, "MODE_MISMATCH")
    assert failed.metadata == {"mode": "LIVE", "key_mode": "TEST"}


def test_an_invitation_makes_a_member(stubs, server, live):
    pb = stubs.pb("organization")
    made = live.CreateInvitation(
        invitation={"email": "bob@example.com", "role": pb.MEMBER_ROLE_OWNER}, request_id=new_id()
    )
    nobody = Api(stubs, server)
    accepted = nobody.AcceptInvitation(token=made.token, name="Bob", request_id=new_id())
    assert accepted.member.role == pb.MEMBER_ROLE_OWNER
    assert failure(nobody.AcceptInvitation, token=made.token).reason == "INVITATION_CLOSED"
    assert failure(nobody.AcceptInvitation, token="bos_it_x").reason == "INVITATION_NOT_FOUND"
    ada, bob = live.ListMembers().members
    live.RemoveMember(member_id=ada.member_id, request_id=new_id())
    failed = failure(live.RemoveMember, member_id=bob.member_id)
    assert (failed.code, failed.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "LAST_OWNER")
    assert failed.metadata == {"member_id": bob.member_id}


def test_who_accepts_an_invitation_acts_as_the_member_from_the_first_row_on(stubs, server, live):
    pb = stubs.pb("organization")
    made = live.CreateInvitation(
        invitation={"email": "bob@example.com", "role": pb.MEMBER_ROLE_DEVELOPER}, request_id=new_id()
    )
    request_id = new_id()
    accept = {"token": made.token, "name": "Bob", "request_id": request_id}
    first = Api(stubs, server).AcceptInvitation(**accept)
    assert Api(stubs, server).AcceptInvitation(**accept) == first
    with server.cluster.connect(server.database) as database:
        actors = database.execute("SELECT actor FROM intents WHERE request_id = %s", (request_id,)).fetchall()
    assert actors == [(first.member.member_id,)]
    (entry,) = live.ListAuditLog(action="OrganizationService.AcceptInvitation").entries
    assert entry.actor.actor_id == entry.resource_id == first.member.member_id


def test_pages_follow_each_other_and_their_tokens_are_bound(stubs, live, test):
    pb = stubs.pb("organization")
    for number in range(5):
        live.CreateApiKey(api_key={"name": f"k{number}", "kind": pb.API_KEY_KIND_SECRET, "mode": 1})
    seen = []
    page = live.ListApiKeys(page_size=3)
    token = page.next_page_token
    while True:
        seen += [key.api_key_id for key in page.api_keys]
        if not page.next_page_token:
            break
        page = live.ListApiKeys(page_size=3, page_token=page.next_page_token)
    assert len(seen) == len(set(seen)) == 7
    assert failure(test.ListApiKeys, page_token=token).reason == "PAGE_TOKEN_INVALID"
    assert failure(live.ListMembers, page_token=token).reason == "PAGE_TOKEN_INVALID"
    assert failure(live.ListApiKeys, page_token=token[:-2] + "AA").reason == "PAGE_TOKEN_INVALID"
    assert failure(live.ListApiKeys, page_size=-1).violations.keys() == {"page_size"}


def test_the_audit_log_holds_each_change_and_no_secret(stubs, live):
    pb = stubs.pb("organization")
    request_id = new_id()
    issued = live.CreateApiKey(
        api_key={"name": "audited", "kind": pb.API_KEY_KIND_SECRET, "mode": 1},
        request_id=request_id,
    ).issued
    (entry,) = live.ListAuditLog(resource_id=issued.api_key.api_key_id).entries
    assert entry.action == "OrganizationService.CreateApiKey"
    assert entry.request_id == request_id
    assert entry.actor.actor_id == live.GetCaller().api_key.api_key_id
    assert issued.secret not in str(entry)
    operation = live.GetOperation(request_id=request_id).operation
    assert operation.method == "OrganizationService.CreateApiKey"
    assert operation.state == pb.OPERATION_STATE_SUCCEEDED


def test_ids_of_another_organization_do_not_exist(stubs, server, bootstrap, live, founding):
    pb = stubs.pb("organization")
    other = Api(
        stubs, server, secret_of(found(bootstrap, "Globex"), 1, pb.API_KEY_KIND_SECRET)
    )
    key_id = live.GetCaller().api_key.api_key_id
    invitation = live.CreateInvitation(
        invitation={"email": "eve@example.com", "role": pb.MEMBER_ROLE_VIEWER}
    ).invitation
    cases = [
        (other.RevokeApiKey, {"api_key_id": key_id}, "API_KEY_NOT_FOUND"),
        (other.RotateApiKey, {"api_key_id": key_id}, "API_KEY_NOT_FOUND"),
        (
            other.UpdateMember,
            {"member": {"member_id": founding.owner.member_id, "name": "x"}},
            "MEMBER_NOT_FOUND",
        ),
        (other.RemoveMember, {"member_id": founding.owner.member_id}, "MEMBER_NOT_FOUND"),
        (
            other.RevokeInvitation,
            {"invitation_id": invitation.invitation_id},
            "INVITATION_NOT_FOUND",
        ),
        (other.GetOperation, {"request_id": new_id()}, "OPERATION_NOT_FOUND"),
    ]
    for call, fields, reason in cases:
        failed = failure(call, **fields)
        assert (failed.code, failed.reason) == (grpc.StatusCode.NOT_FOUND, reason)
