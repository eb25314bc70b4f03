#include "rpc/rpc_status.h"

#include <stdbool.h>
#include <string.h>

#include "base/ctx.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

#define DETAILS_MAX 4

/* How much is said when the whole does not fit. */
enum amount {
    AMOUNT_ALL,
    AMOUNT_WITHOUT_VIOLATIONS,
    AMOUNT_LEAST
};

/* The messages under construction; they point at each other and into the error. */
struct details {
    struct arena *arena;
    Google__Rpc__Status status;
    Google__Protobuf__Any any[DETAILS_MAX];
    Google__Protobuf__Any *any_pointers[DETAILS_MAX];
    char message[RPC_STATUS_MESSAGE_MAX + 1];
    bool failed;
};

struct str rpc_status_text(struct status status)
{
    struct str text = str_of(status_message(status));

    if (text.len > RPC_STATUS_MESSAGE_MAX) {
        text.len = RPC_STATUS_MESSAGE_MAX;
        while (text.len > 0 && ((unsigned char)text.ptr[text.len] & 0xc0) == 0x80) {
            text.len--; /* do not cut a character in two */
        }
    }
    return text;
}

/* Pairs that the parts of the program tell each other. */
static bool is_internal(const char *key)
{
    return strcmp(key, "sqlstate") == 0 || strcmp(key, "constraint") == 0;
}

static size_t count_public(const struct error *error)
{
    size_t count = 0;

    for (size_t i = 0; i < error->pair_count; i++) {
        count += is_internal(error->pairs[i].key) ? 0 : 1;
    }
    return count;
}

struct status rpc_status_public(struct ctx *cx, struct status status)
{
    struct error *shown = NULL;

    if (status.code == CODE_INTERNAL) {
        return status_pair(cx, status_of(cx, REASON_INTERNAL), "call_id", cx->request_id);
    }
    if (status.code == CODE_OK || count_public(status.error) == status.error->pair_count) {
        return status;
    }
    shown = arena_try_alloc(cx->arena, sizeof *shown);
    if (shown == NULL) {
        return status_of(cx, status_reason(status));
    }
    *shown = *status.error;
    shown->pair_count = 0;
    for (size_t i = 0; i < status.error->pair_count; i++) {
        if (!is_internal(status.error->pairs[i].key)) {
            shown->pairs[shown->pair_count++] = status.error->pairs[i];
        }
    }
    return (struct status){status.code, shown};
}

/* type_url is a literal. */
static void add(struct details *details, const char *type_url, const ProtobufCMessage *message)
{
    const size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = arena_try_alloc(details->arena, len + 1);
    Google__Protobuf__Any *any = &details->any[details->status.n_details];

    if (bytes == NULL) {
        details->failed = true;
        return;
    }
    protobuf_c_message_pack(message, bytes);
    google__protobuf__any__init(any);
    any->type_url = (char *)type_url;
    any->value = (ProtobufCBinaryData){len, bytes};
    details->any_pointers[details->status.n_details++] = any;
}

static void add_error_info(struct details *details, const struct error *error, enum amount amount)
{
    Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
    Google__Rpc__ErrorInfo__MetadataEntry pairs[ERROR_PAIRS_MAX];
    Google__Rpc__ErrorInfo__MetadataEntry *pointers[ERROR_PAIRS_MAX];

    info.reason = (char *)reason_name(error->reason);
    info.domain = (char *)RPC_STATUS_DOMAIN;
    for (size_t i = 0; i < error->pair_count; i++) {
        google__rpc__error_info__metadata_entry__init(&pairs[i]);
        pairs[i].key = (char *)error->pairs[i].key;
        pairs[i].value = (char *)error->pairs[i].value;
        pointers[i] = &pairs[i];
    }
    info.n_metadata = amount == AMOUNT_LEAST ? 0 : error->pair_count;
    info.metadata = pointers;
    add(details, "type.googleapis.com/google.rpc.ErrorInfo", &info.base);
}

static void add_bad_request(struct details *details, const struct error *error)
{
    Google__Rpc__BadRequest bad = GOOGLE__RPC__BAD_REQUEST__INIT;
    Google__Rpc__BadRequest__FieldViolation violations[ERROR_VIOLATIONS_MAX];
    Google__Rpc__BadRequest__FieldViolation *pointers[ERROR_VIOLATIONS_MAX];

    for (size_t i = 0; i < error->violation_count; i++) {
        google__rpc__bad_request__field_violation__init(&violations[i]);
        violations[i].field = (char *)error->violations[i].field;
        violations[i].description = (char *)error->violations[i].description;
        pointers[i] = &violations[i];
    }
    bad.n_field_violations = error->violation_count;
    bad.field_violations = pointers;
    add(details, "type.googleapis.com/google.rpc.BadRequest", &bad.base);
}

static void add_retry_info(struct details *details, int64_t retry_ms)
{
    Google__Rpc__RetryInfo retry = GOOGLE__RPC__RETRY_INFO__INIT;
    Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;

    delay.seconds = retry_ms / 1000;
    delay.nanos = (int32_t)(retry_ms % 1000 * 1000000);
    retry.retry_delay = &delay;
    add(details, "type.googleapis.com/google.rpc.RetryInfo", &retry.base);
}

static void add_request_info(struct details *details, const char *request_id)
{
    Google__Rpc__RequestInfo info = GOOGLE__RPC__REQUEST_INFO__INIT;

    info.request_id = (char *)request_id;
    add(details, "type.googleapis.com/google.rpc.RequestInfo", &info.base);
}

static struct str
pack(struct arena *arena, struct status status, const char *request_id, enum amount amount)
{
    const struct str text = rpc_status_text(status);
    struct details details = {.arena = arena};
    size_t len = 0;
    uint8_t *bytes = NULL;

    google__rpc__status__init(&details.status);
    memcpy(details.message, text.ptr, text.len);
    details.status.code = (int32_t)status.code;
    details.status.message = details.message;
    details.status.details = details.any_pointers;
    add_error_info(&details, status.error, amount);
    if (status.error->violation_count > 0 && amount == AMOUNT_ALL) {
        add_bad_request(&details, status.error);
    }
    if (status.error->retry_ms > 0) {
        add_retry_info(&details, status.error->retry_ms);
    }
    if (*request_id != '\0') {
        add_request_info(&details, request_id);
    }
    len = google__rpc__status__get_packed_size(&details.status);
    bytes = details.failed ? NULL : arena_try_alloc(arena, len);
    if (bytes == NULL) {
        return STR("");
    }
    google__rpc__status__pack(&details.status, bytes);
    return (struct str){(const char *)bytes, len};
}

struct str rpc_status_details(struct arena *arena, struct status status, const char *request_id)
{
    struct str packed = STR("");

    if (status.code == CODE_OK) {
        return packed;
    }
    packed = pack(arena, status, request_id, AMOUNT_ALL);
    for (enum amount amount = AMOUNT_WITHOUT_VIOLATIONS;
         packed.len > RPC_STATUS_DETAILS_MAX && amount <= AMOUNT_LEAST;
         amount++) {
        packed = pack(arena, status, request_id, amount);
    }
    return packed;
}
