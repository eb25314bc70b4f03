#include "services/reconcile.h"

#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/wallclock.h"
#include "services/mirror_lag.h"
#include "services/reconcile_sweep.h"
#include "services/services.h"
#include "store/db.h"
#include "store/dirty_object_store.h"
#include "store/event_log.h"
#include "store/stripe_account_store.h"
#include "stripe/stripe_client.h"

#define STEP_ARENA_BYTES_MAX ((size_t)32 * 1024 * 1024)
#define TURNS_MAX 20
#define AGAIN_MAX 6
#define AGAIN_PAUSE_MS 1000
#define PAUSE_STEP_MS 50
#define HEALTH_RUNS 20

/* An invoice changes for as long as its payment is tried again; what is older is for whole runs. */
#define OBJECTS_US (35 * US_PER_DAY)

bool sweep_pause(const struct ctx *cx, int64_t ms)
{
    const int64_t end_us = deadline_in_ms(ms);

    while (deadline_left_ms(end_us, INT64_MAX) > 0) {
        const struct timespec step = {.tv_nsec = PAUSE_STEP_MS * 1000000L};

        if (ctx_gone(cx)) {
            return false;
        }
        nanosleep(&step, NULL);
    }
    return true;
}

bool sweep_again(struct ctx *cx, struct sweep *sweep, struct status status, int *tries)
{
    sweep->run.calls++;
    return (status.code == CODE_UNAVAILABLE || status.code == CODE_RESOURCE_EXHAUSTED) &&
           ++*tries < AGAIN_MAX && sweep_pause(cx, AGAIN_PAUSE_MS);
}

void sweep_note_id(char ret_id[SWEEP_ID_SIZE], const char *id)
{
    const size_t len = strlen(id);

    /* One that does not fit is none of the payment side's. */
    memcpy(ret_id, len < SWEEP_ID_SIZE ? id : "", len < SWEEP_ID_SIZE ? len + 1 : 1);
}

struct status sweep_step(struct ctx *cx, struct sweep *sweep, sweep_work work, void *user)
{
    struct arena arena;
    struct ctx step = *cx;
    struct status status;

    if (ctx_gone(cx)) {
        return status_of(cx, REASON_SERVER_SHUTTING_DOWN);
    }
    TRY(reconciliation_store_hold(cx, sweep->lock));
    arena_init(&arena, NULL, 0, STEP_ARENA_BYTES_MAX);
    step.arena = &arena;
    step.now_us = wallclock_us();
    status = work(&step, sweep, user);
    if (status.code != CODE_OK) {
        status = status_fail(cx, status_reason(status), "%s", status_message(status));
    }
    arena_release(&arena);
    TRY(status);
    return reconciliation_store_write(cx, sweep->services->db, &sweep->run);
}

static struct status compare(struct ctx *cx, struct sweep *sweep)
{
    TRY(dirty_object_store_fetch_number(cx, sweep->services->db, &sweep->start_fetch));
    TRY(sweep_events(cx, sweep));
    for (int object = 0; object < SWEEP_OBJECTS; object++) {
        TRY(sweep_objects(cx, sweep, (enum sweep_object)object));
    }
    return STATUS_OK;
}

static void note_end(struct ctx *cx, const struct sweep *sweep, struct status status)
{
    const struct reconciliation *run = &sweep->run;
    const char *const labels[] = {
        run->whole ? "whole" : "usual", status.code == CODE_OK ? "done" : "failed"};

    metric_add(metric_series(METRIC_RECONCILE_RUNS, labels), 1);
    log_info(
        cx,
        "mirror compared",
        LOG_ID("run", ID_RECONCILIATION, &run->run_id),
        LOG_I64("compared", run->compared),
        LOG_I64("matching", run->matching),
        LOG_I64("repaired", run->repaired),
        LOG_I64("open", run->unrepaired),
        LOG_I64("lost_events", run->lost_events),
        LOG_I64("calls", run->calls),
        LOG_STATUS(status));
}

