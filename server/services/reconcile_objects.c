#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "services/reconcile_sweep.h"
#include "services/services.h"
#include "store/dirty_object_store.h"
#include "store/reconciliation_store.h"
#include "stripe/stripe_invoice.h"
#include "stripe/stripe_subscription.h"

/* What differs now and no longer in a moment was on its way. */
#define ON_ITS_WAY_MS 1000

/* A page of the payment side, and what the mirror has of it. */
struct page {
    enum sweep_object object;
    size_t count;
    bool has_more;
    int64_t fetch_number;
    const char *ids[RECONCILE_PAGE];
    const char *customers[RECONCILE_PAGE];
    const struct payment_subscription *subscriptions[RECONCILE_PAGE];
    const struct payment_invoice *invoices[RECONCILE_PAGE];
};

static struct status
list_subscriptions(struct ctx *cx, struct sweep *sweep, const char *after, struct page *page)
{
    struct payment_subscription_page list = {.count = 0};

    TRY(stripe_subscription_list_all(
        cx, sweep->client, sweep->account_id, !sweep->run.whole, after, RECONCILE_PAGE, &list));
    page->has_more = list.has_more;
    page->count = list.count < RECONCILE_PAGE ? list.count : RECONCILE_PAGE;
    for (size_t i = 0; i < page->count; i++) {
        page->subscriptions[i] = &list.subscriptions[i];
        page->ids[i] = list.subscriptions[i].id;
        page->customers[i] = list.subscriptions[i].customer_id;
    }
    return STATUS_OK;
}

static struct status
list_invoices(struct ctx *cx, struct sweep *sweep, const char *after, struct page *page)
{
    struct payment_invoice_page list = {.count = 0};

    TRY(stripe_invoice_list_all(
        cx,
        sweep->client,
        sweep->account_id,
        sweep->run.whole ? 0 : sweep->objects_from_us,
        after,
        RECONCILE_PAGE,
        &list));
    page->has_more = list.has_more;
    page->count = list.count < RECONCILE_PAGE ? list.count : RECONCILE_PAGE;
    for (size_t i = 0; i < page->count; i++) {
        page->invoices[i] = &list.invoices[i];
        page->ids[i] = list.invoices[i].id;
        page->customers[i] = list.invoices[i].customer_id;
    }
    return STATUS_OK;
}

/* The number is taken before the read, as it is for every read. */
static struct status
list_page(struct ctx *cx, struct sweep *sweep, const char *after, struct page *page)
{
    struct status status;
    int tries = 0;

    do {
        TRY(dirty_object_store_fetch_number(cx, sweep->services->db, &page->fetch_number));
        status = page->object == SWEEP_SUBSCRIPTION ? list_subscriptions(cx, sweep, after, page)
                                                    : list_invoices(cx, sweep, after, page);
    } while (sweep_again(cx, sweep, status, &tries));
    return status;
}

static size_t position_of(const char *id, const char *const *ids, size_t count)
{
    size_t at = 0;

    while (at < count && strcmp(ids[at], id) != 0) {
        at++;
    }
    return at;
}

/* Leaves only what this run has not looked at. */
static struct status keep_new(struct ctx *cx, struct sweep *sweep, struct page *page)
{
    const char *const *fresh = NULL;
    size_t fresh_count = 0;
    size_t kept = 0;

    TRY(reconciliation_store_see(
        cx, sweep->services->db, &sweep->run.run_id, page->ids, page->count, &fresh, &fresh_count));
    for (size_t i = 0; i < page->count; i++) {
        if (position_of(page->ids[i], fresh, fresh_count) < fresh_count) {
            page->ids[kept] = page->ids[i];
            page->customers[kept] = page->customers[i];
            page->subscriptions[kept] = page->subscriptions[i];
            page->invoices[kept] = page->invoices[i];
            kept++;
        }
    }
    page->count = kept;
    return STATUS_OK;
}

/* agree[i]: both sides say the same, or the mirror has read later. mirrored[i]: there is a row. */
static struct status compare_subscriptions(
    struct ctx *cx, struct sweep *sweep, const struct page *page, bool *mirrored, bool *agree)
{
    struct mirror_subscription *here = NULL;
    size_t count = 0;

    TRY(mirror_view_store_subscriptions(
        cx, sweep->services->db, page->ids, page->count, &here, &count));
    for (size_t i = 0; i < count; i++) {
        const size_t at = position_of(here[i].row.stripe_id, page->ids, page->count);
        struct reconcile_view a;
        struct reconcile_view b;

        reconcile_view_subscription_here(cx, &here[i], &a);
        reconcile_view_subscription_there(cx, page->subscriptions[at], &here[i], &b);
        mirrored[at] = true;
        agree[at] = here[i].row.fetch_number > page->fetch_number || reconcile_view_equal(&a, &b);
    }
    return STATUS_OK;
}

