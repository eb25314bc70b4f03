#include <string.h>

#include "base/arena.h"
#include "handlers/id_page.h"
#include "handlers/organization_handler.h"
#include "handlers/organization_pb.h"
#include "handlers/pb.h"
#include "http/json.h"
#include "services/audit.h"
#include "services/operations.h"

#define FILTER_BYTES_MAX 128
#define REQUEST_ID_BYTES_MAX 255

static void json_release(struct json **json)
{
    json_free(*json);
}

static void
put_changes(struct ctx *cx, const struct audit_entry *entry, Billingos__V1__AuditEntry *message)
{
    AUTO(json_release) struct json *document = NULL;
    json_value changes = NULL;
    size_t count = 0;

    if (json_parse(cx, entry->changes, strlen(entry->changes), &document).code != CODE_OK) {
        return;
    }
    changes = json_root(document);
    count = json_len(changes) > AUDIT_CHANGES_MAX ? AUDIT_CHANGES_MAX : json_len(changes);
    message->changes = arena_alloc(cx->arena, (count + 1) * sizeof(Billingos__V1__FieldChange *));
    message->n_changes = count;
    for (size_t i = 0; i < count; i++) {
        Billingos__V1__FieldChange *change =
            PB_NEW(cx, Billingos__V1__FieldChange, billingos__v1__field_change__init);

        change->path = pb_text(json_text(cx, json_item(changes, i), "path"));
        change->old_value = pb_text(json_text(cx, json_item(changes, i), "old"));
        change->new_value = pb_text(json_text(cx, json_item(changes, i), "new"));
        message->changes[i] = change;
    }
}

static Billingos__V1__AuditEntry *entry_pb(struct ctx *cx, const struct audit_entry *entry)
{
    Billingos__V1__AuditEntry *message =
        PB_NEW(cx, Billingos__V1__AuditEntry, billingos__v1__audit_entry__init);

    message->audit_entry_id = pb_id(cx, ID_AUDIT, &entry->audit_id);
    message->actor = organization_pb_actor(cx, entry->actor, entry->actor_name);
    message->mode = entry->both_modes ? BILLINGOS__V1__MODE__MODE_UNSPECIFIED
                                      : organization_pb_mode(entry->org_id % 2 == 0);
    message->action = pb_text(entry->action);
    message->resource_type = pb_text(entry->target_type);
    message->resource_id = pb_text(entry->target);
    message->request_id = pb_text(entry->request_id);
    message->create_time = pb_time(cx, entry->created_us);
    put_changes(cx, entry, message);
    return message;
}

static struct status list_read(
    struct ctx *cx,
    const Billingos__V1__ListAuditLogRequest *request,
    struct audit_filter *ret_filter)
{
    struct audit_filter filter = {
        .actor = request->actor_id,
        .target = request->resource_id,
        .action = request->action,
    };

    TRY(pb_check_text(cx, "actor_id", filter.actor, 0, FILTER_BYTES_MAX));
    TRY(pb_check_text(cx, "resource_id", filter.target, 0, FILTER_BYTES_MAX));
    TRY(pb_check_text(cx, "action", filter.action, 0, FILTER_BYTES_MAX));
    if (request->range != NULL) {
        TRY(pb_read_time(cx, "range.start_time", request->range->start_time, &filter.from_us));
        TRY(pb_read_time(cx, "range.end_time", request->range->end_time, &filter.until_us));
    }
    if (filter.until_us != 0 && filter.until_us < filter.from_us) {
        return status_field(cx, "range.end_time", "lies before start_time");
    }
    *ret_filter = filter;
    return STATUS_OK;
}

/* The texts cannot hold a NUL or, being ids and names, a line break that would shift the others. */
static const char *filter_text(struct ctx *cx, const struct audit_filter *filter)
{
    return arena_printf(
        cx->arena,
        "audit_log\n%s\n%s\n%s\n%lld\n%lld",
        filter->actor,
        filter->target,
        filter->action,
        (long long)filter->from_us,
        (long long)filter->until_us);
}

struct status audit_log_list(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    const Billingos__V1__ListAuditLogRequest *request =
        PB_REQUEST(Billingos__V1__ListAuditLogRequest, req);
    Billingos__V1__ListAuditLogResponse *response = PB_NEW(
        cx, Billingos__V1__ListAuditLogResponse, billingos__v1__list_audit_log_response__init);
    struct audit_entry *entries = NULL;
    struct audit_filter filter = {.actor = ""};
    struct id_page page;
    size_t fetched = 0;

    TRY(list_read(cx, request, &filter));
    TRY(id_page_read(
        cx, services, request->page_size, request->page_token, filter_text(cx, &filter), &page));
    TRY(audit_list(cx, services, &filter, &page.start, page.fetch, &entries, &fetched));
    response->n_entries = id_page_shown(&page, fetched);
    response->entries = arena_alloc(cx->arena, ID_PAGE_MAX * sizeof(Billingos__V1__AuditEntry *));
    for (size_t i = 0; i < response->n_entries; i++) {
        response->entries[i] = entry_pb(cx, &entries[i]);
        response->next_page_token =
            id_page_next(cx, services, &page, fetched, &entries[i].audit_id);
    }
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}