static struct status sweep_account(struct ctx *cx, struct sweep *sweep)
{
    struct db *db = sweep->services->db;
    struct status status;
    struct status written;

    stripe_client_yield(sweep->client, true);
    status = compare(cx, sweep);
    stripe_client_yield(sweep->client, false);
    sweep->run.state = status.code == CODE_OK ? RECONCILIATION_DONE : RECONCILIATION_FAILED;
    sweep->run.finished_us = wallclock_us();
    sweep->run.reason = status.code == CODE_OK ? "" : reason_name(status_reason(status));
    sweep->run.message = status_message(status);
    note_end(cx, sweep, status);
    written = reconciliation_store_write(cx, db, &sweep->run);
    if (written.code != CODE_OK) {
        status_ignore(cx, written, "the next one finds that this one broke off");
        return status.code == CODE_OK ? written : status;
    }
    TRY(reconciliation_store_forget_seen(cx, db, &sweep->run.run_id));
    TRY(reconcile_measure(cx, sweep->services));
    return status;
}

static struct status not_connected(struct ctx *cx)
{
    return status_of(cx, REASON_PAYMENT_ACCOUNT_NOT_CONNECTED);
}

struct status reconcile_run(
    struct ctx *cx,
    struct services *services,
    bool whole,
    bool *ret_ran,
    struct reconciliation *ret_run)
{
    AUTO_TX lock = NULL;
    struct sweep sweep = {.services = services};
    struct payment_account account;
    struct status status;
    bool found = false;

    cx->now_us = wallclock_us();
    TRY(tx_begin(cx, services->db, &lock));
    TRY(reconciliation_store_lock(cx, lock, ret_ran));
    if (!*ret_ran) {
        return STATUS_OK;
    }
    sweep.lock = lock;
    sweep.objects_from_us = cx->now_us - OBJECTS_US;
    TRY(stripe_account_store_load(cx, services->db, &found, &account, NULL));
    TRY(reconciliation_store_take(cx, services->db, whole, &sweep.run));
    status = found && account.disconnected_us == 0
                 ? services_payment_client(cx, services, &sweep.client)
                 : not_connected(cx);
    if (status.code != CODE_OK) {
        sweep.run.state = RECONCILIATION_FAILED;
        sweep.run.reason = reason_name(status_reason(status));
        sweep.run.message = status_message(status);
        TRY(reconciliation_store_write(cx, services->db, &sweep.run));
        return status;
    }
    sweep.account_id = account.account_id;
    status = sweep_account(cx, &sweep);
    *ret_run = sweep.run;
    return status;
}

/* One organisation's trouble is not that of the next; it is in its run. */
static bool take_turn(struct ctx *cx, struct services *services, const struct reconcile_turn *turn)
{
    struct arena arena;
    struct ctx one = *cx;
    struct reconciliation run;
    struct status status;
    bool ran = false;

    arena_init(&arena, NULL, 0, STEP_ARENA_BYTES_MAX);
    one.arena = &arena;
    one.caller.org_id = turn->org_id;
    one.caller.live = turn->org_id % 2 == 0;
    status = reconcile_run(&one, services, turn->whole, &ran, &run);
    if (status.code != CODE_OK) {
        log_warn(&one, "comparison of the mirror failed", LOG_STATUS(status));
    }
    arena_release(&arena);
    return ran;
}

static size_t take_turns(
    struct ctx *cx, struct services *services, const struct reconcile_turn *turns, size_t count)
{
    size_t ran = 0;

    for (size_t i = 0; i < count && !ctx_gone(cx); i++) {
        ran += take_turn(cx, services, &turns[i]) ? 1 : 0;
    }
    return ran;
}

struct status reconcile_asked(struct ctx *cx, struct services *services, size_t *ret_count)
{
    struct reconcile_turn *turns = NULL;
    size_t count = 0;

