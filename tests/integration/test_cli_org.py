"""The verbs on an organisation, its people and its audit log: they do what the methods of the API do."""

import json
import re

import pytest

import world
from errors import fails

NO_MEMBER = "mem_01J8Z0K3V9QH0000000000000A"
NO_INVITATION = "invt_01J8Z0K3V9QH0000000000000A"


def rows(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


class Verbs:
    """The verbs of the command line on one organisation."""

    def __init__(self, org):
        self.org, self.where = org, ["--org", org.organization_id]
        self.pb, self.api = org.pb("organization"), org.stub("organization")

    def __call__(self, verb, *arguments):
        return self.org.server.billingos("org", verb, *self.where, *arguments)

    def update(self, *arguments):
        return self.org.server.billingos("org", "update", self.org.organization_id, *arguments)

    def refused(self, verb, *arguments):
        """The one line that says why; nothing else is printed."""
        where = [self.org.organization_id] if verb == "update" else self.where
        result = self.org.server.billingos("org", verb, *where, *arguments, check=False)
        assert result.returncode == 1 and not result.stdout, result
        assert result.stderr.startswith("billingos: ") and result.stderr.count("\n") == 1, result.stderr
        return result.stderr

    def members(self):
        return {row["email"]: row for row in rows(self("members", "--json"))}

    def joined(self, email, role):
        """Somebody who was invited by a verb and accepted over the API: the member."""
        token = self("invite", "--role", role, email).stdout.split()[1]
        return self.accept(token).member

    def accept(self, token):
        stub = self.org.stubs.stub("organization", self.org.server.channel())
        return stub.AcceptInvitation(self.pb.AcceptInvitationRequest(token=token, name="Bob"), timeout=10)


@pytest.fixture()
def verbs(org):
    return Verbs(org)


# --- the organisation -----------------------------------------------------------------------------------------------


def test_an_organization_is_updated(verbs):
    before = rows(verbs.org.server.billingos("org", "show", verbs.org.organization_id, "--json"))[0]
    shown = verbs.update("--name", "Acme Two", "--country", "DE", "--support-email", "help@example.com",
                         "--payment-grace", "36h", "--max-staleness", "5m", "--time-zone", "Europe/Berlin",
                         "--allowed-origins", "https://a.example.com,http://localhost:3000").stdout
    for line in ("name      Acme Two", "zone      Europe/Berlin", "country   DE", "support   help@example.com",
                 "grace     36h", "staleness 5m", "origin    http://localhost:3000", f"slug      {before['slug']}"):
        assert f"{line}\n" in shown, shown
    got = verbs.api.GetOrganization(verbs.pb.GetOrganizationRequest()).organization
    assert (got.name, got.country_code, got.time_zone) == ("Acme Two", "DE", "Europe/Berlin")
    assert (got.payment_grace.seconds, got.max_staleness.seconds) == (129600, 300)
    assert list(got.allowed_origins) == ["https://a.example.com", "http://localhost:3000"]
    assert got.default_currency_code == before["default_currency_code"]
    cleared = rows(verbs.update("--country", "", "--allowed-origins", "", "--currency", "USD", "--json"))[0]
    assert cleared["country_code"] == "" and cleared["allowed_origins"] == []
    assert cleared["default_currency_code"] == "USD" and cleared["support_email"] == "help@example.com"
    after = rows(verbs.org.server.billingos("org", "show", verbs.org.organization_id, "--json"))[0]
    assert after == cleared


@pytest.mark.parametrize("arguments,text", [
    (["--name", ""], "organization.name: must have 1 to 100 characters"),
    (["--name", "x" * 101], "organization.name: must have 1 to 100 characters"),
    (["--currency", "XXQ"], "currency \"XXQ\" is not in ISO 4217"),
    (["--time-zone", "Mars/Olympus"], "time zone \"Mars/Olympus\" is not in the IANA database"),
    (["--country", "de"], "organization.country_code: must be two letters"),
    (["--support-email", "nobody"], "organization.support_email: is not an e-mail address"),
    (["--payment-grace", "61d"], "organization.payment_grace: must be 0 to 5184000 seconds"),
    (["--max-staleness", "0m"], "organization.max_staleness: must be 60 to 86400 seconds"),
    (["--allowed-origins", "https://a.example.com,b"], "organization.allowed_origins[1]: must have the form"),
    (["--allowed-origins", ",".join(["https://a.example.com"] * 51)], "has 51 entries, at most 50 are allowed"),
])
def test_values_that_the_api_refuses_are_refused(verbs, arguments, text):
    before = verbs.api.GetOrganization(verbs.pb.GetOrganizationRequest()).organization
    assert text in verbs.refused("update", *arguments)
    assert verbs.api.GetOrganization(verbs.pb.GetOrganizationRequest()).organization == before


def test_an_organization_that_is_not_there(server):
    for arguments in (["update", "nobody", "--name", "x"], ["members", "--org", "nobody"],
                      ["update-member", "--org", "nobody", "--role", "viewer", NO_MEMBER],
                      ["remove-member", "--org", "nobody", NO_MEMBER],
                      ["invite", "--org", "nobody", "--role", "viewer", "b@example.com"],
                      ["invitations", "--org", "nobody"], ["revoke-invitation", "--org", "nobody", NO_INVITATION],
                      ["audit", "--org", "nobody"]):
        result = server.billingos("org", *arguments, check=False)
        assert result.returncode == 1 and not result.stdout
        assert result.stderr == "billingos: organization \"nobody\" does not exist\n"


# --- members --------------------------------------------------------------------------------------------------------


def test_members_are_listed_changed_and_removed(verbs):
    bob = verbs.joined("bob@example.com", "admin")
    assert re.search(rf"^{bob.member_id}  ADMIN      bob@example.com  Bob$", verbs("members").stdout, re.MULTILINE)
    assert sorted(verbs.members()) == ["bob@example.com", "owner@example.com"]
    changed = verbs("update-member", "--role", "Viewer", bob.member_id).stdout
    assert changed == f"{bob.member_id}  VIEWER     bob@example.com  Bob\n"
    changed = rows(verbs("update-member", "--name", "Robert", "--json", bob.member_id))[0]
    assert (changed["name"], changed["role"]) == ("Robert", "VIEWER")
    listed = {m.email: m for m in verbs.api.ListMembers(verbs.pb.ListMembersRequest()).members}
    assert listed["bob@example.com"].name == "Robert"
    assert listed["bob@example.com"].role == verbs.pb.MEMBER_ROLE_VIEWER
    assert "member.name: must have at most 100" in verbs.refused("update-member", "--name", "x" * 101, bob.member_id)
    assert verbs("remove-member", bob.member_id).stdout == ""
    assert sorted(verbs.members()) == ["owner@example.com"]


def test_the_last_owner_stays(verbs):
    owner = verbs.members()["owner@example.com"]["member_id"]
    why = f"billingos: member \"{owner}\" is the last owner of the organization\n"
    assert verbs.refused("remove-member", owner) == why
    assert verbs.refused("update-member", "--role", "admin", owner) == why
    bob = verbs.joined("bob@example.com", "owner")
    verbs("remove-member", owner)
    assert verbs.refused("remove-member", bob.member_id) == why.replace(owner, bob.member_id)


def test_a_member_that_is_not_there(verbs, org2):
    stranger = Verbs(org2).members()["owner@example.com"]["member_id"]
    for member in (NO_MEMBER, stranger):
        why = f"billingos: member \"{member}\" does not exist\n"
        assert verbs.refused("remove-member", member) == why
        assert verbs.refused("update-member", "--role", "viewer", member) == why


def test_what_members_wrote_cannot_steer_the_terminal(verbs):
    bob = verbs.joined("bob@example.com", "viewer")
    verbs("update-member", "--name", "Bob\x1b[2J\n", bob.member_id)
    assert "Bob?[2J?\n" in verbs("members").stdout
    assert "\x1b" not in verbs("audit").stdout
    assert verbs.members()["bob@example.com"]["name"] == "Bob\x1b[2J\n"


# --- invitations ----------------------------------------------------------------------------------------------------


def test_an_invitation_is_made_and_accepted_with_its_token(verbs):
    invitation, token = verbs("invite", "--role", "developer", "bob@example.com").stdout.split()
    assert invitation.startswith("invt_") and token.startswith("bos_it_")
    listed = verbs("invitations").stdout
    assert re.search(rf"^{invitation}  DEVELOPER  OPEN  .*  bob@example.com$", listed, re.MULTILINE), listed
    assert token not in listed + verbs("invitations", "--json").stdout
    accepted = verbs.accept(token)
    assert accepted.member.role == verbs.pb.MEMBER_ROLE_DEVELOPER
    assert accepted.organization.org_id == verbs.org.organization_id
    assert verbs.members()["bob@example.com"]["member_id"] == accepted.member.member_id
    assert verbs("invitations").stdout == ""
    assert rows(verbs("invitations", "--all", "--json"))[0]["state"] == "ACCEPTED"
    assert "was accepted or revoked" in verbs.refused("revoke-invitation", invitation)
    assert "member exists already" in verbs.refused("invite", "--role", "viewer", "Bob@example.com")


def test_an_invitation_is_revoked(verbs):
    made = rows(verbs("invite", "--role", "admin", "--expires-in", "2h", "--json", "eve@example.com"))[0]
    assert (made["role"], made["state"], made["creator"]) == ("ADMIN", "OPEN", "cli")
    assert "open invitation for this address" in verbs.refused("invite", "--role", "viewer", "eve@example.com")
    for _ in range(2):  # as over the API, it may be said again
        assert verbs("revoke-invitation", made["invitation_id"]).stdout == ""
    assert verbs("invitations").stdout == ""
    assert "REVOKED" in verbs("invitations", "--all").stdout
    with fails("INVITATION_CLOSED"):
        verbs.accept(made["token"])


def test_invitations_that_cannot_be(verbs):
    assert "is not an e-mail address" in verbs.refused("invite", "--role", "viewer", "nobody")
    for span in ("31d", "0m"):
        assert "at most 30 days ahead" in verbs.refused("invite", "--role", "viewer", "--expires-in", span, "b@example.com")
    assert verbs.refused("revoke-invitation", NO_INVITATION) == (
        f"billingos: invitation \"{NO_INVITATION}\" does not exist\n")


# --- the audit log --------------------------------------------------------------------------------------------------


def test_the_audit_log_names_the_command_line_and_what_it_did(verbs):
    bob = verbs.joined("bob@example.com", "admin").member_id
    verbs.update("--name", "Acme Two")
    verbs("update-member", "--role", "viewer", bob)
    verbs("remove-member", bob)
    kept = verbs("invite", "--role", "viewer", "eve@example.com").stdout.split()
    verbs("revoke-invitation", kept[0])
    entries = rows(verbs("audit", "--json"))
    assert [(entry["actor_id"], entry["action"]) for entry in entries] == [
        ("cli", "OrganizationService.RevokeInvitation"),
        ("cli", "OrganizationService.CreateInvitation"),
        ("cli", "OrganizationService.RemoveMember"),
        ("cli", "OrganizationService.UpdateMember"),
        ("cli", "OrganizationService.UpdateOrganization"),
        (bob, "OrganizationService.AcceptInvitation"),
        ("cli", "OrganizationService.CreateInvitation"),
        ("cli", "OrganizationService.CreateOrganization"),
    ]
    assert entries[3]["changes"] == [{"path": "role", "old": "ADMIN", "new": "VIEWER"}]
    assert entries[3]["mode"] == "both" and kept[1] not in json.dumps(entries)
    (seen,) = verbs.api.ListAuditLog(verbs.pb.ListAuditLogRequest(action="OrganizationService.RemoveMember")).entries
    assert seen.actor.kind == verbs.org.pb("common").ACTOR_KIND_OPERATOR and seen.resource_id == bob
    line = verbs("audit", "--limit", "1", "--action", "OrganizationService.UpdateMember").stdout
    assert re.fullmatch(rf"\S+Z  cli  OrganizationService.UpdateMember  {bob}  role \"ADMIN\" -> \"VIEWER\"\n", line), line


def test_the_audit_log_is_narrowed(verbs):
    where = [*verbs.where, "--mode", "test"]
    key = verbs.org.server.billingos("keys", "create", *where, "--name", "ci").stdout.split()[0]
    assert [row["resource_id"] for row in rows(verbs("audit", "--limit", "1", "--mode", "test", "--json"))] == [key]
    assert rows(verbs("audit", "--resource", key, "--json")) == []  # it is of the other mode
    (made,) = rows(verbs("audit", "--mode", "test", "--resource", key, "--since", "1h", "--json"))
    assert (made["mode"], made["action"]) == ("test", "OrganizationService.CreateApiKey")
    assert verbs("audit", "--mode", "test", "--since", "0m").stdout == ""
    assert verbs("audit", "--actor", "key_nobody").stdout == ""
