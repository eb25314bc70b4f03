#include "handlers/organization_handler.h"
#include "organization_kit.h"

static void the_last_owner_stays(void **state)
{
    struct organization_fixture *fixture = *state;
    TEST_CALL(call);
    struct ctx *cx = &call.cx;
    Billingos__V1__Member values = BILLINGOS__V1__MEMBER__INIT;
    Billingos__V1__UpdateMemberRequest update = BILLINGOS__V1__UPDATE_MEMBER_REQUEST__INIT;
    Billingos__V1__RemoveMemberRequest remove = BILLINGOS__V1__REMOVE_MEMBER_REQUEST__INIT;
    Billingos__V1__UpdateMemberResponse *updated = NULL;

    test_must(call_as(fixture, cx, test_secret(fixture), "UpdateMember"));
    values.member_id = pb_id(cx, ID_MEMBER, &fixture->founding.owner.member_id);
    values.role = BILLINGOS__V1__MEMBER_ROLE__MEMBER_ROLE_VIEWER;
    update.member = &values;
    remove.member_id = values.member_id;
    assert_int_equal(
        status_reason(failure_of(fixture, cx, member_update, &update.base)), REASON_LAST_OWNER);
    assert_int_equal(
        status_reason(failure_of(fixture, cx, member_remove, &remove.base)), REASON_LAST_OWNER);
    values.role = BILLINGOS__V1__MEMBER_ROLE__MEMBER_ROLE_UNSPECIFIED;
    values.name = pb_text("Ada Lovelace");
    updated = answer_of(fixture, cx, member_update, &update.base);
    assert_string_equal(updated->member->name, "Ada Lovelace");
    assert_string_equal(updated->member->etag, "2");
    assert_int_equal(updated->member->role, BILLINGOS__V1__MEMBER_ROLE__MEMBER_ROLE_OWNER);
    values.etag = pb_text("1");
    assert_int_equal(
        status_reason(failure_of(fixture, cx, member_update, &update.base)), REASON_ETAG_MISMATCH);
}

static Billingos__V1__CreateInvitationResponse *
invite(struct organization_fixture *fixture, struct ctx *cx, const char *email)
{
    Billingos__V1__Invitation values = BILLINGOS__V1__INVITATION__INIT;
    Billingos__V1__CreateInvitationRequest req = BILLINGOS__V1__CREATE_INVITATION_REQUEST__INIT;

    values.email = pb_text(email);
    values.role = BILLINGOS__V1__MEMBER_ROLE__MEMBER_ROLE_OWNER;
    req.invitation = &values;
    test_must(call_as(fixture, cx, live_secret(fixture), "CreateInvitation"));
    return answer_of(fixture, cx, invitation_create, &req.base);
}

static void an_invitation_makes_a_member_once(void **state)
{
    struct organization_fixture *fixture = *state;
    TEST_CALL(call);
    struct ctx *cx = &call.cx;
    Billingos__V1__AcceptInvitationRequest accept = BILLINGOS__V1__ACCEPT_INVITATION_REQUEST__INIT;
    Billingos__V1__RevokeInvitationRequest revoke = BILLINGOS__V1__REVOKE_INVITATION_REQUEST__INIT;
    Billingos__V1__RemoveMemberRequest remove = BILLINGOS__V1__REMOVE_MEMBER_REQUEST__INIT;
    Billingos__V1__ListMembersRequest list = BILLINGOS__V1__LIST_MEMBERS_REQUEST__INIT;
    const Billingos__V1__CreateInvitationResponse *made = NULL;
    Billingos__V1__AcceptInvitationResponse *first = NULL;
    Billingos__V1__AcceptInvitationResponse *again = NULL;
    Billingos__V1__ListMembersResponse *listed = NULL;

    made = invite(fixture, cx, "Bob@example.com");
    accept.token = made->token;
    accept.name = pb_text("Bob");
    accept.request_id = pb_text("accept-1");
    cx->method = "billingos.v1.OrganizationService/AcceptInvitation";
    cx->caller = (struct caller){.actor = ""};
    first = answer_of(fixture, cx, invitation_accept, &accept.base);
    assert_string_equal(first->member->email, "Bob@example.com");
    assert_string_equal(first->organization->name, "Acme");
    cx->idempotency_key = "";
    again = answer_of(fixture, cx, invitation_accept, &accept.base);
    assert_string_equal(again->member->member_id, first->member->member_id);
    cx->idempotency_key = "";
    accept.request_id = pb_text("accept-2");
    assert_int_equal(
        status_reason(failure_of(fixture, cx, invitation_accept, &accept.base)),
        REASON_INVITATION_CLOSED);
    accept.token = pb_text("bos_it_000000000000000000000000000000000000000000000000");
    assert_int_equal(
        status_reason(failure_of(fixture, cx, invitation_accept, &accept.base)),
        REASON_INVITATION_NOT_FOUND);

    test_must(call_as(fixture, cx, test_secret(fixture), "RevokeInvitation"));
    revoke.invitation_id = made->invitation->invitation_id;
    assert_int_equal(
        status_reason(failure_of(fixture, cx, invitation_revoke, &revoke.base)),
        REASON_INVITATION_CLOSED);
    list.page_size = 1;
    listed = answer_of(fixture, cx, member_list, &list.base);
    assert_string_equal(listed->members[0]->email, "ada@example.com");
    list.page_token = listed->next_page_token;
    listed = answer_of(fixture, cx, member_list, &list.base);
    assert_string_equal(listed->members[0]->email, "Bob@example.com");
    assert_string_equal(listed->next_page_token, "");
    remove.member_id = pb_id(cx, ID_MEMBER, &fixture->founding.owner.member_id);
    answer_of(fixture, cx, member_remove, &remove.base);
    remove.member_id = first->member->member_id;
    assert_int_equal(
        status_reason(failure_of(fixture, cx, member_remove, &remove.base)), REASON_LAST_OWNER);
}