    TRY(reconciliation_store_asked(cx, services->db, TURNS_MAX, &turns, &count));
    *ret_count = take_turns(cx, services, turns, count);
    return STATUS_OK;
}

struct status reconcile_due(struct ctx *cx, struct services *services, size_t *ret_count)
{
    struct reconcile_turn *turns = NULL;
    size_t count = 0;

    *ret_count = 0;
    TRY(reconcile_measure(cx, services));
    if (services->settings->reconcile_minutes == 0) {
        return STATUS_OK;
    }
    TRY(reconciliation_store_due(
        cx,
        services->db,
        services->settings->reconcile_minutes,
        services->settings->reconcile_whole_minutes,
        TURNS_MAX,
        &turns,
        &count));
    *ret_count = take_turns(cx, services, turns, count);
    return STATUS_OK;
}

struct status reconcile_measure(struct ctx *cx, struct services *services)
{
    struct mirror_totals totals;
    struct mirror_backlog *backlog = NULL;
    const int64_t now_us = wallclock_us();
    int64_t oldest_us = now_us;
    int64_t depth = 0;
    size_t count = 0;

    TRY(reconciliation_store_totals(cx, services->db, &totals));
    if (totals.compared > 0) {
        metric_gauge(METRIC_MIRROR_ACCURACY, totals.matching * 1000000 / totals.compared);
    }
    TRY(dirty_object_store_backlog(cx, services->db, 10000, &backlog, &count, &depth));
    for (size_t i = 0; i < count; i++) {
        oldest_us = backlog[i].oldest_us < oldest_us ? backlog[i].oldest_us : oldest_us;
    }
    metric_gauge(METRIC_MIRROR_STALENESS, (now_us - oldest_us) / US_PER_SECOND);
    return STATUS_OK;
}

struct status
reconcile_prune(struct ctx *cx, struct services *services, size_t max, size_t *ret_count)
{
    return reconciliation_store_prune(
        cx, services->db, services->settings->event_keep_days, max, ret_count);
}

struct status
reconcile_start(struct ctx *cx, struct tx *tx, bool whole, struct reconciliation *ret_run)
{
    struct payment_account account;
    struct id open;
    bool found = false;

    *ret_run = (struct reconciliation){
        .run_id = id_new(cx->now_us),
        .state = RECONCILIATION_RUNNING,
        .whole = whole,
        .reason = "",
        .message = "",
        .started_us = cx->now_us,
    };
    TRY(stripe_account_store_lock(cx, tx, &found, &account, NULL));
    if (!found || account.disconnected_us != 0) {
        return not_connected(cx);
    }
    TRY(reconciliation_store_ask(cx, tx, ret_run, &open));
    if (!id_is_zero(&open)) {
        return status_retry(
            status_fail(
                cx,
                REASON_RATE_LIMITED,
                "comparison \"%s\" is running",
                id_text(cx->arena, ID_RECONCILIATION, &open)),
            AGAIN_PAUSE_MS);
    }
    return STATUS_OK;
}

struct status
reconcile_health(struct ctx *cx, struct services *services, struct reconcile_health *ret_health)
{
    static const struct id from_newest = {{0}};
    struct reconciliation *runs = NULL;
    size_t count = 0;

    *ret_health = (struct reconcile_health){
        .as_of_us = mirror_complete_until(services, cx->caller.org_id, cx->now_us)};
    TRY(reconciliation_store_health(cx, services->db, &ret_health->mirror));
    TRY(reconciliation_store_list(cx, services->db, &from_newest, HEALTH_RUNS, &runs, &count));
    ret_health->compared = count > 0;
    if (count > 0) {
        ret_health->last = runs[0];
    }
    for (size_t i = count; i > 0; i--) {
        if (runs[i - 1].state == RECONCILIATION_DONE) {
            ret_health->last_done = runs[i - 1];
        }
    }
    return STATUS_OK;
}