static struct status compare_invoices(
    struct ctx *cx, struct sweep *sweep, const struct page *page, bool *mirrored, bool *agree)
{
    struct mirror_invoice *here = NULL;
    size_t count = 0;

    TRY(mirror_view_store_invoices(cx, sweep->services->db, page->ids, page->count, &here, &count));
    for (size_t i = 0; i < count; i++) {
        const size_t at = position_of(here[i].row.stripe_id, page->ids, page->count);
        struct reconcile_view a;
        struct reconcile_view b;

        reconcile_view_invoice_here(cx, &here[i], &a);
        reconcile_view_invoice_there(cx, page->invoices[at], &here[i], &b);
        mirrored[at] = true;
        agree[at] = here[i].row.fetch_number > page->fetch_number || reconcile_view_equal(&a, &b);
    }
    return STATUS_OK;
}

/* Objects of customers that are none of ours need no look. */
static struct status
drop_foreign(struct ctx *cx, struct sweep *sweep, const struct page *page, bool *ours)
{
    const char *const *known = NULL;
    size_t count = 0;

    TRY(mirror_view_store_customers(
        cx, sweep->services->db, page->customers, page->count, &known, &count));
    for (size_t i = 0; i < page->count; i++) {
        ours[i] = ours[i] || position_of(page->customers[i], known, count) < count;
    }
    return STATUS_OK;
}

/* A moment later, so that what was on its way has come. */
static struct status check_suspects(
    struct ctx *cx, struct sweep *sweep, const struct page *page, const bool *suspect, size_t count)
{
    static const struct sweep_hint unknown = {NULL, 0};
    struct status status = STATUS_OK;

    if (count > 0) {
        sweep_pause(cx, ON_ITS_WAY_MS);
    }
    for (size_t i = 0; status.code == CODE_OK && i < page->count; i++) {
        if (suspect[i]) {
            status = sweep_check(cx, sweep, page->object, page->ids[i], &unknown);
        }
    }
    return status;
}

static struct status compare_page(struct ctx *cx, struct sweep *sweep, const struct page *page)
{
    bool ours[RECONCILE_PAGE] = {false};
    bool agree[RECONCILE_PAGE] = {false};
    bool suspect[RECONCILE_PAGE] = {false};
    size_t suspects = 0;

    TRY(page->object == SWEEP_SUBSCRIPTION ? compare_subscriptions(cx, sweep, page, ours, agree)
                                           : compare_invoices(cx, sweep, page, ours, agree));
    TRY(drop_foreign(cx, sweep, page, ours));
    for (size_t i = 0; i < page->count; i++) {
        suspect[i] = ours[i] && !agree[i];
        suspects += suspect[i] ? 1 : 0;
        sweep->run.compared += agree[i] ? 1 : 0;
        sweep->run.matching += agree[i] ? 1 : 0;
    }
    return check_suspects(cx, sweep, page, suspect, suspects);
}

struct position {
    enum sweep_object object;
    char after[SWEEP_ID_SIZE]; /* "" at the end */
};

static struct status next_page(struct ctx *cx, struct sweep *sweep, void *user)
{
    struct position *position = user;
    struct page page = {.object = position->object};

    TRY(list_page(cx, sweep, position->after, &page));
    sweep_note_id(position->after, page.has_more && page.count > 0 ? page.ids[page.count - 1] : "");
    TRY(keep_new(cx, sweep, &page));
    return page.count == 0 ? STATUS_OK : compare_page(cx, sweep, &page);
}

/* What the mirror has and the lists did not show: it has ended there, or it is gone. */
static struct status next_unseen(struct ctx *cx, struct sweep *sweep, void *user)
{
    static const struct sweep_hint unknown = {NULL, 0};
    struct position *position = user;
    const struct mirror_unseen query = {
        .run_id = sweep->run.run_id,
        .before_fetch = sweep->start_fetch,
        .whole = sweep->run.whole,
        .from_us = sweep->objects_from_us,
        .after = position->after,
        .max = RECONCILE_PAGE,
    };
    const char *const *ids = NULL;
    size_t count = 0;

    TRY(position->object == SWEEP_SUBSCRIPTION
            ? mirror_view_store_unseen_subscriptions(cx, sweep->services->db, &query, &ids, &count)
            : mirror_view_store_unseen_invoices(cx, sweep->services->db, &query, &ids, &count));
    for (size_t i = 0; i < count; i++) {
        TRY(sweep_check(cx, sweep, position->object, ids[i], &unknown));
    }
    sweep_note_id(position->after, count == RECONCILE_PAGE ? ids[count - 1] : "");
    return STATUS_OK;
}

struct status sweep_objects(struct ctx *cx, struct sweep *sweep, enum sweep_object object)
{
    struct position position = {.object = object, .after = ""};

    do {
        TRY(sweep_step(cx, sweep, next_page, &position));
    } while (position.after[0] != '\0');
    do {
        TRY(sweep_step(cx, sweep, next_unseen, &position));
    } while (position.after[0] != '\0');
    return STATUS_OK;
}
