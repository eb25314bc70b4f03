/* InsightsService: how well the mirror agrees with the payment side. */

#include <billingos/v1/insights_service.pb-c.h>

#include "base/arena.h"
#include "handlers/id_page.h"
#include "handlers/insights_handler.h"
#include "handlers/keyed_call.h"
#include "handlers/pb.h"
#include "handlers/reconcile_pb.h"
#include "services/reconcile.h"
#include "services/services.h"

struct status mirror_health_get(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__GetMirrorHealthResponse *response = PB_NEW(
        cx,
        Billingos__V1__GetMirrorHealthResponse,
        billingos__v1__get_mirror_health_response__init);
    struct reconcile_health health;

    (void)req;
    TRY(reconcile_health(cx, services, &health));
    response->as_of_time = pb_time(cx, health.as_of_us);
    response->staleness =
        pb_duration(cx, cx->now_us > health.as_of_us ? cx->now_us - health.as_of_us : 0);
    response->accuracy = PB_NEW(cx, Billingos__V1__Ratio, billingos__v1__ratio__init);
    response->accuracy->numerator = health.last_done.matching;
    response->accuracy->denominator = health.last_done.compared;
    response->last_event_time = pb_time(cx, health.mirror.last_event_us);
    response->pending_event_count = health.mirror.pending_events;
    response->quarantined_event_count = health.mirror.quarantined_events;
    response->pending_operation_count = health.mirror.pending_operations;
    response->last_reconciliation = health.compared ? reconcile_pb(cx, &health.last) : NULL;
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static struct status start(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const ProtobufCMessage *req,
    ProtobufCMessage **ret_response)
{
    const Billingos__V1__StartReconciliationRequest *request =
        PB_REQUEST(Billingos__V1__StartReconciliationRequest, req);
    Billingos__V1__StartReconciliationResponse *response = PB_NEW(
        cx,
        Billingos__V1__StartReconciliationResponse,
        billingos__v1__start_reconciliation_response__init);
    struct reconciliation run;

    (void)services;
    TRY(reconcile_start(cx, tx, request->full, &run));
    response->reconciliation = reconcile_pb(cx, &run);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status reconciliation_start(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__StartReconciliationRequest *request =
        (Billingos__V1__StartReconciliationRequest *)(uintptr_t)req;

    return keyed_call(
        cx,
        services,
        req,
        &request->request_id,
        &billingos__v1__start_reconciliation_response__descriptor,
        start,
        ret_response);
}

struct status reconciliation_get(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__GetReconciliationRequest *request =
        PB_REQUEST(Billingos__V1__GetReconciliationRequest, req);
    Billingos__V1__GetReconciliationResponse *response = PB_NEW(
        cx,
        Billingos__V1__GetReconciliationResponse,
        billingos__v1__get_reconciliation_response__init);
    const struct services *parts = services;
    struct reconciliation run;
    struct id run_id;

    TRY(pb_read_id(cx, "reconcile_run_id", ID_RECONCILIATION, request->reconcile_run_id, &run_id));
    TRY(reconciliation_store_load(cx, parts->db, &run_id, &run));
    response->reconciliation = reconcile_pb(cx, &run);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

struct status reconciliation_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListReconciliationsRequest *request =
        PB_REQUEST(Billingos__V1__ListReconciliationsRequest, req);
    Billingos__V1__ListReconciliationsResponse *response = PB_NEW(
        cx,
        Billingos__V1__ListReconciliationsResponse,
        billingos__v1__list_reconciliations_response__init);
    const struct services *parts = services;
    struct reconciliation *runs = NULL;
    struct id_page page;
    size_t fetched = 0;

    TRY(id_page_read(
        cx, services, request->page_size, request->page_token, "reconciliations", &page));
    TRY(reconciliation_store_list(cx, parts->db, &page.start, (size_t)page.fetch, &runs, &fetched));
    response->n_reconciliations = id_page_shown(&page, fetched);
    response->reconciliations =
        arena_alloc(cx->arena, ID_PAGE_MAX * sizeof(Billingos__V1__Reconciliation *));
    for (size_t i = 0; i < response->n_reconciliations; i++) {
        response->reconciliations[i] = reconcile_pb(cx, &runs[i]);
        response->next_page_token = id_page_next(cx, services, &page, fetched, &runs[i].run_id);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static struct status read_filter(
    struct ctx *cx,
    const struct services *services,
    const Billingos__V1__ListDriftsRequest *request,
    struct drift_filter *ret_filter)
{
    struct reconciliation run;

    *ret_filter = (struct drift_filter){.open_only = request->open_only};
    if (request->kind < 0 || request->kind >= DRIFT_KINDS) {
        return status_field(cx, "kind", "is not a kind of difference");
    }
    ret_filter->kind = (enum drift_kind)request->kind;
    if (request->reconcile_run_id[0] == '\0') {
        return STATUS_OK;
    }
    TRY(pb_read_id(
        cx, "reconcile_run_id", ID_RECONCILIATION, request->reconcile_run_id, &ret_filter->run_id));
    return reconciliation_store_load(cx, services->db, &ret_filter->run_id, &run);
}

struct status drift_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListDriftsRequest *request =
        PB_REQUEST(Billingos__V1__ListDriftsRequest, req);
    Billingos__V1__ListDriftsResponse *response =
        PB_NEW(cx, Billingos__V1__ListDriftsResponse, billingos__v1__list_drifts_response__init);
    const struct services *parts = services;
    struct drift_filter filter;
    struct drift *drifts = NULL;
    struct id_page page;
    size_t fetched = 0;

    TRY(read_filter(cx, parts, request, &filter));
    TRY(id_page_read(
        cx,
        services,
        request->page_size,
        request->page_token,
        arena_printf(
            cx->arena,
            "drifts\n%s\n%d\n%d",
            request->reconcile_run_id,
            (int)filter.kind,
            (int)filter.open_only),
        &page));
    filter.before = page.start;
    TRY(drift_store_list(cx, parts->db, &filter, (size_t)page.fetch, &drifts, &fetched));
    response->n_drifts = id_page_shown(&page, fetched);
    response->drifts = arena_alloc(cx->arena, ID_PAGE_MAX * sizeof(Billingos__V1__Drift *));
    for (size_t i = 0; i < response->n_drifts; i++) {
        response->drifts[i] = drift_pb(cx, &drifts[i]);
        response->next_page_token = id_page_next(cx, services, &page, fetched, &drifts[i].drift_id);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}
