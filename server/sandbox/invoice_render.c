#include <stdio.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "sandbox/account.h"
#include "sandbox/customer.h"
#include "sandbox/invoice.h"
#include "sandbox/invoice_payment.h"
#include "sandbox/payment_intent.h"
#include "sandbox/payment_method.h"
#include "sandbox/price.h"
#include "sandbox/product.h"
#include "sandbox/render.h"
#include "sandbox/sim.h"
#include "sandbox/subscription.h"
#include "sandbox/test_clock.h"

static void render_reductions(
    struct render *render, const char *name, const struct discount *discount, int64_t amount)
{
    struct json_writer *w = &render->writer;

    json_open_array(w, name);
    if (amount > 0) {
        json_open_object(w, NULL);
        json_put_i64(w, "amount", amount);
        json_put_text(w, "discount", discount->id);
        json_close_object(w);
    }
    json_close_array(w);
}

static void render_discount_ids(struct render *render, const struct discount *discount)
{
    json_open_array(&render->writer, "discounts");
    if (discount->id != NULL) {
        json_put_text(&render->writer, NULL, discount->id);
    }
    json_close_array(&render->writer);
}

static void render_line_parent(
    struct render *render, const struct invoice *invoice, const struct invoice_line *line)
{
    struct json_writer *w = &render->writer;

    json_open_object(w, "parent");
    render_nulls(render, "invoice_item_details");
    json_open_object(w, "subscription_item_details");
    render_nulls(render, "invoice_item");
    json_put_bool(w, "proration", line->proration);
    if (line->proration) {
        json_open_object(w, "proration_details");
        render_nulls(render, "credited_items");
        json_close_object(w);
    } else {
        json_put_null(w, "proration_details");
    }
    json_put_text(w, "subscription", invoice->subscription->object.id);
    json_put_text(w, "subscription_item", line->item_id);
    json_close_object(w);
    json_put_text(w, "type", "subscription_item_details");
    json_close_object(w);
}

void invoice_render_line(
    struct render *render, const struct invoice *invoice, const struct invoice_line *line)
{
    struct json_writer *w = &render->writer;
    char unit[48];

    json_open_object(w, NULL);
    json_put_text(w, "id", line->id);
    json_put_text(w, "object", "line_item");
    json_put_i64(w, "amount", line->amount);
    json_put_text(w, "currency", invoice->currency);
    json_put_text(w, "description", line->description);
    render_reductions(render, "discount_amounts", &invoice->discount, line->reduction);
    json_put_bool(w, "discountable", true);
    render_empty_arrays(render, "discounts");
    json_put_text(w, "invoice", invoice->object.id);
    json_put_bool(w, "livemode", false);
    metadata_render(render, "metadata", &invoice->subscription_metadata);
    render_line_parent(render, invoice, line);
    json_open_object(w, "period");
    json_put_i64(w, "end", line->end_s);
    json_put_i64(w, "start", line->start_s);
    json_close_object(w);
    render_empty_arrays(render, "pretax_credit_amounts");
    json_open_object(w, "pricing");
    json_open_object(w, "price_details");
    json_put_text(w, "price", line->price->object.id);
    json_put_text(w, "product", line->price->product->object.id);
    json_close_object(w);
    json_put_text(w, "type", "price_details");
    atoms_format(line->price->unit, unit);
    json_put_text(w, "unit_amount_decimal", line->price->tiered ? NULL : unit);
    json_close_object(w);
    json_put_i64(w, "quantity", line->quantity);
    json_put_text(
        w,
        "quantity_decimal",
        arena_printf(render->sim->cx->arena, "%lld", (long long)line->quantity));
    json_put_text(w, "subscription", invoice->subscription->object.id);
    json_put_i64(w, "subtotal", line->amount);
    render_empty_arrays(render, "taxes");
    json_close_object(w);
}

