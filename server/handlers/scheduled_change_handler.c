#include "handlers/scheduled_change_handler.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/field_check.h"
#include "handlers/keyed_call.h"
#include "handlers/list_page.h"
#include "handlers/pb.h"
#include "handlers/subscription_change_pb.h"
#include "handlers/subscription_pb.h"
#include "services/subscription_schedule.h"

static const struct list_sizes page_sizes = {.fallback = 50, .max = 200};

static struct status
read_filter(struct ctx *cx, const char *subscription_id, struct id *ret_subscription_id)
{
    *ret_subscription_id = (struct id){{0}};
    if (subscription_id[0] == '\0') {
        return STATUS_OK;
    }
    TRY(pb_read_id(cx, "subscription_id", ID_SUBSCRIPTION, subscription_id, ret_subscription_id));
    return id_is_zero(ret_subscription_id) /* nobody has it, and to us it means "any" */
               ? status_pair(
                     cx,
                     status_of(cx, REASON_SUBSCRIPTION_NOT_FOUND),
                     "subscription_id",
                     subscription_id)
               : STATUS_OK;
}

struct status scheduled_change_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListScheduledChangesRequest *request =
        PB_REQUEST(Billingos__V1__ListScheduledChangesRequest, req);
    Billingos__V1__ListScheduledChangesResponse *response = PB_NEW(
        cx,
        Billingos__V1__ListScheduledChangesResponse,
        billingos__v1__list_scheduled_changes_response__init);
    struct scheduled_change *changes = NULL;
    struct scheduled_change_filter filter;
    struct list_page page;
    size_t fetched = 0;

    TRY(read_filter(cx, request->subscription_id, &filter.subscription_id));
    TRY(list_page_read(
        cx,
        services,
        page_sizes,
        request->page_size,
        request->page_token,
        arena_printf(cx->arena, "scheduled_changes %s", request->subscription_id),
        &page));
    filter.after_us = page.start.number;
    filter.after_id = page.start.id;
    TRY(scheduled_changes_list(cx, services, &filter, (size_t)page.fetch, &changes, &fetched));
    response->n_scheduled_changes = list_page_shown(&page, fetched);
    response->scheduled_changes = arena_alloc(
        cx->arena, (response->n_scheduled_changes + 1) * sizeof(Billingos__V1__ScheduledChange *));
    for (size_t i = 0; i < response->n_scheduled_changes; i++) {
        const struct page_position last = {changes[i].effective_us, changes[i].change_id};

        response->scheduled_changes[i] = subscription_change_pb_scheduled(cx, &changes[i]);
        response->next_page_token = list_page_next(cx, services, &page, fetched, &last);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status scheduled_change_cancel(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__CancelScheduledChangeRequest request =
        *PB_REQUEST(Billingos__V1__CancelScheduledChangeRequest, req);
    Billingos__V1__CancelScheduledChangeResponse *response = PB_NEW(
        cx,
        Billingos__V1__CancelScheduledChangeResponse,
        billingos__v1__cancel_scheduled_change_response__init);
    struct status result = STATUS_OK;
    struct subscription subscription;
    struct id subscription_id;
    struct id change_id;
    struct keyed keyed;

    field_note(
        cx,
        &result,
        pb_read_id(
            cx, "subscription_id", ID_SUBSCRIPTION, request.subscription_id, &subscription_id));
    field_note(
        cx,
        &result,
        pb_read_id(
            cx,
            "scheduled_change_id",
            ID_SCHEDULED_CHANGE,
            request.scheduled_change_id,
            &change_id));
    TRY(result);
    TRY(keyed_call_key(cx, &request.base, &request.request_id, &keyed));
    TRY(scheduled_changes_cancel(
        cx, services, &keyed, &subscription_id, &change_id, &subscription));
    response->subscription = subscription_pb(cx, &subscription);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}
