#include "stripe/stripe_invoice.h"

#include <string.h>

#include "base/arena.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_value.h"

#define FORM_BYTES_MAX ((size_t)4 * 1024)
#define LINES_PAGE 100

/* The "amount" of each; 0 when they do not fit. */
static int64_t sum_amounts(json_value list, const char *currency)
{
    int64_t sum = 0;

    for (size_t i = 0; i < json_len(list); i++) {
        if (__builtin_add_overflow(
                sum, stripe_value_minor(json_item(list, i), "amount", currency), &sum)) {
            return 0;
        }
    }
    return sum;
}

static void read_amounts(json_value object, struct payment_invoice *invoice)
{
    const char *currency = invoice->currency;

    invoice->subtotal_minor = stripe_value_minor(object, "subtotal", currency);
    invoice->total_minor = stripe_value_minor(object, "total", currency);
    invoice->due_minor = stripe_value_minor(object, "amount_due", currency);
    invoice->paid_minor = stripe_value_minor(object, "amount_paid", currency);
    invoice->remaining_minor = stripe_value_minor(object, "amount_remaining", currency);
    invoice->discount_minor = sum_amounts(json_get(object, "total_discount_amounts"), currency);
    invoice->tax_minor = sum_amounts(json_get(object, "total_taxes"), currency);
}

static void read_times(json_value object, struct payment_invoice *invoice)
{
    invoice->next_attempt_us = stripe_value_time(object, "next_payment_attempt");
    invoice->period_start_us = stripe_value_time(object, "period_start");
    invoice->period_end_us = stripe_value_time(object, "period_end");
    invoice->due_us = stripe_value_time(object, "due_date");
    invoice->finalized_us = stripe_value_time(object, "status_transitions.finalized_at");
    invoice->paid_us = stripe_value_time(object, "status_transitions.paid_at");
    invoice->voided_us = stripe_value_time(object, "status_transitions.voided_at");
    invoice->created_us = stripe_value_time(object, "created");
}

/* The default payment is the one that the payment side tries; without one, the newest. */
static json_value last_payment(json_value object)
{
    const json_value payments = json_at(object, "payments.data");

    for (size_t i = 0; i < json_len(payments); i++) {
        if (json_bool(json_item(payments, i), "is_default")) {
            return json_item(payments, i);
        }
    }
    return json_item(payments, 0);
}

static void read_payment(struct ctx *cx, json_value object, struct payment_invoice *invoice)
{
    const json_value payment = json_get(last_payment(object), "payment");
    const json_value intent = json_get(payment, "payment_intent");
    const json_value error = json_get(intent, "last_payment_error");

    invoice->payment_intent_id = stripe_value_reference(cx, payment, "payment_intent");
    invoice->payment_intent_status = json_text(cx, intent, "status");
    invoice->payment_method_id = stripe_value_reference(cx, intent, "payment_method");
    invoice->latest_charge_id = stripe_value_reference(cx, intent, "latest_charge");
    invoice->error_code = json_text(cx, error, "code");
    invoice->decline_code = json_text(cx, error, "decline_code");
    invoice->advice_code = json_text(cx, error, "advice_code");
}

static void
read_line(struct ctx *cx, json_value object, const char *currency, struct invoice_line *ret_line)
{
    const json_value item = json_at(object, "parent.subscription_item_details");

    *ret_line = (struct invoice_line){
        .stripe_line_id = json_text(cx, object, "id"),
        .stripe_price_id = stripe_value_reference(cx, object, "pricing.price_details.price"),
        .stripe_item_id = json_text(cx, item, "subscription_item"),
        .description = json_text(cx, object, "description"),
        .quantity = json_i64(object, "quantity"),
        .amount_minor = stripe_value_minor(object, "amount", currency),
        .discount_minor = sum_amounts(json_get(object, "discount_amounts"), currency),
        .tax_minor = sum_amounts(json_get(object, "taxes"), currency),
        .proration = json_bool(item, "proration") ||
                     json_bool(object, "parent.invoice_item_details.proration"),
        .period_start_us = stripe_value_time(object, "period.start"),
        .period_end_us = stripe_value_time(object, "period.end"),
    };
}