static void render_lines(struct render *render, const struct invoice *invoice)
{
    render_list_open(render, "lines");
    for (size_t i = 0; i < invoice->line_count && i < INVOICE_LINES_SHOWN; i++) {
        invoice_render_line(render, invoice, &invoice->lines[i]);
    }
    render_list_close(
        render,
        invoice->line_count > INVOICE_LINES_SHOWN,
        arena_printf(render->sim->cx->arena, "/v1/invoices/%s/lines", invoice->object.id));
}

static void render_parent(struct render *render, const struct invoice *invoice)
{
    struct json_writer *w = &render->writer;

    json_open_object(w, "parent");
    render_nulls(render, "quote_details");
    json_open_object(w, "subscription_details");
    metadata_render(render, "metadata", &invoice->subscription_metadata);
    render_enter(render, "parent.subscription_details");
    render_ref(render, "subscription", invoice->subscription);
    render_leave(render);
    render_leave(render);
    json_close_object(w);
    json_put_text(w, "type", "subscription_details");
    json_close_object(w);
}

/* What only shows when "expand" asks for it. */
static void render_on_demand(struct render *render, const struct invoice *invoice)
{
    struct json_writer *w = &render->writer;

    if (render_wants(render, "confirmation_secret")) {
        if (invoice->intent == NULL) {
            json_put_null(w, "confirmation_secret");
        } else {
            json_open_object(w, "confirmation_secret");
            json_put_text(w, "client_secret", invoice->intent->client_secret);
            json_put_text(w, "type", "payment_intent");
            json_close_object(w);
        }
    }
    if (render_wants(render, "payments")) {
        render_list_open(render, "payments");
        if (invoice->payment != NULL) {
            render_object(render, NULL, invoice->payment);
        }
        render_list_close(render, false, "/v1/invoice_payments");
    }
}

static void render_customer(struct render *render, const struct invoice *invoice)
{
    const struct customer *customer = invoice->customer;
    struct json_writer *w = &render->writer;

    render_ref(render, "customer", customer);
    render_nulls(render, "customer_account customer_address");
    json_put_text(w, "customer_email", customer->email);
    json_put_text(w, "customer_name", customer->name);
    json_put_text(w, "customer_phone", customer->phone);
    render_nulls(render, "customer_shipping");
    json_put_text(w, "customer_tax_exempt", customer->tax_exempt);
    render_empty_arrays(render, "customer_tax_ids");
}

static void render_amounts(struct render *render, const struct invoice *invoice)
{
    struct json_writer *w = &render->writer;

    json_put_i64(w, "amount_due", invoice->amount_due);
    render_zeros(render, "amount_overpaid");
    json_put_i64(w, "amount_paid", invoice->amount_paid);
    json_put_i64(
        w, "amount_remaining", invoice->status == INVOICE_PAID ? 0 : invoice_remaining(invoice));
    render_zeros(
        render, "amount_shipping post_payment_credit_notes_amount pre_payment_credit_notes_amount");
    if (invoice->status == INVOICE_DRAFT) {
        json_put_null(w, "ending_balance");
    } else {
        json_put_i64(w, "ending_balance", invoice->ending_balance);
    }
    json_put_i64(w, "starting_balance", invoice->starting_balance);
    json_put_i64(w, "subtotal", invoice->subtotal);
    json_put_i64(w, "subtotal_excluding_tax", invoice->subtotal);
    json_put_i64(w, "total", invoice->total);
    render_reductions(render, "total_discount_amounts", &invoice->discount, invoice->reduction);
    json_put_i64(w, "total_excluding_tax", invoice->total);
    render_empty_arrays(render, "total_pretax_credit_amounts total_taxes");
}

static void render_settings(struct render *render)
{
    struct json_writer *w = &render->writer;

    json_open_object(w, "automatic_tax");
    render_nulls(render, "disabled_reason");
    json_put_bool(w, "enabled", false);
    render_nulls(render, "liability provider status");
    json_close_object(w);
    json_open_object(w, "issuer");
    json_put_text(w, "type", "self");
    json_close_object(w);
    json_open_object(w, "payment_settings");
    render_nulls(render, "default_mandate payment_method_options payment_method_types");
    json_close_object(w);
}

