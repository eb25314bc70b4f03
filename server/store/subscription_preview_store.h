#pragma once

/* Previews of changes: table subscription_previews. */

#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "base/status.h"

struct ctx;
struct db;
struct tx;

struct subscription_preview_row {
    struct id preview_id;
    struct id subscription_id;
    int64_t subscription_version;
    const char *request; /* a JSON object */
    int64_t expires_us;
};

/* Of one subscription the twenty youngest are kept. */
struct status subscription_preview_store_insert(
    struct ctx *cx, struct db *db, const struct subscription_preview_row *row) MUST_CHECK;

/* Fails with PREVIEW_EXPIRED, also when there never was such a preview of this subscription. */
struct status subscription_preview_store_load(
    struct ctx *cx,
    struct tx *tx,
    const struct id *subscription_id,
    const struct id *preview_id,
    struct subscription_preview_row *ret_row) MUST_CHECK;

/* PREVIEW_EXPIRED, which names it. */
struct status subscription_preview_store_expired(struct ctx *cx, const struct id *preview_id);

/* Deletes at most max that have expired, of all organisations. */
struct status subscription_preview_store_prune(
    struct ctx *cx, struct db *db, size_t max, size_t *ret_count) MUST_CHECK;
