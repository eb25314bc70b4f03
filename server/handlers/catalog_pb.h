#pragma once

/* What the messages of the catalogue share: states, kinds, lists. Memory is of the arena of cx. */

#include <billingos/v1/catalog_service.pb-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "domain/catalog_state.h"
#include "domain/entitlement.h"

struct ctx;

Billingos__V1__FeatureKind catalog_pb_kind(enum feature_kind kind);
struct status catalog_pb_read_kind(
    struct ctx *cx, const char *field, Billingos__V1__FeatureKind kind, enum feature_kind *ret_kind)
    MUST_CHECK;

Billingos__V1__CatalogState catalog_pb_state(int64_t archived_us);
/* The field "state" of a list request. */
struct status catalog_pb_read_state(
    struct ctx *cx, Billingos__V1__CatalogState state, enum catalog_state *ret_state) MUST_CHECK;

char *catalog_pb_etag(struct ctx *cx, int64_t version);

/* A repeated text field. */
void catalog_pb_texts(
    struct ctx *cx, const char *const *texts, size_t count, size_t *ret_count, char ***ret_texts);

/* An array of count pointers for a repeated message field: ret is the address of the field. */
struct status catalog_pb_array(struct ctx *cx, size_t count, void *ret) MUST_CHECK;

/* {"number": 50}, {"text": "gold"} or {"json": {...}}, as the catalogue stores it. NULL for "". */
Billingos__V1__ConfigValue *catalog_pb_config(struct ctx *cx, const char *config);

/* Back; *ret_text is the text of {"text": ...}, else "". NULL message: both "". */
struct status catalog_pb_read_config(
    struct ctx *cx,
    const char *field,
    const Billingos__V1__ConfigValue *message,
    const char **ret_config,
    const char **ret_text) MUST_CHECK;