static struct invoice_line *read_lines(struct ctx *cx, json_value data, const char *currency)
{
    const size_t count = json_len(data);
    struct invoice_line *lines = arena_alloc(cx->arena, (count + 1) * sizeof *lines);

    for (size_t i = 0; lines != NULL && i < count; i++) {
        read_line(cx, json_item(data, i), currency, &lines[i]);
    }
    return lines;
}

void stripe_invoice_read(struct ctx *cx, json_value object, struct payment_invoice *ret_invoice)
{
    const json_value parent = json_at(object, "parent.subscription_details");
    const char *status = json_text(cx, object, "status");

    *ret_invoice = (struct payment_invoice){
        .id = json_text(cx, object, "id"),
        .number = json_text(cx, object, "number"),
        .customer_id = stripe_value_reference(cx, object, "customer"),
        .subscription_id = stripe_value_reference(cx, parent, "subscription"),
        .status_text = status,
        .status = invoice_status_of_payment(status, INVOICE_DRAFT),
        .billing_reason = json_text(cx, object, "billing_reason"),
        .collection_method = json_text(cx, object, "collection_method"),
        .currency = stripe_value_currency(cx, object, "currency"),
        .attempt_count = json_i64(object, "attempt_count"),
        .hosted_url = json_text(cx, object, "hosted_invoice_url"),
        .pdf_url = json_text(cx, object, "invoice_pdf"),
        .live = json_bool(object, "livemode"),
        .lines = read_lines(
            cx, json_at(object, "lines.data"), stripe_value_currency(cx, object, "currency")),
        .line_count = json_len(json_at(object, "lines.data")),
        .more_lines = json_bool(object, "lines.has_more"),
        .metadata = stripe_value_metadata(cx, object, "metadata"),
        .subscription_marks = stripe_value_marks(cx, parent, "metadata"),
        .raw = "",
    };
    if (ret_invoice->lines == NULL) {
        ret_invoice->line_count = 0;
        ret_invoice->more_lines = true;
    }
    read_amounts(object, ret_invoice);
    read_times(object, ret_invoice);
    read_payment(cx, object, ret_invoice);
}

static struct status read_call(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_call *call,
    struct payment_invoice *ret_invoice)
{
    AUTO_JSON *json = NULL;
    const char *raw = NULL;

    TRY(stripe_client_call(cx, client, call, &json, &raw));
    stripe_invoice_read(cx, json_root(json), ret_invoice);
    ret_invoice->raw = raw;
    return STATUS_OK;
}

/* Four levels, which is as deep as it goes. */
static void put_expand(struct stripe_form *form)
{
    stripe_form_open_array(form, "expand");
    stripe_form_element(form, "payments.data.payment.payment_intent");
    stripe_form_close(form);
}

static struct status retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *invoice_id,
    struct payment_invoice *ret_invoice)
{
    AUTO_BUF query = {0};
    struct stripe_form form;
    struct stripe_call call = {
        .endpoint = "invoices.retrieve",
        .verb = STRIPE_GET,
        .account_id = account_id,
        .form = &query,
        .object = "invoice",
    };

    TRY(stripe_value_path(cx, "/v1/invoices/", invoice_id, "", &call.path));
    buf_init(&query, FORM_BYTES_MAX);
    stripe_form_begin(&form, &query);
    put_expand(&form);
    return read_call(cx, client, &call, ret_invoice);
}

/* One page of lines behind those that are there already. */
static struct status more_lines(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    struct invoice_line *lines,
    struct payment_invoice *invoice)
{
    AUTO_BUF query = {0};
    AUTO_JSON *json = NULL;
    struct stripe_form form;
    const char *raw = NULL;
    json_value data = NULL;
    struct stripe_call call = {
        .endpoint = "invoices.lines",
        .verb = STRIPE_GET,
        .account_id = account_id,
        .form = &query,
        .object = "list",
    };

