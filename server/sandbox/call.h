#pragma once

/* One request while it is served: who asks, for which account, what was sent, and what is answered.
 * A handler returns true when the answer is in call->body, false when call->failure says why not.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "http/json.h"
#include "sandbox/expand.h"
#include "sandbox/form.h"
#include "sandbox/object.h"

struct account;
struct call;
struct ctx;
struct http_request;
struct param;
struct sim;

typedef bool (*call_fn)(struct call *call);

enum endpoint_flag {
    ENDPOINT_PLATFORM = 1 << 0, /* not on behalf of a connected account */
    ENDPOINT_CONTROL = 1 << 1,  /* /_sim: no key, no version, a JSON body */
    ENDPOINT_PAGE = 1 << 2,     /* /_sim for a browser: a form body */
    ENDPOINT_LIST = 1 << 3,     /* "expand" begins at "data" */
    ENDPOINT_FLEETING = 1 << 4, /* changes nothing that a state file keeps */
};

struct endpoint {
    const char *method;
    const char *path; /* "/v1/subscriptions/{}/pause"; each {} is an id */
    call_fn handler;
    const struct param *params; /* NULL: none but expand */
    enum object_kind result;    /* what "expand" is read against */
    unsigned flags;
};

/* The error object of the provider. */
struct failure {
    int status;
    const char *type;
    const char *code;  /* NULL: none */
    const char *param; /* NULL: none */
    const char *message;
    const char *decline_code;
    const char *advice_code;
    const char *charge_id;
    const struct object *payment_intent; /* shown whole inside the error, or NULL */
    const struct object *payment_method;
};

#define CALL_IDS_MAX 2

struct call {
    struct ctx *cx;
    struct sim *sim;
    const struct http_request *http;
    const struct endpoint *endpoint;
    struct form form;
    struct expand expand;
    json_value json;               /* the body of a control call; NULL when empty */
    const char *ids[CALL_IDS_MAX]; /* from the path */
    struct account *account;       /* whose store is meant */
    int64_t begun_s;               /* the global clock when it came */
    const char *request_id;
    const char *idempotency_key; /* NULL: none */

    struct failure failure;
    const char *answer_id; /* of the object that is answered with, NULL: none */
    struct buf body;
    int status;
    const char *content_type;
    const char *location;        /* NULL, or where a page redirects to */
    const char *not_implemented; /* NULL, or what the simulator does not do */
    const char *should_retry;    /* NULL, "true" or "false" */
    const char *rate_limited;    /* NULL, or the reason */
    bool replayed;
    bool drop;         /* close the connection without an answer */
    int64_t sleep_ms;  /* before answering, without the lock */
    const char *fault; /* NULL, or the name of the fault that struck */
};

/* Each returns false, to be returned. */
bool call_fail(
    struct call *call, int status, const char *code, const char *param, const char *format, ...)
    PRINTF_LIKE(5, 6);
bool call_fail_missing(struct call *call, enum object_kind kind, const char *id, const char *param);
bool call_fail_not_implemented(struct call *call, const char *what);

/* Parameters; NULL when absent. */
const char *call_text(const struct call *call, const char *key);
bool call_bool(const struct call *call, const char *key, bool otherwise);
int64_t call_i64(const struct call *call, const char *key, int64_t otherwise);

/* Absent: nothing happens. Empty: *text becomes NULL. Else a copy for ever. */
void call_update_text(const struct call *call, const char *key, const char **text);

/* The live object whose id is in the parameter. Absent: *ret stays and the answer is true. */
bool call_find(struct call *call, enum object_kind kind, const char *param, void *ret_object)
    MUST_CHECK;

/* The object whose id is in the path; false with a 404. Finds tombstones. */
bool call_find_path(struct call *call, enum object_kind kind, void *ret_object) MUST_CHECK;

/* Answers 200 with the object; as the last thing that a handler does. */
bool call_reply(struct call *call, const void *object);

/* The error of call->failure as JSON into the body. */
void call_render_failure(struct call *call);
