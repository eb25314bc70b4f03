#include "sandbox/upcoming.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "sandbox/call.h"
#include "sandbox/customer.h"
#include "sandbox/item_change.h"
#include "sandbox/param.h"
#include "sandbox/price.h"
#include "sandbox/sim.h"
#include "sandbox/subscription.h"
#include "sandbox/subscription_billing.h"

#define DETAILS "subscription_details"

/* Ids are not drawn: what is asked must not change what is answered to others. */
static void
add_line(const struct sim *sim, struct invoice *invoice, const struct invoice_line *line)
{
    if (invoice->line_count < invoice->line_capacity) {
        invoice->lines[invoice->line_count] = *line;
        invoice->lines[invoice->line_count].id =
            arena_printf(sim->cx->arena, "il_tmp_%zu", invoice->line_count + 1);
        invoice->line_count++;
    }
}

static void add_lines(
    const struct sim *sim, struct invoice *invoice, const struct invoice_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        add_line(sim, invoice, &lines[i]);
    }
}

/* What the renewal will add: usage of the period that ends, the price of the one that begins. */
static void add_period(
    struct sim *sim,
    const struct subscription *subscription,
    const struct subscription_item *item,
    struct invoice *invoice)
{
    struct subscription_item next = *item;
    struct invoice_line line;

    if (!item->price->metered) {
        next.start_s = item->end_s;
        next.end_s = calendar_next(subscription->anchor_s, item->price->interval, item->end_s);
    } else if (subscription->status == SUBSCRIPTION_TRIALING) {
        return;
    }
    subscription_billing_line(sim, subscription, &next, &line);
    add_line(sim, invoice, &line);
}

static void add_renewal(
    struct sim *sim,
    const struct subscription *subscription,
    const struct subscription_item *items,
    size_t count,
    struct invoice *invoice)
{
    int64_t end_s = 0;

    for (size_t i = 0; i < count; i++) {
        if (items[i].price != NULL && (end_s == 0 || items[i].end_s < end_s)) {
            end_s = items[i].end_s;
            invoice->period_start_s = items[i].start_s;
            invoice->period_end_s = end_s;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (items[i].price != NULL && items[i].end_s == end_s) {
            add_period(sim, subscription, &items[i], invoice);
        }
    }
    invoice->reason = "upcoming";
    invoice->next_attempt_s = invoice->send ? 0 : end_s + 3600;
}

/* The balance of the customer is used up first, as when an invoice is finalised. */
static void use_balance(struct invoice *invoice)
{
    const int64_t owed = invoice->total + invoice->customer->balance;

    invoice->amount_due = owed > 0 ? owed : 0;
    invoice->ending_balance = owed > 0 ? 0 : owed;
}

void upcoming_invoice(
    struct sim *sim,
    const struct subscription *subscription,
    const struct item_change *change,
    struct invoice *ret_invoice)
{
    struct invoice *invoice = ret_invoice;
    const int64_t now_s = customer_now_s(sim, subscription->customer);

