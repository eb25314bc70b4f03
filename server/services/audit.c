#include "services/audit.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "domain/organization.h"
#include "http/json.h"
#include "services/services.h"
#include "store/audit_store.h"

/* 50 changes of two values of 500 characters, each of up to 4 bytes or escaped in 6. */
#define CHANGES_BYTES_MAX ((size_t)512 * 1024)

void audit_note(
    struct audit_changes *changes, const char *path, const char *old_value, const char *new_value)
{
    if (changes->count < AUDIT_CHANGES_MAX && strcmp(old_value, new_value) != 0) {
        changes->items[changes->count++] = (struct audit_change){path, old_value, new_value};
    }
}

/* "billingos.v1.CatalogService/PublishPlan" -> "CatalogService.PublishPlan". */
static const char *action_of(struct ctx *cx)
{
    const char *slash = strchr(cx->method, '/');
    const char *start = slash;

    if (slash == NULL) {
        return cx->method;
    }
    while (start > cx->method && start[-1] != '.') {
        start--;
    }
    return arena_printf(cx->arena, "%.*s.%s", (int)(slash - start), start, slash + 1);
}

/* The first letters, never half of one: bytes 10xxxxxx go on with a letter. */
static const char *cut(struct ctx *cx, const char *text)
{
    size_t letters = 0;

    for (size_t i = 0; text[i] != '\0'; i++) {
        letters += ((unsigned char)text[i] & 0xc0) != 0x80 ? 1 : 0;
        if (letters > AUDIT_VALUE_LETTERS_MAX) {
            return arena_text_n(cx->arena, text, i);
        }
    }
    return text;
}

static const char *json_of(struct ctx *cx, const struct audit_changes *changes)
{
    AUTO_BUF buf;
    struct json_writer writer;

    buf_init(&buf, CHANGES_BYTES_MAX);
    json_begin(&writer, &buf);
    json_open_array(&writer, NULL);
    for (size_t i = 0; changes != NULL && i < changes->count; i++) {
        json_open_object(&writer, NULL);
        json_put_text(&writer, "path", changes->items[i].path);
        json_put_text(&writer, "old", cut(cx, changes->items[i].old_value));
        json_put_text(&writer, "new", cut(cx, changes->items[i].new_value));
        json_close_object(&writer);
    }
    json_close_array(&writer);
    return buf_failed(&buf) ? "[]" : arena_text(cx->arena, buf_cstr(&buf));
}

static struct status
add(struct ctx *cx, struct tx *tx, struct audit_entry entry, const struct audit_changes *changes)
{
    entry.audit_id = id_new(cx->now_us);
    entry.actor = cx->caller.actor;
    entry.actor_name = "";
    entry.action = action_of(cx);
    entry.changes = json_of(cx, changes);
    entry.request_id = cx->idempotency_key;
    entry.created_us = cx->now_us;
    return audit_store_insert(cx, tx, &entry);
}

struct status audit_add(
    struct ctx *cx,
    struct tx *tx,
    const char *type,
    const char *target,
    const struct audit_changes *changes)
{
    const struct audit_entry entry = {
        .org_id = cx->caller.org_id,
        .target_type = type,
        .target = target,
    };

    return add(cx, tx, entry, changes);
}

struct status audit_add_shared(
    struct ctx *cx,
    struct tx *tx,
    const char *type,
    const char *target,
    const struct audit_changes *changes)
{
    const struct audit_entry entry = {
        .org_id = organization_live_number(cx->caller.org_id),
        .both_modes = true,
        .target_type = type,
        .target = target,
    };

    return add(cx, tx, entry, changes);
}

struct status audit_list(
    struct ctx *cx,
    struct services *services,
    const struct audit_filter *filter,
    const struct id *before,
    int32_t max,
    struct audit_entry **ret_entries,
    size_t *ret_count)
{
    return audit_store_list(cx, services->db, filter, before, max, ret_entries, ret_count);
}
