#include "services/customers.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/log.h"
#include "domain/event.h"
#include "domain/field_check.h"
#include "domain/organization.h"
#include "http/json.h"
#include "services/audit.h"
#include "services/entitlements.h"
#include "services/services.h"
#include "store/event_log.h"
#include "store/organization_store.h"

#define PAYLOAD_BYTES_MAX 2048

struct status
customers_tell(struct ctx *cx, struct tx *tx, enum event_type type, const struct customer *customer)
{
    struct event event = {.type = type, .customer_id = customer->customer_id};
    AUTO_BUF buf;
    struct json_writer w;

    buf_init(&buf, PAYLOAD_BYTES_MAX);
    json_begin(&w, &buf);
    json_open_object(&w, NULL);
    json_put_text(&w, "external_customer_id", customer->external_id);
    json_close_object(&w);
    event.payload = arena_text(cx->arena, buf_cstr(&buf));
    return event_log_add(cx, tx, &event);
}

static struct status check_time_zone(struct ctx *cx, struct tx *tx, const char *time_zone)
{
    bool known = true;

    if (time_zone[0] == '\0' || strcmp(time_zone, "UTC") == 0) {
        return STATUS_OK;
    }
    if (strlen(time_zone) > ORGANIZATION_TIME_ZONE_BYTES_MAX) {
        known = false;
    } else {
        TRY(organization_store_zone_known(cx, tx, time_zone, &known));
    }
    if (known) {
        return STATUS_OK;
    }
    return status_pair(
        cx,
        status_fail(
            cx,
            REASON_TIME_ZONE_UNKNOWN,
            "time zone \"%.64s\" is not in the IANA database",
            time_zone),
        "time_zone",
        arena_printf(cx->arena, "%.64s", time_zone));
}

struct status customers_create(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const struct customer *input,
    struct customer *ret_customer)
{
    struct customer customer = *input;
    struct audit_changes changes = {0};

    (void)services;
    TRY(customer_check(cx, "customer", &customer));
    TRY(check_time_zone(cx, tx, customer.time_zone));
    customer.customer_id = id_new(cx->now_us);
    customer.stripe_customer_id = "";
    customer.payment_method_id = "";
    customer.version = 1;
    customer.created_us = cx->now_us;
    customer.updated_us = cx->now_us;
    customer.archived_us = 0;
    TRY(customer_store_insert(cx, tx, &customer));
    audit_note(&changes, "external_customer_id", "", customer.external_id);
    TRY(audit_add(
        cx, tx, "customer", id_text(cx->arena, ID_CUSTOMER, &customer.customer_id), &changes));
    TRY(customers_tell(cx, tx, EVENT_CUSTOMER_CREATED, &customer));
    *ret_customer = customer;
    return STATUS_OK;
}

struct status customers_get(
    struct ctx *cx,
    struct services *services,
    const struct customer_key *key,
    struct customer *ret_customer)
{
    return customer_store_load(cx, services->db, NULL, key, ret_customer);
}

struct status customers_list(
    struct ctx *cx,
    struct services *services,
    const struct customer_filter *filter,
    const struct customer_position *before,
    int32_t max,
    struct customer **ret_customers,
    size_t *ret_count)
{
    return customer_store_list(cx, services->db, filter, before, max, ret_customers, ret_count);
}

static void apply(const struct customer_change *change, struct customer *customer)
{
    const struct customer *values = &change->values;
    const struct {
        enum customer_field field;
        const char **target;
        const char *value;
    } texts[] = {
        {CUSTOMER_EXTERNAL_ID, &customer->external_id, values->external_id},
        {CUSTOMER_EMAIL, &customer->email, values->email},
        {CUSTOMER_NAME, &customer->name, values->name},
        {CUSTOMER_PHONE, &customer->phone, values->phone},
        {CUSTOMER_ADDRESS, &customer->address, values->address},
        {CUSTOMER_CURRENCY, &customer->currency, values->currency},
        {CUSTOMER_LOCALE, &customer->locale, values->locale},
        {CUSTOMER_TIME_ZONE, &customer->time_zone, values->time_zone},
        {CUSTOMER_METADATA, &customer->metadata, values->metadata},
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (change->fields & texts[i].field) {
            *texts[i].target = texts[i].value;
        }
    }
    if (change->fields & CUSTOMER_TAX_EXEMPTION) {
        customer->tax = values->tax;
    }
}

/* Personal data stay out of the audit log: it says that they changed, not what they were. */
static void note_changes(
    const struct customer *before, const struct customer *after, struct audit_changes *changes)
{
    const struct {
        const char *path;
        const char *before;
        const char *after;
    } personal[] = {
        {"email", before->email, after->email},
        {"name", before->name, after->name},
        {"phone", before->phone, after->phone},
        {"address", before->address, after->address},
        {"metadata", before->metadata, after->metadata},
    };

    for (size_t i = 0; i < ARRAY_LEN(personal); i++) {
        if (strcmp(personal[i].before, personal[i].after) != 0) {
            audit_note(changes, personal[i].path, "before", "after");
        }
    }
    audit_note(changes, "external_customer_id", before->external_id, after->external_id);
    audit_note(changes, "currency_code", before->currency, after->currency);
    audit_note(changes, "locale", before->locale, after->locale);
    audit_note(changes, "time_zone", before->time_zone, after->time_zone);
    audit_note(
        changes, "tax_exemption", tax_exemption_name(before->tax), tax_exemption_name(after->tax));
}

