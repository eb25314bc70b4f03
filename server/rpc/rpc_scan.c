#include "rpc/rpc_scan.h"

#include <stdbool.h>

#include "base/ctx.h"
#include "base/str.h"
#include "rpc/rpc_wire.h"

/* protobuf-c keeps a note of 32 bytes per field while it reads a message, in slabs that double; the
 * arena does not get them back. */
#define NOTE_BYTES 64
/* An unknown field is kept with its value. */
#define UNKNOWN_BYTES (sizeof(ProtobufCMessageUnknownField) + ALIGNMENT)
#define ALIGNMENT 16
#define TAG_BYTES_MAX 5
#define VARINT_BYTES_MAX 10

struct level {
    const ProtobufCMessageDescriptor *type;
    const ProtobufCFieldDescriptor *entered; /* the field that holds this message; NULL on top */
    const uint8_t *end;
    unsigned hint; /* where the next field is looked for first: fields mostly come in order */
};

struct scan {
    struct ctx *cx;
    const struct rpc_scan_limits *limits;
    const uint8_t *at;
    struct level levels[RPC_SCAN_DEPTH_MAX];
    uint32_t depth;
    size_t fields;
    size_t memory_bytes;
};

/* "price.tiers.up_to": the names from the top to the field. */
static const char *path_of(const struct scan *scan, const ProtobufCFieldDescriptor *field)
{
    const char *path = "";

    for (uint32_t i = 1; i < scan->depth; i++) {
        path = arena_printf(scan->cx->arena, "%s%s.", path, scan->levels[i].entered->name);
    }
    return arena_printf(scan->cx->arena, "%s%s", path, field->name);
}

static struct status malformed(const struct scan *scan, const char *why)
{
    return status_pair(
        scan->cx,
        status_fail(
            scan->cx,
            REASON_MESSAGE_MALFORMED,
            "cannot read message \"%s\": %s",
            scan->levels[0].type->name,
            why),
        "detail",
        why);
}

static struct status costly(const struct scan *scan, const char *what, const char *key, size_t max)
{
    return status_pair(
        scan->cx,
        status_fail(
            scan->cx,
            REASON_REQUEST_TOO_COSTLY,
            "message \"%s\" has more %s than a request may have",
            scan->levels[0].type->name,
            what),
        key,
        arena_printf(scan->cx->arena, "%zu", max));
}

static struct status bad_text(const struct scan *scan, const ProtobufCFieldDescriptor *field)
{
    const char *path = path_of(scan, field);
    const char *why = "text is not UTF-8, or holds a NUL";

    return status_violation(
        scan->cx,
        status_pair(
            scan->cx,
            status_fail(scan->cx, REASON_MESSAGE_MALFORMED, "%s: %s", path, why),
            "detail",
            why),
        path,
        why);
}

/* The field with this number, or NULL: then protobuf-c keeps it as unknown. */
static const ProtobufCFieldDescriptor *find_field(struct level *level, uint32_t number)
{
    const ProtobufCMessageDescriptor *type = level->type;
    const ProtobufCFieldDescriptor *found = NULL;

    for (unsigned i = level->hint; i < type->n_fields && i < level->hint + 2; i++) {
        if (type->fields[i].id == number) {
            level->hint = i;
            return &type->fields[i];
        }
    }
    found = protobuf_c_message_descriptor_get_field(type, number);
    if (found != NULL) {
        level->hint = (unsigned)(found - type->fields);
    }
    return found;
}

static enum rpc_wire_type wire_type_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return RPC_WIRE_FIXED32;
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return RPC_WIRE_FIXED64;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return RPC_WIRE_BYTES;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
        break;
    }
    return RPC_WIRE_VARINT;
}

static size_t rounded(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

/* Elements of a packed list: each takes 8 bytes at most. */
static bool packed_elements(enum rpc_wire_type wire, struct str bytes, size_t *ret_count)
{
    size_t count = 0;

    if (wire == RPC_WIRE_FIXED32 || wire == RPC_WIRE_FIXED64) {
        const size_t size = wire == RPC_WIRE_FIXED32 ? 4 : 8;

        *ret_count = bytes.len / size;
        return bytes.len % size == 0;
    }
    for (size_t i = 0; i < bytes.len; i++) {
        count += ((unsigned char)bytes.ptr[i] & 0x80) == 0;
    }
    *ret_count = count;
    return bytes.len == 0 || ((unsigned char)bytes.ptr[bytes.len - 1] & 0x80) == 0;
}

static struct status
enter(struct scan *scan, const ProtobufCFieldDescriptor *field, struct str bytes)
{
    const ProtobufCMessageDescriptor *type = field->descriptor;

    if (scan->depth >= scan->limits->depth_max || scan->depth >= RPC_SCAN_DEPTH_MAX) {
        return malformed(scan, "it is nested too deeply");
    }
    scan->memory_bytes += rounded(type->sizeof_message);
    scan->levels[scan->depth++] = (struct level){
        .type = type,
        .entered = field,
        .end = (const uint8_t *)bytes.ptr + bytes.len,
    };
    return STATUS_OK;
}

/* A field of the length-delimited wire type. scan->at stands on its first byte, and behind it
 * afterwards, unless it is a message: that is walked next. */
static struct status
take_bytes(struct scan *scan, const ProtobufCFieldDescriptor *field, struct str bytes)
{
    size_t count = 0;

    if (field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE) {
        return enter(scan, field, bytes);
    }
    scan->at += bytes.len;
    if (field == NULL || field->type == PROTOBUF_C_TYPE_BYTES) {
        scan->memory_bytes += rounded(bytes.len + VARINT_BYTES_MAX);
        return STATUS_OK;
    }
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        scan->memory_bytes += rounded(bytes.len + 1);
        return str_is_utf8(bytes) ? STATUS_OK : bad_text(scan, field);
    }
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        return malformed(scan, "a field has another type");
    }
    if (!packed_elements(wire_type_of(field->type), bytes, &count)) {
        return malformed(scan, "a packed list is cut off");
    }
    scan->memory_bytes += rounded(count * sizeof(uint64_t));
    return STATUS_OK;
}

