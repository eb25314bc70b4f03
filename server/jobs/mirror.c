#include "jobs/mirror.h"

#include <time.h>

#include "services/intent_resolver.h"
#include "services/mirror_lag.h"
#include "services/mirror_refetch.h"
#include "services/retention.h"
#include "services/services.h"
#include "services/subscription_pause.h"
#include "services/webhook_ops.h"
#include "services/webhooks_in.h"

#define HANDLE_MAX 500
#define REFETCH_MAX 20
#define RESOLVE_MAX 20
#define RESUME_MAX 20
#define PRUNE_MAX 10000

/* One change at the payment side comes as a burst of events; what arrives while we wait costs no
 * read of its own. */
#define BURST_MS 20

static void wait_for_burst(void)
{
    const struct timespec time = {.tv_nsec = BURST_MS * 1000000L};

    nanosleep(&time, NULL);
}

/* In both directions: an answer must not claim more than the mirror has, nor less. */
static struct status refresh_lag(struct ctx *cx, struct services *services)
{
    return services->mirror == NULL ? STATUS_OK : mirror_lag_refresh(cx, services);
}

struct status webhook_job_run(struct ctx *cx, struct services *services, size_t *ret_done)
{
    size_t events = 0;
    size_t more = 0;
    size_t objects = 0;

    TRY(webhooks_handle(cx, services, HANDLE_MAX, &events));
    if (events > 0) {
        TRY(refresh_lag(cx, services));
        wait_for_burst();
        TRY(webhooks_handle(cx, services, HANDLE_MAX, &more));
    }
    TRY(mirror_refetch(cx, services, REFETCH_MAX, &objects));
    *ret_done = events + more + objects;
    return refresh_lag(cx, services);
}

struct status resolver_job_run(struct ctx *cx, struct services *services, size_t *ret_done)
{
    TRY(intents_measure(cx, services));
    return intents_resolve_due(cx, services, RESOLVE_MAX, ret_done);
}

struct status resumption_run(struct ctx *cx, struct services *services, size_t *ret_done)
{
    return subscriptions_resume_due(cx, services, RESUME_MAX, ret_done);
}

struct status mirror_tidy_run(struct ctx *cx, struct services *services, size_t *ret_done)
{
    TRY(webhook_ops_measure(cx, services));
    TRY(webhooks_unpark(cx, services, ret_done));
    if (*ret_done > 0 && services->wake_webhooks != NULL) {
        services->wake_webhooks(services->wake_user);
    }
    return STATUS_OK;
}

struct status prune_run(struct ctx *cx, struct services *services, size_t *ret_done)
{
    size_t webhooks = 0;
    size_t intents = 0;
    size_t history = 0;

    TRY(webhooks_prune(cx, services, PRUNE_MAX, &webhooks));
    TRY(intents_prune(cx, services, PRUNE_MAX, &intents));
    TRY(retention_prune(cx, services, PRUNE_MAX, &history));
    *ret_done = webhooks + intents + history;
    return STATUS_OK;
}
