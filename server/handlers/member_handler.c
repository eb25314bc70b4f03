#include "base/arena.h"
#include "handlers/id_page.h"
#include "handlers/keyed_call.h"
#include "handlers/organization_handler.h"
#include "handlers/organization_pb.h"
#include "handlers/pb.h"
#include "services/members.h"

/* The requests with what was read from them beside them. */
struct update_call {
    Billingos__V1__UpdateMemberRequest req;
    struct member_change change;
};

struct remove_call {
    Billingos__V1__RemoveMemberRequest req;
    struct id member_id;
};

struct status member_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListMembersRequest *request =
        PB_REQUEST(Billingos__V1__ListMembersRequest, req);
    Billingos__V1__ListMembersResponse *response =
        PB_NEW(cx, Billingos__V1__ListMembersResponse, billingos__v1__list_members_response__init);
    struct member *members = NULL;
    struct id_page page;
    size_t fetched = 0;

    TRY(id_page_read(cx, services, request->page_size, request->page_token, "members", &page));
    TRY(members_list(cx, services, &page.start, page.fetch, &members, &fetched));
    response->n_members = id_page_shown(&page, fetched);
    response->members = arena_alloc(cx->arena, ID_PAGE_MAX * sizeof(Billingos__V1__Member *));
    for (size_t i = 0; i < response->n_members; i++) {
        response->members[i] = organization_pb_member(cx, &members[i]);
        response->next_page_token =
            id_page_next(cx, services, &page, fetched, &members[i].member_id);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static struct status update_read(struct ctx *cx, struct update_call *call)
{
    /* What the server sets may be named and is passed over, as everywhere. */
    static const char *const allowed[] = {
        "name", "role", "member_id", "email", "last_active_time", "etag", "create_time", NULL};
    const Billingos__V1__Member *message = call->req.member;
    const Google__Protobuf__FieldMask *mask = call->req.update_mask;
    const bool masked = mask != NULL && mask->n_paths > 0;
    struct member_change *change = &call->change;

    if (message == NULL) {
        return status_field(cx, "member", "is required");
    }
    TRY(pb_read_id(cx, "member.member_id", ID_MEMBER, message->member_id, &change->member_id));
    TRY(pb_check_mask(cx, mask, allowed));
    if (masked ? pb_masked(mask, "name") : message->name[0] != '\0') {
        TRY(organization_pb_check_letters(
            cx, "member.name", message->name, 0, MEMBER_NAME_LETTERS_MAX));
        change->fields |= MEMBER_FIELD_NAME;
        change->name = message->name;
    }
    if (masked ? pb_masked(mask, "role")
               : message->role != BILLINGOS__V1__MEMBER_ROLE__MEMBER_ROLE_UNSPECIFIED) {
        TRY(organization_pb_read_role(cx, "member.role", message->role, &change->role));
        change->fields |= MEMBER_FIELD_ROLE;
    }
    change->etag = message->etag;
    return STATUS_OK;
}

static struct status update_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const struct update_call *call = (const struct update_call *)(const void *)req;
    Billingos__V1__UpdateMemberResponse *response = PB_NEW(
        cx, Billingos__V1__UpdateMemberResponse, billingos__v1__update_member_response__init);
    struct member member;

    (void)services;
    TRY(members_update(cx, tx, &call->change, &member));
    response->member = organization_pb_member(cx, &member);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status member_update(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct update_call call = {.req = *PB_REQUEST(Billingos__V1__UpdateMemberRequest, req)};

    TRY(update_read(cx, &call));
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__update_member_response__descriptor,
        update_work,
        ret_response);
}

static struct status remove_work(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const struct remove_call *call = (const struct remove_call *)(const void *)req;
    Billingos__V1__RemoveMemberResponse *response = PB_NEW(
        cx, Billingos__V1__RemoveMemberResponse, billingos__v1__remove_member_response__init);

    (void)services;
    TRY(members_remove(cx, tx, &call->member_id));
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status member_remove(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    struct remove_call call = {.req = *PB_REQUEST(Billingos__V1__RemoveMemberRequest, req)};

    TRY(pb_read_id(cx, "member_id", ID_MEMBER, call.req.member_id, &call.member_id));
    return keyed_call(
        cx,
        services,
        &call.req.base,
        &call.req.request_id,
        &billingos__v1__remove_member_response__descriptor,
        remove_work,
        ret_response);
}
