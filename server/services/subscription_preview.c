#include "base/arena.h"
#include "base/ctx.h"
#include "base/wallclock.h"
#include "services/payment_accounts.h"
#include "services/services.h"
#include "services/subscription_change.h"
#include "services/subscription_guard.h"
#include "store/db.h"
#include "store/offer_store.h"
#include "store/subscription_preview_store.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_preview.h"

#define PREVIEW_VALID_US (10 * US_PER_MINUTE)

struct previewing {
    const struct id *subscription_id;
    const struct subscription_wish *wish;
    struct payment_account account;
    struct subscription row;
    struct subscription_target target;
    struct stripe_client *client;
    struct id preview_id;
    struct payment_preview first;
    struct subscription_preview preview;
};

static struct status find_target(struct ctx *cx, struct tx *tx, void *user)
{
    struct previewing *previewing = user;

    TRY(subscription_guard(cx, tx, NULL, previewing->subscription_id, "", &previewing->row));
    return subscription_target(
        cx,
        tx,
        &previewing->row,
        previewing->account.account_id,
        previewing->wish,
        &previewing->target);
}

/* proration: as it will be, or NONE for the next regular invoice. */
static struct status
ask(struct ctx *cx,
    struct services *services,
    struct previewing *previewing,
    enum change_proration proration,
    struct payment_preview *ret_preview)
{
    struct subscription_change_request request = previewing->target.request;
    struct stripe_subscription_change there;
    const char *key = NULL;

    request.proration = proration;
    there = subscription_change_there(&request);
    key = arena_printf(
        cx->arena,
        "%s:%s:%s",
        services->settings->stripe_idempotency_prefix,
        id_text(cx->arena, ID_PREVIEW, &previewing->preview_id),
        there.proration_behavior);
    return stripe_preview_change(
        cx,
        previewing->client,
        request.account_id,
        request.stripe_subscription_id,
        &there,
        key,
        ret_preview);
}

/* When the payment side prorated; 0: it did not. Sent with the change, it gives the same amounts,
 * and it is right for a customer who lives by another clock than ours. What waits from an earlier
 * change begins earlier. */
static int64_t proration_time(const struct payment_preview *preview)
{
    int64_t time_us = 0;

    for (size_t i = 0; i < preview->line_count; i++) {
        const struct payment_preview_line *line = &preview->lines[i];

        if (line->proration && line->start_us > time_us) {
            time_us = line->start_us;
        }
    }
    return time_us;
}

/* The invoice of the change itself: nothing on it is about a period that is yet to come. */
static bool is_billed_now(const struct previewing *previewing)
{
    const struct payment_preview *first = &previewing->first;

    for (size_t i = 0; i < first->line_count; i++) {
        if (!first->lines[i].proration && first->lines[i].start_us > first->created_us) {
            return false;
        }
    }
    return first->line_count > 0 && previewing->row.status != SUBSCRIPTION_TRIALING;
}

static bool new_period(const struct previewing *previewing)
{
    const struct recurring *before = &previewing->target.before;
    const struct recurring *after = &previewing->target.after;

    return before->interval != after->interval || before->interval_count != after->interval_count;
}

/* Beyond the change: what is asked for at the next renewal, as far as it is known. */
static struct status
find_next(struct ctx *cx, struct services *services, struct previewing *previewing, bool billed_now)
{
    struct subscription_preview *preview = &previewing->preview;
    struct payment_preview next = previewing->first;

    preview->next_us = previewing->row.period_end_us;
    if (billed_now && new_period(previewing)) {
        preview->next_minor = previewing->target.after.minor;
        preview->next_us = 0;
        for (size_t i = 0; i < next.line_count; i++) {
            if (!next.lines[i].proration) {
                preview->next_us = next.lines[i].end_us;
            }
        }
        return STATUS_OK;
    }
    if (!billed_now) {
        preview->next_minor = next.total_minor;
        return STATUS_OK;
    }
    TRY(ask(cx, services, previewing, PRORATION_NONE, &next));
    preview->next_minor = next.total_minor;
    for (size_t i = 0; i < next.line_count; i++) {
        if (next.lines[i].proration) { /* what waited is on the invoice of the change */
            preview->next_minor -= next.lines[i].amount_minor;
        }
    }
    return STATUS_OK;
}