/* All subscriptions of a customer are in one currency. */
static struct status check_currency(
    struct ctx *cx, struct tx *tx, const struct customer *before, const struct customer *after)
{
    const char *billed = "";

    if (strcmp(before->currency, after->currency) == 0) {
        return STATUS_OK;
    }
    TRY(customer_store_billed_currency(cx, tx, &before->customer_id, &billed));
    if (billed[0] == '\0' || strcmp(billed, after->currency) == 0) {
        return STATUS_OK;
    }
    return status_pair(
        cx,
        status_pair(
            cx,
            status_fail(cx, REASON_CURRENCY_MISMATCH, "the customer is billed in %s", billed),
            "currency_code",
            after->currency),
        "expected_currency_code",
        billed);
}

static struct status customers_update_save(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const struct customer *before,
    struct customer *after,
    const struct audit_changes *changes)
{
    after->version++;
    after->updated_us = cx->now_us;
    TRY(customer_store_update(cx, tx, after));
    TRY(audit_add(
        cx, tx, "customer", id_text(cx->arena, ID_CUSTOMER, &after->customer_id), changes));
    if (strcmp(before->external_id, after->external_id) != 0) {
        /* Caches know the customer by it. */
        TRY(entitlements_rebuild(cx, services, tx, &after->customer_id));
    }
    return customers_tell(cx, tx, EVENT_CUSTOMER_UPDATED, after);
}

struct status customers_update(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const struct customer_change *change,
    struct customer *ret_customer)
{
    struct audit_changes changes = {0};
    struct customer before;
    struct customer after;

    TRY(customer_store_lock(cx, tx, &change->key, &before));
    TRY(customer_check_active(cx, &before));
    TRY(field_check_etag(cx, change->etag, before.version));
    after = before;
    apply(change, &after);
    TRY(customer_check(cx, "customer", &after));
    if (strcmp(before.time_zone, after.time_zone) != 0) {
        TRY(check_time_zone(cx, tx, after.time_zone));
    }
    TRY(check_currency(cx, tx, &before, &after));
    note_changes(&before, &after, &changes);
    if (changes.count > 0) {
        TRY(customers_update_save(cx, services, tx, &before, &after, &changes));
    }
    *ret_customer = after;
    return STATUS_OK;
}

/* Archived or not is part of what checks are answered from. */
static struct status set_archived(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    struct customer *customer,
    int64_t archived_us)
{
    customer->version++;
    customer->updated_us = cx->now_us;
    customer->archived_us = archived_us;
    TRY(customer_store_update(cx, tx, customer));
    TRY(audit_add(
        cx, tx, "customer", id_text(cx->arena, ID_CUSTOMER, &customer->customer_id), NULL));
    return entitlements_rebuild(cx, services, tx, &customer->customer_id);
}

static struct status
check_unsubscribed(struct ctx *cx, struct tx *tx, const struct customer *customer)
{
    const char *text = id_text(cx->arena, ID_CUSTOMER, &customer->customer_id);
    struct id subscription_id;

    TRY(customer_store_open_subscription(cx, tx, &customer->customer_id, &subscription_id));
    if (id_is_zero(&subscription_id)) {
        return STATUS_OK;
    }
    return status_pair(
        cx,
        status_pair(
            cx,
            status_fail(
                cx,
                REASON_CUSTOMER_HAS_SUBSCRIPTIONS,
                "customer \"%s\" has a subscription that has not ended",
                text),
            "customer_id",
            text),
        "subscription_id",
        id_text(cx->arena, ID_SUBSCRIPTION, &subscription_id));
}

struct status customers_archive(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const struct customer_key *key,
    struct customer *ret_customer)
{
    struct customer customer;

    TRY(customer_store_lock(cx, tx, key, &customer));
    if (customer.archived_us == 0) {
        TRY(check_unsubscribed(cx, tx, &customer));
        TRY(set_archived(cx, services, tx, &customer, cx->now_us));
        TRY(customers_tell(cx, tx, EVENT_CUSTOMER_ARCHIVED, &customer));
        log_info(cx, "customer archived", LOG_ID("customer", ID_CUSTOMER, &customer.customer_id));
    }
    *ret_customer = customer;
    return STATUS_OK;
}

struct status customers_restore(
    struct ctx *cx,
    struct services *services,
    struct tx *tx,
    const struct id *customer_id,
    struct customer *ret_customer)
{
    const struct customer_key key = {.customer_id = customer_id};
    struct customer customer;

    TRY(customer_store_lock(cx, tx, &key, &customer));
    if (customer.archived_us != 0) {
        TRY(set_archived(cx, services, tx, &customer, 0));
        TRY(customers_tell(cx, tx, EVENT_CUSTOMER_UPDATED, &customer));
    }
    *ret_customer = customer;
    return STATUS_OK;
}