static void an_address_is_invited_once_at_a_time(void **state)
{
    struct organization_fixture *fixture = *state;
    TEST_CALL(call);
    struct ctx *cx = &call.cx;
    Billingos__V1__Invitation values = BILLINGOS__V1__INVITATION__INIT;
    Billingos__V1__CreateInvitationRequest req = BILLINGOS__V1__CREATE_INVITATION_REQUEST__INIT;
    Billingos__V1__RevokeInvitationRequest revoke = BILLINGOS__V1__REVOKE_INVITATION_REQUEST__INIT;
    Billingos__V1__AcceptInvitationRequest accept = BILLINGOS__V1__ACCEPT_INVITATION_REQUEST__INIT;
    Billingos__V1__ListInvitationsRequest list = BILLINGOS__V1__LIST_INVITATIONS_REQUEST__INIT;
    const Billingos__V1__CreateInvitationResponse *made = invite(fixture, cx, "eve@example.com");
    Billingos__V1__ListInvitationsResponse *listed = NULL;
    struct status status;

    values.email = pb_text("EVE@example.com");
    values.role = BILLINGOS__V1__MEMBER_ROLE__MEMBER_ROLE_ADMIN;
    req.invitation = &values;
    status = failure_of(fixture, cx, invitation_create, &req.base);
    assert_int_equal(status_reason(status), REASON_INVITATION_EXISTS);
    assert_string_equal(pair_of(status, "invitation_id"), made->invitation->invitation_id);
    values.email = pb_text("ADA@example.com");
    assert_int_equal(
        status_reason(failure_of(fixture, cx, invitation_create, &req.base)), REASON_MEMBER_EXISTS);
    revoke.invitation_id = made->invitation->invitation_id;
    answer_of(fixture, cx, invitation_revoke, &revoke.base);
    answer_of(fixture, cx, invitation_revoke, &revoke.base);
    accept.token = made->token;
    assert_int_equal(
        status_reason(failure_of(fixture, cx, invitation_accept, &accept.base)),
        REASON_INVITATION_CLOSED);
    made = invite(fixture, cx, "eve@example.com");
    listed = answer_of(fixture, cx, invitation_list, &list.base);
    assert_int_equal(listed->n_invitations, 1);
    list.include_closed = true;
    listed = answer_of(fixture, cx, invitation_list, &list.base);
    assert_int_equal(listed->n_invitations, 2);
    cx->now_us += INVITATION_DEFAULT_US;
    accept.token = made->token;
    assert_int_equal(
        status_reason(failure_of(fixture, cx, invitation_accept, &accept.base)),
        REASON_INVITATION_EXPIRED);
}

