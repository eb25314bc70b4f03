#pragma once

/* One change of one subscription at the payment side: the frame of every verb (cancel, pause,
 * resume, extend, renew ...). What differs between them is what is asked for, what is called and
 * what is written besides the mirror.
 *
 *     claim    row locked, etag, busy, the table of domain/subscription_operation.h; intent written
 *     call     client, account and arguments from the intent, never from the caller
 *     settle   subscription_apply() of what is there now, the intent with its answer */

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/status.h"
#include "domain/payment.h"
#include "domain/subscription.h"
#include "domain/subscription_operation.h"
#include "http/json.h"
#include "services/intents.h"
#include "services/keyed.h"

struct ctx;
struct services;
struct stripe_client;
struct tx;

/* What is asked for. */
struct subscription_verb {
    enum subscription_operation operation;
    struct id subscription_id;
    const char *etag; /* "" = not checked */
    intent_drive drive;
    bool pays; /* needs an account that may take payments; else one that was connected does */
    const void *user;
    /* What the table cannot know, with the row locked. *ret_nothing: it is so already. NULL: no. */
    struct status (*look)(
        struct ctx *cx, const struct subscription *row, const void *user, bool *ret_nothing);
    /* What the call will need, into an open object. NULL: nothing. */
    void (*put)(struct json_writer *writer, const void *user);
};

/* Fails with SUBSCRIPTION_NOT_FOUND, SUBSCRIPTION_BUSY, ETAG_MISMATCH, what the table says, and the
 * failures of intents_run(). */
struct status subscription_verb_run(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct subscription_verb *verb,
    struct subscription *ret_subscription) MUST_CHECK;

/* One drive of one intent. */
struct subscription_verb_work {
    struct services *services;
    struct intent *intent;
    struct stripe_client *client;
    const char *account_id;
    const char *stripe_id;
    const char *stripe_customer_id;
    json_value arguments;
    int64_t fetch_number;
    struct payment_subscription now; /* what the call leaves there; id NULL: not read */
    bool overtaken;                  /* the mirror has something that was read later than now */
    bool nothing;                    /* there is nothing to do at the payment side */
    struct status failure;
    struct intent stored;
};

struct subscription_verb_steps {
    /* Makes the change and leaves in work->now what is there then. A failure of PAYMENT_DECLINED is
     * the answer to every repeat; when it has changed something, work->now holds that too. */
    struct status (*call)(struct ctx *cx, struct subscription_verb_work *work);
    /* In the settling transaction, with the mirror written. NULL: nothing more. */
    struct status (*settle)(
        struct ctx *cx, struct tx *tx, const struct subscription_verb_work *work);
};

struct status subscription_verb_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    const struct subscription_verb_steps *steps,
    struct intent_result *ret_result) MUST_CHECK;

/* Reads what is there now, for verbs whose last call does not answer with the subscription. */
struct status
subscription_verb_read(struct ctx *cx, struct subscription_verb_work *work) MUST_CHECK;

/* intents_key() of one step. */
const char *
subscription_verb_key(struct ctx *cx, const struct subscription_verb_work *work, const char *step);
