#include "sandbox/product_api.h"

#include <string.h>

#include "sandbox/account.h"
#include "sandbox/event.h"
#include "sandbox/list.h"
#include "sandbox/param.h"
#include "sandbox/price.h"
#include "sandbox/product.h"
#include "sandbox/sim.h"

#define PARAMS_PRODUCT                                                                         \
    {"description", PARAM_TEXT, PARAM_UNSET, NULL}, {"active", PARAM_BOOL, 0, NULL},           \
        {"statement_descriptor", PARAM_TEXT, 0, NULL},                                         \
        {"tax_code", PARAM_TEXT, PARAM_UNSET, NULL},                                           \
        {"unit_label", PARAM_TEXT, PARAM_UNSET, NULL}, {"url", PARAM_TEXT, PARAM_UNSET, NULL}, \
        {"marketing_features", PARAM_NOTHING, PARAM_UNSET, NULL},                              \
        {"marketing_features[*][name]", PARAM_TEXT, 0, NULL},                                  \
        {"images", PARAM_UNSUPPORTED, 0, NULL},                                                \
        {"package_dimensions", PARAM_UNSUPPORTED, 0, NULL},                                    \
        {"shippable", PARAM_UNSUPPORTED, 0, NULL}, PARAMS_METADATA, PARAMS_EXPAND

static const struct param create_params[] = {
    {"id", PARAM_TEXT, 0, NULL},
    {"name", PARAM_TEXT, PARAM_REQUIRED, NULL},
    {"type", PARAM_ENUM, 0, "service"},
    {"default_price_data", PARAM_UNSUPPORTED, 0, NULL},
    PARAMS_PRODUCT,
    PARAM_END,
};

static const struct param update_params[] = {
    {"name", PARAM_TEXT, 0, NULL},
    {"default_price", PARAM_TEXT, PARAM_UNSET, NULL},
    PARAMS_PRODUCT,
    PARAM_END,
};

static const struct param list_params[] = {
    {"active", PARAM_BOOL, 0, NULL},
    {"ids[*]", PARAM_TEXT, 0, NULL},
    {"url", PARAM_TEXT, 0, NULL},
    {"type", PARAM_ENUM, 0, "service|good"},
    PARAMS_LIST,
    PARAMS_TIME_FILTER("created"),
    PARAM_END,
};

static void update_features(struct call *call, struct product *product)
{
    const size_t count = form_len(&call->form, "marketing_features");

    if (form_has(&call->form, "marketing_features")) {
        product->feature_count = 0;
    }
    for (size_t i = 0; i < count && i < PRODUCT_FEATURES_MAX; i++) {
        const char *name = form_getf(&call->form, "marketing_features[%zu][name]", i);

        if (name != NULL) {
            product->features[product->feature_count++] = sim_text(call->sim, name);
        }
    }
}

static void update(struct call *call, struct product *product)
{
    call_update_text(call, "name", &product->name);
    call_update_text(call, "description", &product->description);
    call_update_text(call, "statement_descriptor", &product->statement_descriptor);
    call_update_text(call, "tax_code", &product->tax_code);
    call_update_text(call, "unit_label", &product->unit_label);
    call_update_text(call, "url", &product->url);
    product->active = call_bool(call, "active", product->active);
    update_features(call, product);
    metadata_update(call, &product->metadata, "metadata");
    product->updated_s = call->sim->now_s;
}

static bool product_create(struct call *call)
{
    static const struct metadata none = {.count = 0};
    const char *id = call_text(call, "id");
    struct product *product = NULL;

    if (!metadata_check(call, &none, "metadata")) {
        return false;
    }
    if (id != NULL && object_taken(call->sim, call->account, id)) {
        return call_fail(call, 400, "resource_already_exists", "id", "Product already exists.");
    }
    product = object_new(call->sim, call->account, KIND_PRODUCT, sizeof *product, id);
    product->active = true;
    update(call, product);
    event_emit(call->sim, "product.created", product, NULL);
    return call_reply(call, product);
}

static bool product_retrieve(struct call *call)
{
    struct product *product = NULL;

    return call_find_path(call, KIND_PRODUCT, &product) && call_reply(call, product);
}

static bool product_update(struct call *call)
{
    struct product *product = NULL;
    struct price *price = NULL;
    const char *price_id = call_text(call, "default_price");
    const char *before = NULL;

    if (!call_find_path(call, KIND_PRODUCT, &product) ||
        !metadata_check(call, &product->metadata, "metadata")) {
        return false;
    }
    if (price_id != NULL && price_id[0] != '\0' &&
        !call_find(call, KIND_PRICE, "default_price", &price)) {
        return false;
    }
    before = event_snapshot(call->sim, product);
    if (price_id != NULL) {
        product->default_price = price;
    }
    update(call, product);
    event_emit(call->sim, "product.updated", product, before);
    return call_reply(call, product);
}

static bool product_delete(struct call *call)
{
    const struct object_list *prices = &call->account->lists[KIND_PRICE];
    struct product *product = NULL;

    if (!call_find_path(call, KIND_PRODUCT, &product)) {
        return false;
    }
    for (size_t i = 0; i < prices->count; i++) {
        if (((const struct price *)prices->items[i])->product == product) {
            return call_fail(
                call,
                400,
                NULL,
                "id",
                "This product cannot be deleted because it has one or more user-created prices.");
        }
    }
    event_emit(call->sim, "product.deleted", product, NULL);
    product->object.deleted = true;
    return call_reply(call, product);
}

static bool match(const struct call *call, const struct object *object)
{
    const struct product *product = (const struct product *)object;
    const size_t ids = form_len(&call->form, "ids");
    bool named = ids == 0;

    for (size_t i = 0; i < ids; i++) {
        const char *id = form_getf(&call->form, "ids[%zu]", i);

        named = named || (id != NULL && strcmp(id, object->id) == 0);
    }
    return named && list_bool_matches(call, "active", product->active) &&
           list_text_matches(call, "url", product->url) &&
           list_text_matches(call, "type", "service") &&
           list_time_matches(call, "created", object->created_s);
}

static bool product_list(struct call *call)
{
    return list_reply(call, KIND_PRODUCT, match);
}

const struct endpoint product_api[] = {
    {"POST", "/v1/products", product_create, create_params, KIND_PRODUCT, 0},
    {"GET", "/v1/products", product_list, list_params, KIND_PRODUCT, ENDPOINT_LIST},
    {"GET", "/v1/products/{}", product_retrieve, NULL, KIND_PRODUCT, 0},
    {"POST", "/v1/products/{}", product_update, update_params, KIND_PRODUCT, 0},
    {"DELETE", "/v1/products/{}", product_delete, NULL, KIND_PRODUCT, 0},
    {NULL, NULL, NULL, NULL, KIND_NONE, 0},
};
