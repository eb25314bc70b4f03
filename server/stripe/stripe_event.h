#pragma once

/* Events of the payment side: from the body of a webhook, or listed after an outage. They name what
 * changed; what it is now is read from the object itself, since events come twice, late, out of
 * order and in the version of their creation. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "domain/payment.h"
#include "http/json.h"

struct ctx;
struct stripe_client;

#define STRIPE_EVENT_TYPES_MAX 20 /* of one list call */

struct stripe_event_query {
    const char *after;        /* the id of an event: those that came later; "" = from the newest */
    const char *before;       /* the id of an event: those that came earlier; "" = no limit */
    const char *const *types; /* "invoice.paid"; NULL-terminated; NULL = all */
    int64_t created_from_us;  /* 0: as far back as there are, 30 days */
    int64_t limit;            /* 1 to 100 */
    bool undelivered;         /* only those that our endpoints did not take */
};

struct payment_event_page {
    const struct payment_event *events; /* the oldest first */
    size_t count;
    bool has_more; /* with `after`: go on from the last of these */
};

/* Both kinds of body, whole events and thin ones. Verify the signature first. Fails with
 * MESSAGE_MALFORMED when the body is no event. */
struct status stripe_event_parse(
    struct ctx *cx, const void *body, size_t len, struct payment_event *ret_event) MUST_CHECK;

/* account_id "" = the platform's own events. Failures: stripe_client.h. */
struct status stripe_event_list(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const struct stripe_event_query *query,
    struct payment_event_page *ret_page) MUST_CHECK;