/* The lines that due_now and credit come from, or that the next invoice has more. */
static struct status
list_lines(struct ctx *cx, struct tx *tx, struct previewing *previewing, bool billed_now)
{
    const struct payment_preview *first = &previewing->first;
    struct subscription_preview_line *lines =
        arena_alloc(cx->arena, (first->line_count + 1) * sizeof *lines);
    const char **price_ids = arena_alloc(cx->arena, (first->line_count + 1) * sizeof *price_ids);
    struct offer_match *matches = arena_alloc(cx->arena, (first->line_count + 1) * sizeof *matches);
    size_t count = 0;

    for (size_t i = 0; i < first->line_count; i++) {
        if (billed_now || first->lines[i].proration) {
            price_ids[count] = first->lines[i].price_id;
            lines[count++].line = &first->lines[i];
        }
    }
    TRY(offer_store_match(cx, tx, price_ids, count, matches));
    for (size_t i = 0; i < count; i++) {
        lines[i].price_id = matches[i].price_id;
    }
    previewing->preview.lines = lines;
    previewing->preview.line_count = count;
    return STATUS_OK;
}

static struct status list_lines_now(struct ctx *cx, struct tx *tx, void *user)
{
    return list_lines(cx, tx, user, true);
}

static struct status list_lines_later(struct ctx *cx, struct tx *tx, void *user)
{
    return list_lines(cx, tx, user, false);
}

static struct status
compute(struct ctx *cx, struct services *services, struct previewing *previewing)
{
    struct subscription_change_request *request = &previewing->target.request;
    struct subscription_preview *preview = &previewing->preview;
    const bool later = previewing->target.timing == CHANGE_TIMING_AT_PERIOD_END;
    bool billed_now = false;

    TRY(services_payment_client(cx, services, &previewing->client));
    TRY(ask(
        cx, services, previewing, later ? PRORATION_NONE : request->proration, &previewing->first));
    request->proration_us = later ? 0 : proration_time(&previewing->first);
    billed_now = !later && is_billed_now(previewing);
    *preview = (struct subscription_preview){
        .preview_id = previewing->preview_id,
        .currency = previewing->target.currency,
        .due_minor = billed_now ? previewing->first.due_minor : 0,
        .credit_minor =
            billed_now && previewing->first.total_minor < 0 ? -previewing->first.total_minor : 0,
        .before_minor = previewing->target.before.minor,
        .after_minor = previewing->target.after.minor,
        .effective_us = later ? previewing->row.period_end_us : previewing->first.created_us,
        .expires_us = cx->now_us + PREVIEW_VALID_US,
    };
    if (later) {
        preview->next_minor = previewing->target.after.minor;
        preview->next_us = previewing->row.period_end_us;
        return STATUS_OK;
    }
    TRY(find_next(cx, services, previewing, billed_now));
    return tx_run(cx, services->db, billed_now ? list_lines_now : list_lines_later, previewing);
}

struct status subscriptions_preview_change(
    struct ctx *cx,
    struct services *services,
    const struct id *subscription_id,
    const struct subscription_wish *wish,
    struct subscription_preview *ret_preview)
{
    struct previewing *previewing = ARENA_NEW(cx->arena, struct previewing);
    struct subscription_preview_row row;

    previewing->subscription_id = subscription_id;
    previewing->wish = wish;
    previewing->preview_id = id_new(cx->now_us);
    TRY(payment_accounts_require(cx, services, &previewing->account));
    TRY(tx_run(cx, services->db, find_target, previewing));
    TRY(compute(cx, services, previewing));
    row = (struct subscription_preview_row){
        .preview_id = previewing->preview_id,
        .subscription_id = *subscription_id,
        .subscription_version = previewing->row.version,
        .request = subscription_change_write(cx, &previewing->target.request).ptr,
        .expires_us = previewing->preview.expires_us,
    };
    TRY(subscription_preview_store_insert(cx, services->db, &row));
    *ret_preview = previewing->preview;
    return STATUS_OK;
}
