#pragma once

/* Webhooks of the payment side, from the wire into the mirror:
 *
 *     receive: signature, inbox, 200        (the HTTP listener; nothing else before the answer)
 *     handle:  inbox -> changed objects     (N events about one object are one mark)
 *     refetch: changed objects -> mirror    (mirror_refetch.h)
 */

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

struct ctx;
struct services;

/* The two registrations at the payment side, each with its own secrets. */
enum webhook_endpoint {
    WEBHOOK_CONNECT,  /* what happens on the accounts of organisations */
    WEBHOOK_PLATFORM, /* what happens on our own */
};

/* *ret_http_status is always set: 200 when the event is stored, or was before; 400 for a wrong
 * signature or body; 503 while the database is away, so that it is sent again. signature may be
 * NULL. The body are the bytes as they came. */
struct status webhooks_receive(
    struct ctx *cx,
    struct services *services,
    enum webhook_endpoint endpoint,
    const char *signature,
    struct str body,
    int *ret_http_status) MUST_CHECK;

/* Marks the objects of at most max NEW events as changed. *ret_count: how many events were taken.
 * An event that cannot be handled does not hold up the others: after three tries it is FAILED. */
struct status webhooks_handle(
    struct ctx *cx, struct services *services, size_t max, size_t *ret_count) MUST_CHECK;

/* Events of accounts that became known meanwhile are handled after all. */
struct status
webhooks_unpark(struct ctx *cx, struct services *services, size_t *ret_count) MUST_CHECK;

/* Deletes at most max handled events that are older than what we keep. */
struct status
webhooks_prune(struct ctx *cx, struct services *services, size_t max, size_t *ret_count) MUST_CHECK;
