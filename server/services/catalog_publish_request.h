#pragma once

/* What an intent of PublishPlan needs to be driven, written once so that every try sends the same,
 * together with the answer that it will have. */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/status.h"
#include "base/str.h"

struct ctx;

struct publish_request {
    int32_t number;         /* the version */
    const char *account_id; /* at the payment side; "" = local, nothing is to be paid */
    const char *org_id;     /* "org_..." */
    const char *name;       /* of the plan, as it was */
    const char *description;
    int64_t published_us;
    bool mirror_only; /* it is published already, and only unknown at the payment side */
    struct str answer;
};

/* Texts in the arena of cx. */
struct status publish_request_write(
    struct ctx *cx, const struct publish_request *request, struct str *ret_text) MUST_CHECK;

/* INTERNAL when the text is none of ours. */
struct status publish_request_read(
    struct ctx *cx, struct str text, struct publish_request *ret_request) MUST_CHECK;
