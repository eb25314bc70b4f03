#pragma once

/* Checking the fields of an object so that the answer names every field that is wrong, not the
 * first one alone. Pure.
 *
 *     struct status result = STATUS_OK;
 *     field_note(cx, &result, field_check_text(cx, "feature.name", feature->name, 1, 100));
 *     field_note(cx, &result, ...);
 *     return result;
 */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"

struct ctx;

/* Adds what failed to *result. Violations of FIELD_INVALID are gathered; a failure with another
 * reason stands alone and wins, because it says more. */
void field_note(struct ctx *cx, struct status *result, struct status one);

/* "plan.name" in the arena; the name itself when the path is "". */
const char *field_path(struct ctx *cx, const char *path, const char *name);
/* "prices[2]" in the arena. */
const char *field_item(struct ctx *cx, const char *path, size_t index);

/* Characters, not bytes. min 1: required. */
struct status field_check_text(
    struct ctx *cx, const char *field, const char *text, size_t min, size_t max) MUST_CHECK;

/* A name that the merchant uses in code: 1 to 64 of a-z, 0-9, "_", "." and "-", starting with a
 * letter or digit. */
struct status field_check_key(struct ctx *cx, const char *field, const char *key) MUST_CHECK;

struct status field_check_range(
    struct ctx *cx, const char *field, int64_t value, int64_t min, int64_t max) MUST_CHECK;

/* At most count_max texts of 1 to letters_max characters, none twice. */
struct status field_check_texts(
    struct ctx *cx,
    const char *field,
    const char *const *texts,
    size_t count,
    size_t count_max,
    size_t letters_max) MUST_CHECK;

/* CURRENCY_UNKNOWN unless it is one of ISO 4217. */
struct status
field_check_currency(struct ctx *cx, const char *field, const char *currency) MUST_CHECK;

/* ETAG_MISMATCH unless the etag is empty or that version. */
struct status field_check_etag(struct ctx *cx, const char *etag, int64_t version) MUST_CHECK;