static void the_audit_log_tells_who_changed_what(void **state)
{
    struct organization_fixture *fixture = *state;
    TEST_CALL(call);
    struct ctx *cx = &call.cx;
    Billingos__V1__ApiKey key;
    Billingos__V1__CreateApiKeyRequest create = key_request(&key, "\xc3\xa4 key");
    Billingos__V1__ListAuditLogRequest list = BILLINGOS__V1__LIST_AUDIT_LOG_REQUEST__INIT;
    Billingos__V1__CreateApiKeyResponse *made = NULL;
    Billingos__V1__ListAuditLogResponse *listed = NULL;

    create.request_id = pb_text("audited");
    test_must(call_as(fixture, cx, live_secret(fixture), "CreateApiKey"));
    cx->now_us += 10000;
    made = answer_of(fixture, cx, api_key_create, &create.base);
    listed = answer_of(fixture, cx, audit_log_list, &list.base);
    assert_int_equal(listed->n_entries, 2);
    assert_string_equal(listed->entries[0]->action, "OrganizationService.CreateApiKey");
    assert_string_equal(listed->entries[0]->resource_type, "api_key");
    assert_string_equal(listed->entries[0]->resource_id, made->issued->api_key->api_key_id);
    assert_string_equal(listed->entries[0]->request_id, "audited");
    assert_string_equal(listed->entries[0]->actor->actor_id, cx->caller.actor);
    assert_string_equal(listed->entries[0]->actor->name, "First secret key");
    assert_int_equal(listed->entries[0]->mode, MODE_LIVE);
    assert_string_equal(listed->entries[0]->changes[0]->path, "name");
    assert_string_equal(listed->entries[0]->changes[0]->new_value, "\xc3\xa4 key");
    assert_string_equal(listed->entries[1]->action, "org create");
    assert_int_equal(
        listed->entries[1]->actor->kind, BILLINGOS__V1__ACTOR_KIND__ACTOR_KIND_OPERATOR);
    assert_int_equal(listed->entries[1]->mode, BILLINGOS__V1__MODE__MODE_UNSPECIFIED);
    list.resource_id = made->issued->api_key->api_key_id;
    listed = answer_of(fixture, cx, audit_log_list, &list.base);
    assert_int_equal(listed->n_entries, 1);
    test_must(call_as(fixture, cx, test_secret(fixture), "ListAuditLog"));
    list.resource_id = pb_text("");
    listed = answer_of(fixture, cx, audit_log_list, &list.base);
    assert_int_equal(listed->n_entries, 1);
    assert_string_equal(listed->entries[0]->action, "org create");
}

static void an_operation_is_found_by_its_request_id(void **state)
{
    struct organization_fixture *fixture = *state;
    TEST_CALL(call);
    struct ctx *cx = &call.cx;
    Billingos__V1__ApiKey key;
    Billingos__V1__CreateApiKeyRequest create = key_request(&key, "k");
    Billingos__V1__RevokeApiKeyRequest revoke = BILLINGOS__V1__REVOKE_API_KEY_REQUEST__INIT;
    Billingos__V1__GetOperationRequest get = BILLINGOS__V1__GET_OPERATION_REQUEST__INIT;
    Billingos__V1__CreateApiKeyResponse *made = NULL;
    Billingos__V1__GetOperationResponse *got = NULL;
    struct status status;

    create.request_id = pb_text("same");
    revoke.request_id = pb_text("same");
    get.operation_case = BILLINGOS__V1__GET_OPERATION_REQUEST__OPERATION_REQUEST_ID;
    get.request_id = pb_text("same");
    test_must(call_as(fixture, cx, live_secret(fixture), "GetOperation"));
    assert_int_equal(
        status_reason(failure_of(fixture, cx, operation_get, &get.base)),
        REASON_OPERATION_NOT_FOUND);
    test_must(call_as(fixture, cx, live_secret(fixture), "CreateApiKey"));
    made = answer_of(fixture, cx, api_key_create, &create.base);
    got = answer_of(fixture, cx, operation_get, &get.base);
    assert_int_equal(
        got->operation->state, BILLINGOS__V1__OPERATION_STATE__OPERATION_STATE_SUCCEEDED);
    assert_string_equal(got->operation->method, "OrganizationService.CreateApiKey");
    assert_non_null(got->operation->finish_time);
    test_must(call_as(fixture, cx, live_secret(fixture), "RevokeApiKey"));
    revoke.api_key_id = made->issued->api_key->api_key_id;
    answer_of(fixture, cx, api_key_revoke, &revoke.base);
    status = failure_of(fixture, cx, operation_get, &get.base);
    assert_int_equal(status_reason(status), REASON_OPERATION_AMBIGUOUS);
    assert_string_equal(pair_of(status, "methods"), "RevokeApiKey,CreateApiKey");
    get.method = pb_text("CreateApiKey");
    got = answer_of(fixture, cx, operation_get, &get.base);
    get.operation_case = BILLINGOS__V1__GET_OPERATION_REQUEST__OPERATION_OPERATION_ID;
    get.operation_id = got->operation->operation_id;
    got = answer_of(fixture, cx, operation_get, &get.base);
    assert_string_equal(got->operation->method, "OrganizationService.CreateApiKey");
    test_must(call_as(fixture, cx, test_secret(fixture), "GetOperation"));
    assert_int_equal(
        status_reason(failure_of(fixture, cx, operation_get, &get.base)),
        REASON_OPERATION_NOT_FOUND);
}