    *invoice = (struct invoice){
        .object =
            {
                .kind = KIND_INVOICE,
                .id = arena_printf(sim->cx->arena, "upcoming_%s", subscription->object.id),
                .owner = subscription->object.owner,
                .created_s = now_s,
            },
        .customer = subscription->customer,
        .subscription = (struct subscription *)(uintptr_t)subscription,
        .reason = "subscription_update",
        .currency = subscription_currency(subscription),
        .period_start_s = now_s,
        .period_end_s = now_s,
        .send = subscription->send_invoice,
        .auto_advance = true,
        .discount = subscription->discount,
        .subscription_metadata = subscription->metadata,
        .lines = arena_alloc(sim->cx->arena, INVOICE_LINES_MAX * sizeof *invoice->lines),
        .line_capacity = INVOICE_LINES_MAX,
    };
    add_lines(sim, invoice, subscription->pending, subscription->pending_count);
    if (change != NULL) {
        add_lines(sim, invoice, change->lines, change->line_count);
    }
    if (change == NULL) {
        add_renewal(sim, subscription, subscription->items, subscription->item_count, invoice);
    } else if (!change->bill_now || change->line_count == 0) {
        add_renewal(sim, subscription, change->items, change->count, invoice);
    }
    invoice_total(sim, invoice);
    use_balance(invoice);
}

static const struct param preview_params[] = {
    {"customer", PARAM_TEXT, 0, NULL},
    {"subscription", PARAM_TEXT, 0, NULL},
    {DETAILS "[items][*][id]", PARAM_TEXT, 0, NULL},
    {DETAILS "[items][*][price]", PARAM_TEXT, 0, NULL},
    {DETAILS "[items][*][quantity]", PARAM_INT, 0, NULL},
    {DETAILS "[items][*][deleted]", PARAM_BOOL, 0, NULL},
    {DETAILS "[items][*][clear_usage]", PARAM_BOOL, 0, NULL},
    {DETAILS "[proration_behavior]", PARAM_ENUM, 0, "always_invoice|create_prorations|none"},
    {DETAILS "[proration_date]", PARAM_INT, 0, NULL},
    {DETAILS "[billing_mode][type]", PARAM_ENUM, 0, "flexible"},
    {DETAILS, PARAM_UNSUPPORTED, 0, NULL},
    {"schedule", PARAM_UNSUPPORTED, 0, NULL},
    {"schedule_details", PARAM_UNSUPPORTED, 0, NULL},
    {"invoice_items", PARAM_UNSUPPORTED, 0, NULL},
    {"discounts", PARAM_UNSUPPORTED, 0, NULL},
    {"currency", PARAM_UNSUPPORTED, 0, NULL},
    {"preview_mode", PARAM_ENUM, 0, "next"},
    PARAMS_EXPAND,
    PARAM_END,
};

/* "subscription_details[items][0][id]" as "items[0][id]": the names that the change itself knows.
 */
static void take_details(const struct call *call, const struct form *whole, struct form *details)
{
    static const char prefix[] = DETAILS "[";
    const size_t len = sizeof prefix - 1;

    details->pairs = arena_alloc(call->cx->arena, (whole->count + 1) * sizeof *details->pairs);
    details->count = 0;
    for (size_t i = 0; i < whole->count; i++) {
        const char *key = whole->pairs[i].key;
        const char *end = strncmp(key, prefix, len) == 0 ? strchr(key + len, ']') : NULL;

        if (end != NULL) {
            details->pairs[details->count++] = (struct form_pair){
                .key = arena_printf(
                    call->cx->arena, "%.*s%s", (int)(end - key - (int)len), key + len, end + 1),
                .value = whole->pairs[i].value,
            };
        }
    }
}

/* And back, for the parameter that an error names. */
static const char *detail_name(const struct call *call, const char *name)
{
    const size_t len = name == NULL ? 0 : strcspn(name, "[");

    return name == NULL
               ? NULL
               : arena_printf(call->cx->arena, DETAILS "[%.*s]%s", (int)len, name, name + len);
}

static bool
plan_change(struct call *call, const struct subscription *subscription, struct item_change *change)
{
    const struct form whole = call->form;
    bool planned = false;

    take_details(call, &whole, &call->form);
    planned = item_change_plan(call, subscription, change);
    call->form = whole;
    if (!planned) {
        call->failure.param = detail_name(call, call->failure.param);
    }
    return planned;
}

static bool create_preview(struct call *call)
{
    struct subscription *subscription = NULL;
    struct customer *customer = NULL;
    struct item_change change;
    struct invoice invoice;

    if (!call_find(call, KIND_SUBSCRIPTION, "subscription", &subscription) ||
        !call_find(call, KIND_CUSTOMER, "customer", &customer)) {
        return false;
    }
    if (subscription == NULL) {
        return call_fail_not_implemented(call, "the preview of a new subscription");
    }
    if ((customer != NULL && subscription->customer != customer) ||
        !subscription_is_live(subscription)) {
        return call_fail(
            call,
            404,
            "invoice_upcoming_none",
            NULL,
            "No upcoming invoices for customer: %s",
            subscription->customer->object.id);
    }
    if (!plan_change(call, subscription, &change)) {
        return false;
    }
    upcoming_invoice(call->sim, subscription, &change, &invoice);
    return call_reply(call, &invoice);
}

const struct endpoint upcoming_api[] = {
    {"POST",
     "/v1/invoices/create_preview",
     create_preview,
     preview_params,
     KIND_INVOICE,
     ENDPOINT_FLEETING},
    {NULL, NULL, NULL, NULL, KIND_NONE, 0},
};
