#pragma once

/* Values as the payment side writes them, into and out of our words: seconds and microseconds,
 * currencies in lower and upper case, amounts whose digits differ from ISO 4217, references that
 * are an id or the object itself. For the files of this folder. */

#include <stdint.h>

#include "base/cleanup.h"
#include "base/ctx.h"
#include "base/status.h"
#include "domain/payment.h"
#include "http/json.h"
#include "stripe/stripe_form.h"

void stripe_value_free_json(struct json **json);
#define AUTO_JSON AUTO(stripe_value_free_json) struct json

int64_t stripe_value_time(json_value object, const char *path);
const char *stripe_value_currency(struct ctx *cx, json_value object, const char *path);

/* "cus_1", or the id of the object that stands in its place. */
const char *stripe_value_reference(struct ctx *cx, json_value object, const char *path);

/* In minor units of ISO 4217. currency in upper case; an unknown one changes nothing. */
int64_t stripe_value_minor(json_value object, const char *path, const char *currency);
struct payment_marks stripe_value_marks(struct ctx *cx, json_value object, const char *path);

/* Metadata without our marks, as a JSON object of texts. */
const char *stripe_value_metadata(struct ctx *cx, json_value object, const char *path);

/* Minor units of ISO 4217 in those of the payment side. Fails with QUANTITY_OVERFLOW, and with
 * FIELD_INVALID when the payment side has no such small unit. */
struct status stripe_value_put_minor(
    struct ctx *cx, struct stripe_form *form, const char *name, int64_t minor, const char *currency)
    MUST_CHECK;

/* The same for an amount with digits behind the point of the minor unit, "0.25". */
void stripe_value_put_decimal(
    struct ctx *cx,
    struct stripe_form *form,
    const char *name,
    const char *decimal,
    const char *currency);
void stripe_value_put_currency(struct ctx *cx, struct stripe_form *form, const char *currency);
void stripe_value_put_marks(struct stripe_form *form, const struct payment_marks *marks);

/* start, id, end as one path. Fails with INTERNAL when the id is not one: it would be another path.
 */
struct status stripe_value_path(
    struct ctx *cx, const char *start, const char *id, const char *end, const char **ret_path)
    MUST_CHECK;
