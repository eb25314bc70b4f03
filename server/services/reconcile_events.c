#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/wallclock.h"
#include "services/reconcile_sweep.h"
#include "services/services.h"
#include "services/webhook_event.h"
#include "store/reconciliation_store.h"
#include "store/webhook_inbox_store.h"
#include "stripe/stripe_event.h"

/* The clocks of both sides differ, and an event is listed a moment after it happened. */
#define OVERLAP_US (10 * US_PER_MINUTE)

/* An event that is on its way is not lost. */
#define ON_ITS_WAY_MS 1000

static struct status find_unknown(
    struct ctx *cx,
    struct sweep *sweep,
    const struct payment_event_page *page,
    const char *const **ret_unknown,
    size_t *ret_count)
{
    const char **ids = arena_try_alloc(cx->arena, (page->count + 1) * sizeof *ids);

    if (ids == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < page->count; i++) {
        ids[i] = page->events[i].id;
    }
    return webhook_inbox_store_unknown(
        cx, sweep->services->db, sweep->account_id, ids, page->count, ret_unknown, ret_count);
}

static bool is_in(const char *id, const char *const *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(ids[i], id) == 0) {
            return true;
        }
    }
    return false;
}

static bool sweep_compares(const struct inbox_event *event, enum sweep_object *ret_object)
{
    for (int object = 0; object < SWEEP_OBJECTS; object++) {
        if (strcmp(event->object_type, sweep_object_type((enum sweep_object)object)) == 0) {
            *ret_object = (enum sweep_object)object;
            return true;
        }
    }
    return false;
}

/* What the loss has done to the object, unless this run has looked at it already. */
static struct status check_lost(
    struct ctx *cx, struct sweep *sweep, enum sweep_object object, const struct inbox_event *event)
{
    const struct sweep_hint hint = {DRIFT_CAUSE_LOST_EVENT, event->event_us};
    const char *const *fresh = NULL;
    size_t count = 0;

    TRY(reconciliation_store_see(
        cx, sweep->services->db, &sweep->run.run_id, &event->object_id, 1, &fresh, &count));
    return count == 0 ? STATUS_OK : sweep_check(cx, sweep, object, event->object_id, &hint);
}

/* What we compare ourselves is looked at right now; everything else takes the way of a webhook.
 * Repaired first and noted then: a crash in between repeats it. */
static struct status
take_lost(struct ctx *cx, struct sweep *sweep, const struct payment_event *lost)
{
    struct inbox_event event = webhook_event_of(cx, lost, str_of(lost->raw));
    enum sweep_object object;
    bool inserted = false;

    event.listed = true;
    if (sweep_compares(&event, &object)) {
        TRY(check_lost(cx, sweep, object, &event));
        event.state = INBOX_DONE;
    }
    TRY(webhook_inbox_store_insert(cx, sweep->services->db, &event, &inserted));
    sweep->run.lost_events += inserted ? 1 : 0;
    return STATUS_OK;
}

/* Those that are still not there after a moment. */
static struct status find_lost(
    struct ctx *cx,
    struct sweep *sweep,
    const struct payment_event_page *page,
    const char *const **ret_lost,
    size_t *ret_count)
{
    TRY(find_unknown(cx, sweep, page, ret_lost, ret_count));
    if (*ret_count == 0 || !sweep_pause(cx, ON_ITS_WAY_MS)) {
        return STATUS_OK;
    }
    return find_unknown(cx, sweep, page, ret_lost, ret_count);
}

static struct status
take_page(struct ctx *cx, struct sweep *sweep, const struct payment_event_page *page)
{
    const char *const *lost = NULL;
    size_t count = 0;
    struct status status = find_lost(cx, sweep, page, &lost, &count);

    for (size_t i = 0; status.code == CODE_OK && i < page->count; i++) {
        if (is_in(page->events[i].id, lost, count)) {
            status = take_lost(cx, sweep, &page->events[i]);
        }
    }
    return status;
}

struct position {
    int64_t from_us;
    char before[SWEEP_ID_SIZE]; /* "" at the end */
};

static struct status next_page(struct ctx *cx, struct sweep *sweep, void *user)
{
    struct position *position = user;
    const struct stripe_event_query query = {
        .after = "",
        .before = position->before,
        .created_from_us = position->from_us,
        .limit = RECONCILE_PAGE,
    };
    struct payment_event_page page = {.count = 0};
    struct status status;
    int tries = 0;

    do {
        status = stripe_event_list(cx, sweep->client, sweep->account_id, &query, &page);
    } while (sweep_again(cx, sweep, status, &tries));
    TRY(status);
    TRY(take_page(cx, sweep, &page));
    /* Pages are turned round: the first is the oldest. */
    sweep_note_id(position->before, page.has_more && page.count > 0 ? page.events[0].id : "");
    return STATUS_OK;
}

struct status sweep_events(struct ctx *cx, struct sweep *sweep)
{
    struct position position = {.before = ""};

    TRY(reconciliation_store_safe_time(cx, sweep->services->db, &position.from_us));
    position.from_us -= OVERLAP_US;
    do {
        TRY(sweep_step(cx, sweep, next_page, &position));
    } while (position.before[0] != '\0');
    return STATUS_OK;
}