static struct status
take_length(struct scan *scan, const struct level *level, const ProtobufCFieldDescriptor *field)
{
    uint64_t len = 0;

    if (!rpc_wire_varint(&scan->at, level->end, TAG_BYTES_MAX, &len) ||
        len > (uint64_t)(level->end - scan->at)) {
        return malformed(scan, "it is cut off");
    }
    return take_bytes(scan, field, (struct str){(const char *)scan->at, (size_t)len});
}

static struct status take_value(
    struct scan *scan,
    const struct level *level,
    const ProtobufCFieldDescriptor *field,
    enum rpc_wire_type wire)
{
    const size_t left = (size_t)(level->end - scan->at);
    uint64_t value = 0;

    if (field != NULL && wire != RPC_WIRE_BYTES && wire != wire_type_of(field->type)) {
        return malformed(scan, "a field has another type");
    }
    switch (wire) {
    case RPC_WIRE_BYTES:
        return take_length(scan, level, field);
    case RPC_WIRE_VARINT:
        if (!rpc_wire_varint(&scan->at, level->end, VARINT_BYTES_MAX, &value)) {
            return malformed(scan, "it is cut off");
        }
        return STATUS_OK;
    case RPC_WIRE_FIXED32:
    case RPC_WIRE_FIXED64:
        if (left < (wire == RPC_WIRE_FIXED32 ? 4 : 8)) {
            return malformed(scan, "it is cut off");
        }
        scan->at += wire == RPC_WIRE_FIXED32 ? 4 : 8;
        return STATUS_OK;
    case RPC_WIRE_GROUP_START:
    case RPC_WIRE_GROUP_END:
        return malformed(scan, "it uses groups");
    }
    return malformed(scan, "it has an unknown wire type");
}

static struct status take_field(struct scan *scan)
{
    struct level *level = &scan->levels[scan->depth - 1];
    const ProtobufCFieldDescriptor *field = NULL;
    uint64_t tag = 0;

    if (!rpc_wire_varint(&scan->at, level->end, TAG_BYTES_MAX, &tag) || tag > UINT32_MAX ||
        tag >> 3 == 0) {
        return malformed(scan, "it has no valid field number");
    }
    field = find_field(level, (uint32_t)(tag >> 3));
    scan->memory_bytes += field == NULL ? NOTE_BYTES + UNKNOWN_BYTES : NOTE_BYTES;
    if (++scan->fields > scan->limits->fields_max) {
        return costly(scan, "fields", "max_fields", scan->limits->fields_max);
    }
    TRY(take_value(scan, level, field, (enum rpc_wire_type)(tag & 7)));
    if (scan->memory_bytes > scan->limits->memory_max) {
        return costly(scan, "content", "max_bytes", scan->limits->memory_max);
    }
    return STATUS_OK;
}

struct status rpc_scan(
    struct ctx *cx,
    const ProtobufCMessageDescriptor *type,
    const uint8_t *bytes,
    size_t len,
    const struct rpc_scan_limits *limits,
    struct rpc_scan_cost *ret_cost)
{
    struct scan scan = {.cx = cx, .limits = limits, .at = bytes, .depth = 1};

    scan.levels[0] = (struct level){.type = type, .end = bytes + len};
    scan.memory_bytes = rounded(type->sizeof_message);
    while (scan.depth > 0) {
        if (scan.at == scan.levels[scan.depth - 1].end) {
            scan.depth--;
            continue;
        }
        TRY(take_field(&scan));
    }
    *ret_cost = (struct rpc_scan_cost){scan.fields, scan.memory_bytes};
    return STATUS_OK;
}

static void *arena_for_unpack(void *arena, size_t size)
{
    return arena_try_alloc(arena, size);
}

static void nothing_to_free(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

struct status rpc_scan_unpack(
    struct ctx *cx,
    const ProtobufCMessageDescriptor *type,
    const uint8_t *bytes,
    size_t len,
    const struct rpc_scan_limits *limits,
    ProtobufCMessage **ret_message)
{
    ProtobufCAllocator allocator = {arena_for_unpack, nothing_to_free, cx->arena};
    struct rpc_scan_cost cost = {0};
    ProtobufCMessage *message = NULL;

    TRY(rpc_scan(cx, type, bytes, len, limits, &cost));
    message = protobuf_c_message_unpack(type, &allocator, len, bytes);
    if (message == NULL && arena_failed(cx->arena)) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    if (message == NULL) {
        return status_fail(cx, REASON_MESSAGE_MALFORMED, "cannot read message \"%s\"", type->name);
    }
    *ret_message = message;
    return STATUS_OK;
}
