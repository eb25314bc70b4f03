#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/wallclock.h"
#include "services/invoice_mirror.h"
#include "services/reconcile_sweep.h"
#include "services/services.h"
#include "services/subscription_mirror.h"
#include "services/webhook_event.h"
#include "store/db.h"
#include "store/dirty_object_store.h"
#include "store/drift_store.h"
#include "store/invoice_store.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_invoice.h"
#include "stripe/stripe_subscription.h"

/* One object on both sides. */
struct check {
    struct sweep *sweep;
    enum sweep_object object;
    const char *stripe_id;
    int64_t fetch_number;
    bool gone; /* the payment side does not have it */
    bool ours; /* as the apply says */
    struct payment_subscription subscription;
    struct payment_invoice invoice;
    struct mirror_subscription *subscription_here; /* NULL: not mirrored */
    struct mirror_invoice *invoice_here;
    const struct mirror_row *row; /* of either; NULL */
    struct reconcile_view here;
    struct reconcile_view there;
    struct drift drift;
};

const char *sweep_object_type(enum sweep_object object)
{
    return object == SWEEP_SUBSCRIPTION ? WEBHOOK_OBJECT_SUBSCRIPTION : WEBHOOK_OBJECT_INVOICE;
}

static struct status read_there(struct ctx *cx, struct check *check)
{
    struct sweep *sweep = check->sweep;
    struct status status;
    int tries = 0;

    do {
        TRY(dirty_object_store_fetch_number(cx, sweep->services->db, &check->fetch_number));
        status =
            check->object == SWEEP_SUBSCRIPTION
                ? stripe_subscription_retrieve(
                      cx, sweep->client, sweep->account_id, check->stripe_id, &check->subscription)
                : stripe_invoice_retrieve(
                      cx, sweep->client, sweep->account_id, check->stripe_id, &check->invoice);
        check->gone = status.code != CODE_OK &&
                      stripe_client_error(sweep->client)->failure == PAYMENT_FAILURE_NOT_FOUND;
    } while (!check->gone && sweep_again(cx, sweep, status, &tries));
    return check->gone ? STATUS_OK : status;
}

/* Both sides, as far as they are there. */
static struct status read_here(struct ctx *cx, struct check *check)
{
    struct db *db = check->sweep->services->db;
    size_t count = 0;

    check->row = NULL;
    if (check->object == SWEEP_SUBSCRIPTION) {
        TRY(mirror_view_store_subscriptions(
            cx, db, &check->stripe_id, 1, &check->subscription_here, &count));
        check->subscription_here = count == 0 ? NULL : check->subscription_here;
        if (count > 0) {
            check->row = &check->subscription_here->row;
            reconcile_view_subscription_here(cx, check->subscription_here, &check->here);
        }
        if (!check->gone) {
            reconcile_view_subscription_there(
                cx, &check->subscription, check->subscription_here, &check->there);
        }
        return STATUS_OK;
    }
    TRY(mirror_view_store_invoices(cx, db, &check->stripe_id, 1, &check->invoice_here, &count));
    check->invoice_here = count == 0 ? NULL : check->invoice_here;
    if (count > 0) {
        check->row = &check->invoice_here->row;
        reconcile_view_invoice_here(cx, check->invoice_here, &check->here);
    }
    if (!check->gone) {
        reconcile_view_invoice_there(cx, &check->invoice, check->invoice_here, &check->there);
    }
    return STATUS_OK;
}

static bool agrees(const struct check *check)
{
    return check->row != NULL && !check->gone && reconcile_view_equal(&check->here, &check->there);
}

/* Through the guarded write that everybody uses. */
static struct status apply(struct ctx *cx, struct tx *tx, struct check *check)
{
    struct subscription_applied applied = {.known = false};

    if (check->gone) {
        /* A draft may be deleted. A subscription never is: its row is left, somebody should look.
         */
        return check->object == SWEEP_INVOICE
                   ? invoice_store_void(cx, tx, check->stripe_id, check->fetch_number)
                   : STATUS_OK;
    }
    if (check->object == SWEEP_INVOICE) {
        return invoice_apply(cx, tx, &check->invoice, check->fetch_number);
    }
    TRY(subscription_apply(
        cx, check->sweep->services, tx, &check->subscription, check->fetch_number, &applied));
    check->ours = applied.known;
    return STATUS_OK;
}

static struct status repair(struct ctx *cx, struct tx *tx, void *user)
{
    struct check *check = user;

    check->ours = true;
    TRY(apply(cx, tx, check));
    return check->ours ? sweep_record(cx, tx, &check->drift) : STATUS_OK;
}

static struct status record_only(struct ctx *cx, struct tx *tx, void *user)
{
    const struct check *check = user;

    return sweep_record(cx, tx, &check->drift);
}

static int64_t created_us(const struct check *check)
{
    return check->object == SWEEP_SUBSCRIPTION ? check->subscription.created_us
                                               : check->invoice.created_us;
}

/* What is likely behind it, and since when it has been so at most. */
static struct status
find_cause(struct ctx *cx, const struct check *check, const char **ret_cause, int64_t *ret_since_us)
{
    const struct sweep *sweep = check->sweep;
    struct drift_event event;

    TRY(drift_store_event(cx, sweep->services->db, sweep->account_id, check->stripe_id, &event));
    *ret_since_us = check->row != NULL ? check->row->synced_us : created_us(check);
    *ret_cause = DRIFT_CAUSE_CHANGED_ELSEWHERE;
    if (event.found && (event.set_aside || event.waits)) {
        *ret_cause = event.set_aside ? DRIFT_CAUSE_QUARANTINED : DRIFT_CAUSE_LATE_EVENT;
        *ret_since_us = event.received_us;
    }
    return STATUS_OK;
}