static void render_transitions(struct render *render, const struct invoice *invoice)
{
    json_open_object(&render->writer, "status_transitions");
    render_i64_or_null(render, "finalized_at", invoice->finalized_s);
    render_i64_or_null(render, "marked_uncollectible_at", invoice->uncollectible_s);
    render_i64_or_null(render, "paid_at", invoice->paid_s);
    render_i64_or_null(render, "voided_at", invoice->voided_s);
    json_close_object(&render->writer);
}

static const char *
page_url(const struct render *render, const struct invoice *invoice, const char *end)
{
    return invoice->status == INVOICE_DRAFT ? NULL
                                            : arena_printf(
                                                  render->sim->cx->arena,
                                                  "https://invoice.invalid/%s/%s%s",
                                                  invoice->object.owner->object.id,
                                                  invoice->object.id,
                                                  end);
}

void invoice_render(struct render *render, const struct object *object)
{
    const struct invoice *invoice = (const struct invoice *)object;
    const struct account *account = object->owner;
    struct json_writer *w = &render->writer;

    json_put_text(w, "account_country", account->country);
    json_put_text(w, "account_name", account->business_name);
    render_nulls(render, "account_tax_ids");
    render_amounts(render, invoice);
    json_put_text(w, "application", account->object.owner == NULL ? NULL : "ca_simulated");
    json_put_i64(w, "attempt_count", invoice->attempt_count);
    json_put_bool(w, "attempted", invoice->attempted);
    json_put_bool(
        w,
        "auto_advance",
        invoice->auto_advance &&
            (invoice->status == INVOICE_DRAFT || invoice->status == INVOICE_OPEN));
    render_i64_or_null(render, "automatically_finalizes_at", invoice->finalizes_s);
    json_put_text(w, "billing_reason", invoice->reason);
    json_put_text(w, "collection_method", invoice->send ? "send_invoice" : "charge_automatically");
    json_put_i64(w, "created", object->created_s);
    json_put_text(w, "currency", invoice->currency);
    render_nulls(render, "custom_fields");
    render_customer(render, invoice);
    render_ref(render, "default_payment_method", invoice->default_payment_method);
    render_nulls(render, "default_source");
    render_empty_arrays(render, "default_tax_rates");
    json_put_text(w, "description", invoice->description);
    render_discount_ids(render, &invoice->discount);
    render_i64_or_null(render, "due_date", invoice->due_s);
    render_i64_or_null(render, "effective_at", invoice->finalized_s);
    render_nulls(render, "footer from_invoice");
    json_put_text(w, "hosted_invoice_url", page_url(render, invoice, ""));
    json_put_text(w, "invoice_pdf", page_url(render, invoice, "/pdf"));
    render_nulls(render, "last_finalization_error latest_revision");
    render_lines(render, invoice);
    json_put_bool(w, "livemode", false);
    metadata_render(render, "metadata", &invoice->metadata);
    render_i64_or_null(render, "next_payment_attempt", invoice->next_attempt_s);
    json_put_text(w, "number", invoice->number);
    render_nulls(render, "on_behalf_of");
    render_parent(render, invoice);
    json_put_i64(w, "period_end", invoice->period_end_s);
    json_put_i64(w, "period_start", invoice->period_start_s);
    render_nulls(render, "receipt_number rendering shipping_cost shipping_details");
    render_nulls(render, "statement_descriptor");
    render_settings(render);
    json_put_text(w, "status", invoice_status_word(invoice->status));
    render_transitions(render, invoice);
    render_ref(render, "test_clock", invoice->customer->test_clock);
    render_i64_or_null(
        render, "webhooks_delivered_at", invoice->status == INVOICE_DRAFT ? 0 : object->created_s);
    render_on_demand(render, invoice);
}