static Billingos__V1__OperationState state_of(enum intent_state state)
{
    switch (state) {
    case INTENT_PENDING:
        return BILLINGOS__V1__OPERATION_STATE__OPERATION_STATE_RUNNING;
    case INTENT_DONE:
        return BILLINGOS__V1__OPERATION_STATE__OPERATION_STATE_SUCCEEDED;
    case INTENT_FAILED:
        return BILLINGOS__V1__OPERATION_STATE__OPERATION_STATE_FAILED;
    }
    return BILLINGOS__V1__OPERATION_STATE__OPERATION_STATE_UNSPECIFIED;
}

/* {"reason": "PAYMENT_DECLINED", "message": ..., "metadata": {...}} */
static Billingos__V1__ItemError *failure_pb(struct ctx *cx, const char *failure)
{
    AUTO(json_release) struct json *document = NULL;
    Billingos__V1__ItemError *message =
        PB_NEW(cx, Billingos__V1__ItemError, billingos__v1__item_error__init);
    const ProtobufCEnumValue *reason = NULL;
    const char *name = NULL;

    if (json_parse(cx, failure, strlen(failure), &document).code != CODE_OK) {
        return message;
    }
    name = json_text(cx, json_root(document), "reason");
    for (size_t i = 0; i < REASON_COUNT; i++) {
        if (strcmp(reason_name((enum reason)i), name) == 0) {
            message->code = (int32_t)reason_code((enum reason)i);
        }
    }
    reason = protobuf_c_enum_descriptor_get_value_by_name(
        &billingos__v1__error_reason__descriptor, arena_printf(cx->arena, "ERROR_REASON_%s", name));
    message->reason = reason == NULL ? 0 : (Billingos__V1__ErrorReason)reason->value;
    message->message = pb_text(json_text(cx, json_root(document), "message"));
    message->metadata = pb_map(
        cx,
        json_print(cx, json_get(json_root(document), "metadata")),
        &billingos__v1__item_error__metadata_entry__descriptor,
        &message->n_metadata);
    return message;
}

/* The kind of object follows from the service: an intent knows its 16 bytes alone. */
static char *subject_text(struct ctx *cx, const struct intent *intent)
{
    if (strstr(intent->method, "SubscriptionService/") != NULL) {
        return pb_id(cx, ID_SUBSCRIPTION, &intent->subject_id);
    }
    if (strstr(intent->method, "CatalogService/") != NULL) {
        return pb_id(cx, ID_PLAN, &intent->subject_id);
    }
    if (strstr(intent->method, "CustomerService/") != NULL) {
        return pb_id(cx, ID_CUSTOMER, &intent->subject_id);
    }
    return pb_text("");
}

/* "billingos.v1.CatalogService/PublishPlan" -> "CatalogService.PublishPlan". */
static char *method_text(struct ctx *cx, const char *method)
{
    const struct str package = STR("billingos.v1.");
    char *text = NULL;
    char *slash = NULL;

    if (str_starts(str_of(method), package)) {
        method += package.len;
    }
    text = arena_text(cx->arena, method);
    slash = strchr(text, '/');
    if (slash != NULL) {
        *slash = '.';
    }
    return text;
}

static Billingos__V1__Operation *operation_pb(struct ctx *cx, const struct intent *intent)
{
    Billingos__V1__Operation *message =
        PB_NEW(cx, Billingos__V1__Operation, billingos__v1__operation__init);

    message->operation_id = pb_id(cx, ID_OPERATION, &intent->intent_id);
    message->request_id = pb_text(intent->request_id);
    message->method = method_text(cx, intent->method);
    message->state = state_of(intent->state);
    message->resource_id = subject_text(cx, intent);
    message->error = intent->state == INTENT_FAILED ? failure_pb(cx, intent->failure) : NULL;
    message->attempt_count = intent->attempts;
    message->create_time = pb_time(cx, intent->created_us);
    message->finish_time = intent->state == INTENT_PENDING ? NULL : pb_time(cx, intent->updated_us);
    return message;
}

static struct status operation_find(
    struct ctx *cx,
    void *services,
    const Billingos__V1__GetOperationRequest *request,
    struct intent *ret_intent)
{
    struct id operation_id;

    switch (request->operation_case) {
    case BILLINGOS__V1__GET_OPERATION_REQUEST__OPERATION_REQUEST_ID:
        TRY(pb_check_text(cx, "request_id", request->request_id, 1, REQUEST_ID_BYTES_MAX));
        TRY(pb_check_text(cx, "method", request->method, 0, FILTER_BYTES_MAX));
        return operations_find(cx, services, request->request_id, request->method, ret_intent);
    case BILLINGOS__V1__GET_OPERATION_REQUEST__OPERATION_OPERATION_ID:
        TRY(pb_read_id(cx, "operation_id", ID_OPERATION, request->operation_id, &operation_id));
        return operations_get(cx, services, &operation_id, ret_intent);
    default:
        return status_field(cx, "operation", "one of request_id and operation_id is required");
    }
}

struct status operation_get(
    struct ctx *cx, void *services, const ProtobufCMessage *req, ProtobufCMessage **ret_response)
{
    Billingos__V1__GetOperationResponse *response = PB_NEW(
        cx, Billingos__V1__GetOperationResponse, billingos__v1__get_operation_response__init);
    struct intent intent = {.method = ""};

    TRY(operation_find(cx, services, PB_REQUEST(Billingos__V1__GetOperationRequest, req), &intent));
    response->operation = operation_pb(cx, &intent);
    *ret_response = PB_ANSWER(response);
    return STATUS_OK;
}
