#include "base/arena.h"
#include "handlers/id_page.h"
#include "handlers/keyed_call.h"
#include "handlers/organization_handler.h"
#include "handlers/organization_pb.h"
#include "handlers/pb.h"
#include "services/invitations.h"

#define TOKEN_BYTES_MAX 128

/* The requests with what was read from them beside them; the token stays out of the answer that is
 * kept for a repeat. */
struct create_call {
    Billingos__V1__CreateInvitationRequest req;
    struct invitation input;
    const char *token;
};

struct accept_call {
    Billingos__V1__AcceptInvitationRequest req;
    struct invitation_entry entry;
};

struct revoke_call {
    Billingos__V1__RevokeInvitationRequest req;
    struct id invitation_id;
};

static struct status create_read(struct ctx *cx, struct create_call *call)
{
    const Billingos__V1__Invitation *message = call->req.invitation;

    if (message == NULL) {
        return status_field(cx, "invitation", "is required");
    }
    TRY(organization_pb_check_email(cx, "invitation.email", message->email));
    TRY(organization_pb_read_role(cx, "invitation.role", message->role, &call->input.role));
    TRY(pb_read_time(cx, "invitation.expire_time", message->expire_time, &call->input.expires_us));
    call->input.email = message->email;
    return STATUS_OK;
}

static struct status create_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    struct create_call *call = (struct create_call *)(uintptr_t)req;
    Billingos__V1__CreateInvitationResponse *response = PB_NEW(
        cx,
        Billingos__V1__CreateInvitationResponse,
        billingos__v1__create_invitation_response__init);
    struct invitation invitation;

    (void)services;
    TRY(invitations_create(cx, tx, &call->input, &invitation, &call->token));
    response->invitation = organization_pb_invitation(cx, &invitation);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status invitation_create(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct create_call call = {
        .req = *PB_REQUEST(Billingos__V1__CreateInvitationRequest, req),
        .token = "",
    };
    Billingos__V1__CreateInvitationResponse *response = NULL;

    TRY(create_read(cx, &call));
    TRY(keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__create_invitation_response__descriptor,
        create_work,
        ret_response));
    response = (Billingos__V1__CreateInvitationResponse *)*ret_response;
    response->token = pb_text(call.token);
    return STATUS_OK;
}

static struct status accept_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const struct accept_call *call = (const struct accept_call *)(const void *)req;
    Billingos__V1__AcceptInvitationResponse *response = PB_NEW(
        cx,
        Billingos__V1__AcceptInvitationResponse,
        billingos__v1__accept_invitation_response__init);
    struct invitation_acceptance acceptance;

    (void)services;
    TRY(invitations_accept(cx, tx, &call->entry, call->req.name, &acceptance));
    response->member = organization_pb_member(cx, &acceptance.member);
    response->organization = organization_pb(cx, acceptance.organization);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status invitation_accept(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct accept_call call = {.req = *PB_REQUEST(Billingos__V1__AcceptInvitationRequest, req)};

    TRY(pb_check_text(cx, "token", call.req.token, 1, TOKEN_BYTES_MAX));
    TRY(organization_pb_check_letters(cx, "name", call.req.name, 0, MEMBER_NAME_LETTERS_MAX));
    TRY(invitations_enter(cx, services, call.req.token, &call.entry));
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__accept_invitation_response__descriptor,
        accept_work,
        ret_response);
}

struct status invitation_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListInvitationsRequest *request =
        PB_REQUEST(Billingos__V1__ListInvitationsRequest, req);
    Billingos__V1__ListInvitationsResponse *response = PB_NEW(
        cx, Billingos__V1__ListInvitationsResponse, billingos__v1__list_invitations_response__init);
    struct invitation *invitations = NULL;
    struct id_page page;
    size_t fetched = 0;

    TRY(id_page_read(
        cx,
        services,
        request->page_size,
        request->page_token,
        request->include_closed ? "invitations all" : "invitations",
        &page));
    TRY(invitations_list(
        cx, services, request->include_closed, &page.start, page.fetch, &invitations, &fetched));
    response->n_invitations = id_page_shown(&page, fetched);
    response->invitations =
        arena_alloc(cx->arena, ID_PAGE_MAX * sizeof(Billingos__V1__Invitation *));
    for (size_t i = 0; i < response->n_invitations; i++) {
        response->invitations[i] = organization_pb_invitation(cx, &invitations[i]);
        response->next_page_token =
            id_page_next(cx, services, &page, fetched, &invitations[i].invitation_id);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static struct status revoke_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const struct revoke_call *call = (const struct revoke_call *)(const void *)req;
    Billingos__V1__RevokeInvitationResponse *response = PB_NEW(
        cx,
        Billingos__V1__RevokeInvitationResponse,
        billingos__v1__revoke_invitation_response__init);
    struct invitation invitation;

    (void)services;
    TRY(invitations_revoke(cx, tx, &call->invitation_id, &invitation));
    response->invitation = organization_pb_invitation(cx, &invitation);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status invitation_revoke(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct revoke_call call = {.req = *PB_REQUEST(Billingos__V1__RevokeInvitationRequest, req)};

    TRY(pb_read_id(
        cx, "invitation_id", ID_INVITATION, call.req.invitation_id, &call.invitation_id));
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__revoke_invitation_response__descriptor,
        revoke_work,
        ret_response);
}
