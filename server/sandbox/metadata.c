#include "sandbox/metadata.h"

#include <string.h>

#include "base/ctx.h"
#include "sandbox/call.h"
#include "sandbox/render.h"
#include "sandbox/sim.h"

static size_t find(const struct metadata *metadata, const char *key)
{
    size_t at = 0;

    while (at < metadata->count && strcmp(metadata->pairs[at].key, key) != 0) {
        at++;
    }
    return at;
}

bool metadata_check(struct call *call, const struct metadata *metadata, const char *param)
{
    size_t count = metadata->count;

    for (size_t i = 0; i < call->form.count; i++) {
        const struct form_pair *pair = &call->form.pairs[i];
        const char *key = form_member(call->cx->arena, pair, param);

        if (key == NULL) {
            continue;
        }
        if (strlen(key) > METADATA_KEY_MAX) {
            return call_fail(
                call,
                400,
                NULL,
                pair->key,
                "Metadata keys can be at most %d characters long.",
                METADATA_KEY_MAX);
        }
        if (strlen(pair->value) > METADATA_VALUE_MAX) {
            return call_fail(
                call,
                400,
                NULL,
                pair->key,
                "Metadata values can have up to %d characters.",
                METADATA_VALUE_MAX);
        }
        count += pair->value[0] != '\0' && find(metadata, key) == metadata->count;
    }
    return count <= METADATA_PAIRS_MAX || call_fail(
                                              call,
                                              400,
                                              NULL,
                                              param,
                                              "You can have at most %d metadata keys.",
                                              METADATA_PAIRS_MAX);
}

static void put(struct call *call, struct metadata *metadata, const char *key, const char *value)
{
    const size_t at = find(metadata, key);

    if (value[0] == '\0') {
        if (at < metadata->count) {
            metadata->pairs[at] = metadata->pairs[--metadata->count];
        }
        return;
    }
    if (metadata->pairs == NULL) {
        metadata->pairs = sim_alloc(call->sim, METADATA_PAIRS_MAX * sizeof *metadata->pairs);
    }
    if (at == metadata->count && at < METADATA_PAIRS_MAX) {
        metadata->pairs[metadata->count++].key = sim_text(call->sim, key);
    }
    if (at < METADATA_PAIRS_MAX) {
        metadata->pairs[at].value = sim_text(call->sim, value);
    }
}

void metadata_update(struct call *call, struct metadata *metadata, const char *param)
{
    if (form_get(&call->form, param) != NULL) {
        metadata->count = 0;
    }
    for (size_t i = 0; i < call->form.count; i++) {
        const struct form_pair *pair = &call->form.pairs[i];
        const char *key = form_member(call->cx->arena, pair, param);

        if (key != NULL) {
            put(call, metadata, key, pair->value);
        }
    }
}

void metadata_render(struct render *render, const char *name, const struct metadata *metadata)
{
    json_open_object(&render->writer, name);
    for (size_t i = 0; i < metadata->count; i++) {
        json_put_text(&render->writer, metadata->pairs[i].key, metadata->pairs[i].value);
    }
    json_close_object(&render->writer);
}