/* A row of ours that waits for just this object: the call was made and never settled. *ret_busy: it
 * is being settled right now. */
static struct status
find_waiting(struct ctx *cx, const struct check *check, bool *ret_found, bool *ret_busy)
{
    struct mirror_row row;
    struct id marked;

    *ret_found = false;
    *ret_busy = false;
    if (check->object != SWEEP_SUBSCRIPTION || check->row != NULL || check->gone ||
        !id_parse(ID_SUBSCRIPTION, check->subscription.marks.object_id, &marked)) {
        return STATUS_OK;
    }
    return mirror_view_store_waiting(
        cx, check->sweep->services->db, &marked, ret_found, ret_busy, &row);
}

/* In whole seconds, as it is kept. The clock of the payment side may be ahead. */
static int64_t age_us(const struct ctx *cx, int64_t since_us)
{
    return since_us == 0 || since_us > cx->now_us
               ? 0
               : (cx->now_us - since_us) / US_PER_SECOND * US_PER_SECOND;
}

static struct status
describe(struct ctx *cx, struct check *check, bool orphan, const struct sweep_hint *hint)
{
    const enum id_kind kind = check->object == SWEEP_SUBSCRIPTION ? ID_SUBSCRIPTION : ID_INVOICE;
    const char *cause = hint->cause;
    int64_t since_us = hint->since_us;

    if (orphan) {
        cause = DRIFT_CAUSE_CRASH;
        since_us = created_us(check);
    } else if (cause == NULL) {
        TRY(find_cause(cx, check, &cause, &since_us));
    }
    check->drift = (struct drift){
        .drift_id = id_new(cx->now_us),
        .run_id = check->sweep->run.run_id,
        .kind = check->gone          ? DRIFT_MISSING_THERE
                : orphan             ? DRIFT_ORPHAN_OPERATION
                : check->row == NULL ? DRIFT_MISSING_HERE
                                     : DRIFT_DIFFERENT,
        .object_type = sweep_object_type(check->object),
        .resource_id = check->row == NULL ? "" : id_text(cx->arena, kind, &check->row->id),
        .stripe_id = check->stripe_id,
        .cause = cause,
        .age_us = age_us(cx, since_us),
        .changes = reconcile_view_changes(
            cx, check->row == NULL ? NULL : &check->here, check->gone ? NULL : &check->there),
        .found_us = cx->now_us,
    };
    return STATUS_OK;
}

static void count_matching(struct check *check)
{
    check->sweep->run.compared++;
    check->sweep->run.matching++;
}

static struct status mend(struct ctx *cx, struct check *check)
{
    struct db *db = check->sweep->services->db;
    const struct status status = tx_run(cx, db, repair, check);
    bool repaired = false;

    failpoint("reconcile.repaired");
    if (status.code == CODE_OK && !check->ours) {
        return STATUS_OK;
    }
    if (status.code != CODE_OK) {
        log_warn(
            cx,
            "could not repair the mirror of an object",
            LOG_TEXT("type", check->drift.object_type),
            LOG_TEXT("object", check->stripe_id),
            LOG_STATUS(status));
        TRY(tx_run(cx, db, record_only, check));
    } else if (check->gone) {
        repaired = check->object == SWEEP_INVOICE;
    } else {
        TRY(read_here(cx, check));
        repaired =
            agrees(check) || (check->row != NULL && check->row->fetch_number > check->fetch_number);
    }
    if (check->row != NULL) {
        check->drift.customer_id = check->row->customer_id;
        check->drift.subscription_id = check->row->subscription_id;
    }
    check->sweep->run.compared++;
    return sweep_settle(cx, check->sweep, &check->drift, repaired);
}

static struct status customer_known(struct ctx *cx, const struct check *check, bool *ret_known)
{
    const char *customer = check->object == SWEEP_SUBSCRIPTION ? check->subscription.customer_id
                                                               : check->invoice.customer_id;
    const char *const *known = NULL;
    size_t count = 0;

    TRY(mirror_view_store_customers(cx, check->sweep->services->db, &customer, 1, &known, &count));
    *ret_known = count == 1;
    return STATUS_OK;
}

static struct status run_check(struct ctx *cx, struct check *check, const struct sweep_hint *hint)
{
    bool orphan = false;
    bool busy = false;
    bool known = true;

    TRY(read_there(cx, check));
    TRY(read_here(cx, check));
    if (agrees(check) || (check->row != NULL && check->row->fetch_number > check->fetch_number)) {
        count_matching(check);
        return STATUS_OK;
    }
    TRY(find_waiting(cx, check, &orphan, &busy));
    if (check->row == NULL && !orphan) {
        if (check->gone) {
            return STATUS_OK;
        }
        TRY(customer_known(cx, check, &known));
    }
    if (busy || !known) {
        return STATUS_OK;
    }
    TRY(describe(cx, check, orphan, hint));
    return mend(cx, check);
}

struct status sweep_check(
    struct ctx *cx,
    struct sweep *sweep,
    enum sweep_object object,
    const char *stripe_id,
    const struct sweep_hint *hint)
{
    struct check check = {.sweep = sweep, .object = object, .stripe_id = stripe_id};

    return run_check(cx, &check, hint);
}