    TRY(stripe_value_path(cx, "/v1/invoices/", invoice->id, "/lines", &call.path));
    buf_init(&query, FORM_BYTES_MAX);
    stripe_form_begin(&form, &query);
    stripe_form_i64(&form, "limit", LINES_PAGE);
    stripe_form_text(&form, "starting_after", lines[invoice->line_count - 1].stripe_line_id);
    TRY(stripe_client_call(cx, client, &call, &json, &raw));
    data = json_get(json_root(json), "data");
    invoice->more_lines = json_bool(json_root(json), "has_more");
    for (size_t i = 0; i < json_len(data); i++) {
        if (invoice->line_count == INVOICE_LINES_MAX) {
            invoice->more_lines = true;
            break;
        }
        read_line(cx, json_item(data, i), invoice->currency, &lines[invoice->line_count++]);
    }
    return STATUS_OK;
}

struct status stripe_invoice_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *invoice_id,
    struct payment_invoice *ret_invoice)
{
    struct invoice_line *lines = NULL;
    size_t before = 0;

    TRY(retrieve(cx, client, account_id, invoice_id, ret_invoice));
    if (!ret_invoice->more_lines || ret_invoice->line_count == 0) {
        return STATUS_OK;
    }
    lines = arena_try_alloc(cx->arena, INVOICE_LINES_MAX * sizeof *lines);
    if (lines == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    memcpy(lines, ret_invoice->lines, ret_invoice->line_count * sizeof *lines);
    ret_invoice->lines = lines;
    while (ret_invoice->more_lines && ret_invoice->line_count < INVOICE_LINES_MAX &&
           ret_invoice->line_count > before) {
        before = ret_invoice->line_count;
        TRY(more_lines(cx, client, account_id, lines, ret_invoice));
    }
    return STATUS_OK;
}

static struct status
read_page(struct ctx *cx, json_value list, struct payment_invoice_page *ret_page)
{
    const json_value data = json_get(list, "data");
    const size_t count = json_len(data);
    struct payment_invoice *read =
        arena_try_alloc(cx->arena, (count == 0 ? 1 : count) * sizeof *read);

    if (read == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < count; i++) {
        stripe_invoice_read(cx, json_item(data, i), &read[i]);
        read[i].raw = json_print(cx, json_item(data, i));
    }
    *ret_page = (struct payment_invoice_page){
        .invoices = read, .count = count, .has_more = json_bool(list, "has_more")};
    return STATUS_OK;
}

struct status stripe_invoice_list(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *subscription_id,
    const char *starting_after,
    int64_t limit,
    struct payment_invoice_page *ret_page)
{
    AUTO_BUF query = {0};
    AUTO_JSON *json = NULL;
    struct stripe_form form;
    const char *raw = NULL;

    buf_init(&query, FORM_BYTES_MAX);
    stripe_form_begin(&form, &query);
    stripe_form_text(&form, "subscription", subscription_id);
    stripe_form_i64(&form, "limit", limit);
    stripe_form_text(&form, "starting_after", starting_after);
    TRY(stripe_client_call(
        cx,
        client,
        &(struct stripe_call){
            .endpoint = "invoices.list",
            .verb = STRIPE_GET,
            .path = "/v1/invoices",
            .account_id = account_id,
            .form = &query,
            .object = "list",
        },
        &json,
        &raw));
    return read_page(cx, json_root(json), ret_page);
}

struct status stripe_invoice_pay(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *invoice_id,
    const char *payment_method,
    const char *idempotency_key,
    struct payment_invoice *ret_invoice)
{
    AUTO_BUF body = {0};
    struct stripe_form form;
    struct stripe_call call = {
        .endpoint = "invoices.pay",
        .verb = STRIPE_POST,
        .account_id = account_id,
        .form = &body,
        .idempotency_key = idempotency_key,
        .object = "invoice",
    };

    TRY(stripe_value_path(cx, "/v1/invoices/", invoice_id, "/pay", &call.path));
    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    stripe_form_text(&form, "payment_method", payment_method);
    put_expand(&form);
    return read_call(cx, client, &call, ret_invoice);
}
