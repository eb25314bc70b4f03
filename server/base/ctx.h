#pragma once

/* What every function that does something for somebody is given first: the memory, the time, the
 * deadline and the caller of one request, job run or webhook event. Belongs to one thread at a
 * time; only the canceller is touched by others. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/id.h"

/* How a peer that gave up reaches a worker that waits: the flag is set first, then one byte is
 * written to wake_fd (an eventfd of the worker; -1 when nobody waits). */
struct canceller {
    _Atomic bool gone;
    _Atomic int wake_fd;
};

enum key_kind {
    KEY_NONE = 0,
    KEY_BOOTSTRAP,
    KEY_SECRET,
    KEY_PUBLISHABLE,
    KEY_RESTRICTED,
};

/* Who asks. Filled by authorisation from the credentials, never from a message. */
struct caller {
    int64_t org_id; /* the organisation in one mode; 0 before authorisation and for jobs over all */
    struct id org;  /* its public id, "org_..." */
    bool live;      /* live or test mode */
    enum key_kind kind;
    struct id key_id;  /* the API key, "key_..." */
    uint64_t scopes;   /* bits of enum scope */
    const char *actor; /* for the audit log: "key_..." or "cli" or "job"; never NULL */
};

struct ctx {
    struct arena *arena;
    int64_t now_us;              /* wall clock, UTC, taken once */
    int64_t deadline_us;         /* monotonic; INT64_MAX: none */
    struct canceller *canceller; /* NULL: nobody can give up */
    bool may_block; /* false on the polling thread: whoever would wait fails with WOULD_BLOCK */
    const char *request_id; /* "" or the x-request-id of the call */
    const char *method;     /* "billingos.v1.CustomerService/GetCustomer", or the name of the job */
    const char *idempotency_key; /* metadata idempotency-key, or "" */
    struct caller caller;
};

/* A context for work that no peer asked for: no deadline, may block. method is borrowed. */
void ctx_init(struct ctx *cx, struct arena *arena, const char *method);

/* Time left in milliseconds, 0 when the deadline has passed, at most max_ms. */
int64_t ctx_left_ms(const struct ctx *cx, int64_t max_ms);

/* The peer is gone or the deadline has passed: whatever is still to be done is for nobody. */
bool ctx_gone(const struct ctx *cx);
