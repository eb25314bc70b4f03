#include "services/invoices.h"

#include "base/ctx.h"
#include "services/services.h"
#include "store/invoice_line_store.h"
#include "store/subscriber_store.h"
#include "store/subscription_store.h"

struct status invoices_get(
    struct ctx *cx,
    struct services *services,
    const struct id *invoice_id,
    struct invoice *ret_invoice,
    struct invoice_lines *ret_lines)
{
    TRY(invoice_store_load(cx, services->db, invoice_id, ret_invoice));
    return invoice_line_store_load(
        cx, services->db, invoice_id, &ret_lines->lines, &ret_lines->count);
}

static struct status find_customer(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    struct id *ret_customer_id)
{
    struct subscriber subscriber;

    if (customer == NULL) {
        return STATUS_OK;
    }
    TRY(subscriber_store_load(
        cx, services->db, customer->customer_id, customer->external_id, &subscriber));
    *ret_customer_id = subscriber.customer_id;
    return STATUS_OK;
}

struct status invoices_list(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    struct invoice_filter *filter,
    size_t max,
    struct invoice **ret_invoices,
    size_t *ret_count)
{
    TRY(find_customer(cx, services, customer, &filter->customer_id));
    if (!id_is_zero(&filter->subscription_id)) {
        struct subscription subscription;

        TRY(subscription_store_load(cx, services->db, &filter->subscription_id, &subscription));
    }
    return invoice_store_list(cx, services->db, filter, max, ret_invoices, ret_count);
}

struct status invoices_find_parts(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    struct invoice_part_filter *filter)
{
    TRY(find_customer(cx, services, customer, &filter->customer_id));
    if (!id_is_zero(&filter->invoice_id)) {
        struct invoice invoice;

        TRY(invoice_store_load(cx, services->db, &filter->invoice_id, &invoice));
    }
    return STATUS_OK;
}
