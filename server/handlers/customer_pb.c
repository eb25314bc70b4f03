#include "handlers/customer_pb.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "domain/field_check.h"
#include "domain/organization.h"
#include "handlers/pb.h"
#include "http/json.h"

#define ADDRESS_BYTES_MAX ((size_t)16 * 1024)

static void release_json(struct json **json)
{
    json_free(*json);
}

Billingos__V1__Address *customer_pb_address(struct ctx *cx, const char *address_json)
{
    Billingos__V1__Address *message = NULL;
    AUTO(release_json) struct json *json = NULL;
    json_value root = NULL;

    if (address_json[0] == '\0' ||
        json_parse(cx, address_json, strlen(address_json), &json).code != CODE_OK) {
        return NULL;
    }
    root = json_root(json);
    message = PB_NEW(cx, Billingos__V1__Address, billingos__v1__address__init);
    message->line1 = pb_text(json_text(cx, root, "line1"));
    message->line2 = pb_text(json_text(cx, root, "line2"));
    message->city = pb_text(json_text(cx, root, "city"));
    message->region = pb_text(json_text(cx, root, "region"));
    message->postal_code = pb_text(json_text(cx, root, "postal_code"));
    message->country_code = pb_text(json_text(cx, root, "country_code"));
    return message;
}

struct status customer_pb_read_address(
    struct ctx *cx, const char *path, const Billingos__V1__Address *message, const char **ret_json)
{
    static const Billingos__V1__Address absent = BILLINGOS__V1__ADDRESS__INIT;
    const Billingos__V1__Address *address = message == NULL ? &absent : message;
    const struct {
        const char *name;
        const char *text;
        size_t letters_max;
    } lines[] = {
        {"line1", address->line1, 200},
        {"line2", address->line2, 200},
        {"city", address->city, 100},
        {"region", address->region, 100},
        {"postal_code", address->postal_code, 20},
        {"country_code", address->country_code, 2},
    };
    struct status result = STATUS_OK;
    bool empty = true;
    AUTO_BUF buf;
    struct json_writer w;

    buf_init(&buf, ADDRESS_BYTES_MAX);
    json_begin(&w, &buf);
    json_open_object(&w, NULL);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        field_note(
            cx,
            &result,
            field_check_text(
                cx, field_path(cx, path, lines[i].name), lines[i].text, 0, lines[i].letters_max));
        if (lines[i].text[0] != '\0') {
            empty = false;
            json_put_text(&w, lines[i].name, lines[i].text);
        }
    }
    json_close_object(&w);
    if (address->country_code[0] != '\0' && !organization_country_valid(address->country_code)) {
        field_note(
            cx,
            &result,
            status_field(
                cx,
                field_path(cx, path, "country_code"),
                "must be two letters of ISO 3166-1, in upper case"));
    }
    *ret_json = empty ? "" : arena_text(cx->arena, buf_cstr(&buf));
    return result;
}

Billingos__V1__Customer *customer_pb(struct ctx *cx, const struct customer *customer)
{
    Billingos__V1__Customer *message =
        PB_NEW(cx, Billingos__V1__Customer, billingos__v1__customer__init);

    message->customer_id = pb_id(cx, ID_CUSTOMER, &customer->customer_id);
    message->external_customer_id = pb_text(customer->external_id);
    message->email = pb_text(customer->email);
    message->name = pb_text(customer->name);
    message->phone = pb_text(customer->phone);
    message->address = customer_pb_address(cx, customer->address);
    message->currency_code = pb_text(customer->currency);
    message->locale = pb_text(customer->locale);
    message->time_zone = pb_text(customer->time_zone);
    message->tax_exemption = (Billingos__V1__TaxExemption)customer->tax;
    message->status = customer->archived_us == 0
                          ? BILLINGOS__V1__CUSTOMER_STATUS__CUSTOMER_STATUS_ACTIVE
                          : BILLINGOS__V1__CUSTOMER_STATUS__CUSTOMER_STATUS_ARCHIVED;
    message->default_payment_method_id = pb_text(customer->payment_method_id);
    if (customer->balance_minor != 0 && customer->currency[0] != '\0') {
        struct money balance = {.minor = customer->balance_minor};

        snprintf(balance.currency, sizeof balance.currency, "%s", customer->currency);
        message->balance = pb_money(cx, balance);
    }
    message->metadata = pb_map(
        cx,
        customer->metadata,
        &billingos__v1__customer__metadata_entry__descriptor,
        &message->n_metadata);
    message->etag = arena_printf(cx->arena, "%" PRId64, customer->version);
    message->create_time = pb_time(cx, customer->created_us);
    message->update_time = pb_time(cx, customer->updated_us);
    message->archive_time = pb_time(cx, customer->archived_us);
    return message;
}

struct status customer_pb_read(
    struct ctx *cx, const Billingos__V1__Customer *message, struct customer *ret_customer)
{
    if (message == NULL) {
        return status_field(cx, "customer", "is required");
    }
    if (message->spend_cap != NULL) {
        return status_field(cx, "customer.spend_cap", "is not supported yet");
    }
    if ((int)message->tax_exemption < 0 || (int)message->tax_exemption > TAX_EXEMPTION_REVERSE) {
        return status_field(
            cx, "customer.tax_exemption", "must be one of NONE, EXEMPT and REVERSE");
    }
    *ret_customer = (struct customer){
        .external_id = message->external_customer_id,
        .name = message->name,
        .email = message->email,
        .phone = message->phone,
        .locale = message->locale,
        .currency = message->currency_code,
        .time_zone = message->time_zone,
        .tax = message->tax_exemption == 0 ? TAX_EXEMPTION_NONE
                                           : (enum tax_exemption)message->tax_exemption,
        .stripe_customer_id = "",
        .payment_method_id = "",
    };
    TRY(customer_pb_read_address(cx, "customer.address", message->address, &ret_customer->address));
    return pb_read_map(
        cx, "customer.metadata", message->n_metadata, message->metadata, &ret_customer->metadata);
}

struct status customer_pb_read_key(
    struct ctx *cx,
    const char *customer_id,
    const char *external_id,
    struct id *id,
    struct customer_key *ret_key)
{
    if (customer_id != NULL) {
        TRY(pb_read_id(cx, "customer_id", ID_CUSTOMER, customer_id, id));
        *ret_key = (struct customer_key){.customer_id = id, .external_id = ""};
        return STATUS_OK;
    }
    if (external_id == NULL) {
        return status_field(cx, "customer", "customer_id or external_customer_id is required");
    }
    *ret_key = (struct customer_key){.external_id = external_id};
    return pb_check_text(
        cx, "external_customer_id", external_id, 1, CUSTOMER_EXTERNAL_ID_BYTES_MAX);
}
