#include "sandbox/tax_id_api.h"

#include <ctype.h>
#include <string.h>

#include "sandbox/customer.h"
#include "sandbox/event.h"
#include "sandbox/list.h"
#include "sandbox/param.h"
#include "sandbox/sim.h"
#include "sandbox/tax_id.h"

static const struct param create_params[] = {
    {"type", PARAM_ENUM, PARAM_REQUIRED, "eu_vat|gb_vat|ch_vat|us_ein|au_abn|no_vat|ca_bn|in_gst"},
    {"value", PARAM_TEXT, PARAM_REQUIRED, NULL},
    PARAMS_EXPAND,
    PARAM_END,
};

static const struct param list_params[] = {PARAMS_LIST, PARAM_END};

/* A VAT number begins with the letters of its country and has digits. */
static bool has_form(const char *type, const char *value)
{
    if (strcmp(type, "eu_vat") != 0 && strcmp(type, "gb_vat") != 0) {
        return strlen(value) >= 4;
    }
    return strlen(value) >= 8 && isupper((unsigned char)value[0]) &&
           isupper((unsigned char)value[1]) && strpbrk(value + 2, "0123456789") != NULL;
}

/* The provider's numbers for tests: nine zeros are known to the authority, nine ones are not. */
static const char *verification_of(const char *type, const char *value)
{
    if (strcmp(type, "eu_vat") != 0 && strcmp(type, "gb_vat") != 0 && strcmp(type, "au_abn") != 0) {
        return "unavailable";
    }
    return strstr(value, "000000000") != NULL   ? "verified"
           : strstr(value, "111111111") != NULL ? "unverified"
                                                : "pending";
}

static bool find_customer(struct call *call, struct customer **ret)
{
    return call_find_path(call, KIND_CUSTOMER, ret) &&
           (!(*ret)->object.deleted || call_fail_missing(call, KIND_CUSTOMER, call->ids[0], "id"));
}

static bool tax_id_create(struct call *call)
{
    const char *type = call_text(call, "type");
    const char *value = call_text(call, "value");
    struct customer *customer = NULL;
    struct tax_id *tax_id = NULL;

    if (!find_customer(call, &customer)) {
        return false;
    }
    if (!has_form(type, value)) {
        return call_fail(call, 400, "tax_id_invalid", "value", "Invalid value for %s.", type);
    }
    tax_id = object_new(call->sim, call->account, KIND_TAX_ID, sizeof *tax_id, NULL);
    tax_id->customer = customer;
    tax_id->object.created_s = customer_now_s(call->sim, customer);
    call_update_text(call, "type", &tax_id->type);
    call_update_text(call, "value", &tax_id->value);
    tax_id->verification = verification_of(type, value);
    event_emit(call->sim, "customer.tax_id.created", tax_id, NULL);
    return call_reply(call, tax_id);
}

static bool find_of_customer(struct call *call, struct tax_id **ret)
{
    *ret = object_find(call->sim, call->account, KIND_TAX_ID, call->ids[1]);
    return (*ret != NULL && !(*ret)->object.deleted &&
            strcmp((*ret)->customer->object.id, call->ids[0]) == 0) ||
           call_fail_missing(call, KIND_TAX_ID, call->ids[1], "id");
}

static bool tax_id_retrieve(struct call *call)
{
    struct tax_id *tax_id = NULL;

    return find_of_customer(call, &tax_id) && call_reply(call, tax_id);
}

static bool tax_id_retrieve_alone(struct call *call)
{
    struct tax_id *tax_id = object_find(call->sim, call->account, KIND_TAX_ID, call->ids[0]);

    return tax_id == NULL || tax_id->object.deleted
               ? call_fail_missing(call, KIND_TAX_ID, call->ids[0], "id")
               : call_reply(call, tax_id);
}

static bool tax_id_delete(struct call *call)
{
    struct tax_id *tax_id = NULL;

    if (!find_of_customer(call, &tax_id)) {
        return false;
    }
    event_emit(call->sim, "customer.tax_id.deleted", tax_id, NULL);
    tax_id->object.deleted = true;
    return call_reply(call, tax_id);
}

static bool match(const struct call *call, const struct object *object)
{
    const struct tax_id *tax_id = (const struct tax_id *)object;

    return strcmp(tax_id->customer->object.id, call->ids[0]) == 0;
}

static bool tax_id_list(struct call *call)
{
    struct customer *customer = NULL;

    return find_customer(call, &customer) && list_reply(call, KIND_TAX_ID, match);
}

const struct endpoint tax_id_api[] = {
    {"POST", "/v1/customers/{}/tax_ids", tax_id_create, create_params, KIND_TAX_ID, 0},
    {"GET", "/v1/customers/{}/tax_ids", tax_id_list, list_params, KIND_TAX_ID, ENDPOINT_LIST},
    {"GET", "/v1/customers/{}/tax_ids/{}", tax_id_retrieve, NULL, KIND_TAX_ID, 0},
    {"DELETE", "/v1/customers/{}/tax_ids/{}", tax_id_delete, NULL, KIND_TAX_ID, 0},
    {"GET", "/v1/tax_ids/{}", tax_id_retrieve_alone, NULL, KIND_TAX_ID, 0},
    {NULL, NULL, NULL, NULL, KIND_NONE, 0},
};
