#include "handlers/map_order.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/pb.h"

static int by_key(const void *a, const void *b)
{
    const struct pb_map_entry *const *left = a;
    const struct pb_map_entry *const *right = b;

    return strcmp((*left)->key, (*right)->key);
}

void map_order_entries(size_t count, const void *entries)
{
    if (count > 1) {
        qsort((void *)(uintptr_t)entries, count, sizeof(struct pb_map_entry *), by_key);
    }
}

/* protobuf-c does not say which messages are the entries of a map; these are what protoc makes. */
static bool is_map(const ProtobufCFieldDescriptor *field)
{
    const ProtobufCMessageDescriptor *entry = field->descriptor;

    return field->label == PROTOBUF_C_LABEL_REPEATED && entry->n_fields == 2 &&
           entry->fields[0].type == PROTOBUF_C_TYPE_STRING &&
           strcmp(entry->fields[0].name, "key") == 0 && strcmp(entry->fields[1].name, "value") == 0;
}

static bool is_set(const char *bytes, const ProtobufCFieldDescriptor *field)
{
    uint32_t set = 0;

    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0) {
        return true;
    }
    memcpy(&set, bytes + field->quantifier_offset, sizeof set);
    return set == field->id;
}

static ProtobufCMessage *inner_of(const char *bytes, const ProtobufCFieldDescriptor *field)
{
    return *(ProtobufCMessage *const *)(const void *)(bytes + field->offset);
}

static void order_repeated(const char *bytes, const ProtobufCFieldDescriptor *field)
{
    ProtobufCMessage **all = NULL;
    size_t count = 0;

    memcpy(&count, bytes + field->quantifier_offset, sizeof count);
    memcpy(&all, bytes + field->offset, sizeof all);
    if (is_map(field)) {
        map_order_entries(count, all);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        map_order(all[i]);
    }
}

/* As deep as messages are nested, which the pre-scan has bounded. */
void map_order(ProtobufCMessage *message)
{
    const char *bytes = (const char *)message;

    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];

        if (field->type != PROTOBUF_C_TYPE_MESSAGE || !is_set(bytes, field)) {
            continue;
        }
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            order_repeated(bytes, field);
            continue;
        }
        if (inner_of(bytes, field) != NULL) {
            map_order(inner_of(bytes, field));
        }
    }
}
