#include "handlers/item_error.h"

#include <billingos/v1/error_reason.pb-c.h>
#include <stdio.h>

#include "base/arena.h"
#include "handlers/pb.h"
#include "rpc/rpc_status.h"

static Billingos__V1__ErrorReason reason_pb(enum reason reason)
{
    char name[96];
    const ProtobufCEnumValue *value = NULL;

    snprintf(name, sizeof name, "ERROR_REASON_%s", reason_name(reason));
    value = protobuf_c_enum_descriptor_get_value_by_name(
        &billingos__v1__error_reason__descriptor, name);
    return value == NULL ? BILLINGOS__V1__ERROR_REASON__ERROR_REASON_UNSPECIFIED
                         : (Billingos__V1__ErrorReason)value->value;
}

/* Pairs and field violations alike: here there is no place for both. */
static void
add_metadata(struct ctx *cx, Billingos__V1__ItemError *message, const char *key, const char *value)
{
    Billingos__V1__ItemError__MetadataEntry *entry = PB_NEW(
        cx,
        Billingos__V1__ItemError__MetadataEntry,
        billingos__v1__item_error__metadata_entry__init);

    entry->key = pb_text(key);
    entry->value = pb_text(value);
    message->metadata[message->n_metadata++] = entry;
}

Billingos__V1__ItemError *item_error_pb(struct ctx *cx, struct status status)
{
    const struct status shown = rpc_status_public(cx, status);
    const struct error *error = shown.error;
    Billingos__V1__ItemError *message =
        PB_NEW(cx, Billingos__V1__ItemError, billingos__v1__item_error__init);

    message->code = (int32_t)shown.code;
    message->reason = reason_pb(status_reason(shown));
    message->message = pb_text(status_message(shown));
    message->metadata = arena_alloc(
        cx->arena,
        (error->pair_count + error->violation_count + 1) *
            sizeof(Billingos__V1__ItemError__MetadataEntry *));
    for (size_t i = 0; i < error->pair_count; i++) {
        add_metadata(cx, message, error->pairs[i].key, error->pairs[i].value);
    }
    for (size_t i = 0; i < error->violation_count; i++) {
        add_metadata(cx, message, error->violations[i].field, error->violations[i].description);
    }
    if (error->retry_ms > 0) {
        message->retry_delay = pb_duration(cx, error->retry_ms * 1000);
    }
    return message;
}