static void the_ids_of_another_organization_do_not_exist(void **state)
{
    struct organization_fixture *fixture = *state;
    struct organization_founding other;
    TEST_CALL(call);
    struct ctx *cx = &call.cx;
    Billingos__V1__RotateApiKeyRequest rotate = BILLINGOS__V1__ROTATE_API_KEY_REQUEST__INIT;
    Billingos__V1__RevokeApiKeyRequest revoke = BILLINGOS__V1__REVOKE_API_KEY_REQUEST__INIT;
    Billingos__V1__Member values = BILLINGOS__V1__MEMBER__INIT;
    Billingos__V1__UpdateMemberRequest update = BILLINGOS__V1__UPDATE_MEMBER_REQUEST__INIT;
    Billingos__V1__RemoveMemberRequest remove = BILLINGOS__V1__REMOVE_MEMBER_REQUEST__INIT;
    Billingos__V1__RevokeInvitationRequest take = BILLINGOS__V1__REVOKE_INVITATION_REQUEST__INIT;
    const Billingos__V1__CreateInvitationResponse *made = invite(fixture, cx, "eve@example.com");

    organization_fixture_found(cx, &fixture->services, "Acme", &other);
    test_must(call_as(fixture, cx, other.keys[0].secret, "RevokeApiKey"));
    rotate.api_key_id = pb_id(cx, ID_KEY, &fixture->founding.keys[0].key.key_id);
    revoke.api_key_id = rotate.api_key_id;
    values.member_id = pb_id(cx, ID_MEMBER, &fixture->founding.owner.member_id);
    values.name = pb_text("x");
    update.member = &values;
    remove.member_id = values.member_id;
    take.invitation_id = made->invitation->invitation_id;
    assert_int_equal(
        status_reason(failure_of(fixture, cx, api_key_rotate, &rotate.base)),
        REASON_API_KEY_NOT_FOUND);
    assert_int_equal(
        status_reason(failure_of(fixture, cx, api_key_revoke, &revoke.base)),
        REASON_API_KEY_NOT_FOUND);
    assert_int_equal(
        status_reason(failure_of(fixture, cx, member_update, &update.base)),
        REASON_MEMBER_NOT_FOUND);
    assert_int_equal(
        status_reason(failure_of(fixture, cx, member_remove, &remove.base)),
        REASON_MEMBER_NOT_FOUND);
    assert_int_equal(
        status_reason(failure_of(fixture, cx, invitation_revoke, &take.base)),
        REASON_INVITATION_NOT_FOUND);
    test_must(call_as(fixture, cx, test_secret(fixture), "RevokeApiKey"));
    assert_int_equal(
        status_reason(failure_of(fixture, cx, api_key_revoke, &revoke.base)),
        REASON_API_KEY_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ORGANIZATION_TEST(the_last_owner_stays),
        ORGANIZATION_TEST(an_invitation_makes_a_member_once),
        ORGANIZATION_TEST(an_address_is_invited_once_at_a_time),
        ORGANIZATION_TEST(the_audit_log_tells_who_changed_what),
        ORGANIZATION_TEST(an_operation_is_found_by_its_request_id),
        ORGANIZATION_TEST(the_ids_of_another_organization_do_not_exist),
    };

    TEST_NEEDS_DATABASE();
    return cmocka_run_group_tests(tests, organization_fixture_schema, test_schema_drop);
}
