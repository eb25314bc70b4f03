#include "services/entitlement_load.h"

#include "base/arena.h"
#include "cache/catalog_cache.h"
#include "cache/entitlement_cache.h"
#include "cache/entitlement_state.h"
#include "services/services.h"
#include "store/catalog_keys_store.h"
#include "store/entitlement_store.h"

static struct status not_found(struct ctx *cx, const struct customer_ref *customer)
{
    const bool own = customer->customer_id != NULL;
    const char *text =
        own ? id_text(cx->arena, ID_CUSTOMER, customer->customer_id) : customer->external_id;

    return status_pair(
        cx,
        status_fail(cx, REASON_CUSTOMER_NOT_FOUND, "customer \"%s\" does not exist", text),
        own ? "customer_id" : "external_customer_id",
        text);
}

static struct status load(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    struct customer_entitlements *ret_loaded)
{
    const struct status status = entitlement_store_load(
        cx, services->db, customer->customer_id, customer->external_id, ret_loaded);

    return status_reason(status) == REASON_CUSTOMER_NOT_FOUND ? not_found(cx, customer) : status;
}

struct entitlement_state *entitlement_load_cached(
    const struct ctx *cx, struct services *services, const struct customer_ref *customer)
{
    return customer->customer_id != NULL
               ? entitlement_cache_get(services->cache, cx->caller.org_id, customer->customer_id)
               : entitlement_cache_get_external(
                     services->cache, cx->caller.org_id, customer->external_id);
}

struct status entitlement_load_state(
    struct ctx *cx,
    struct services *services,
    const struct customer_ref *customer,
    struct entitlement_state **ret_state)
{
    const uint64_t ticket = entitlement_cache_ticket(services->cache);
    struct customer_entitlements loaded;
    struct entitlement_state input = {.org_id = cx->caller.org_id};
    struct entitlement_entry *entries = NULL;
    struct entitlement_state *state = NULL;

    TRY(load(cx, services, customer, &loaded));
    entries = arena_try_alloc(cx->arena, (loaded.count + 1) * sizeof *entries);
    if (entries == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    for (size_t i = 0; i < loaded.count; i++) {
        entries[i] = (struct entitlement_entry){
            .feature_key = loaded.rows[i].feature_key,
            .entitlement = loaded.rows[i].entitlement,
            .unreachable = loaded.rows[i].unreachable,
        };
    }
    input.customer_id = loaded.customer_id;
    input.customer_no = loaded.customer_no;
    input.external_id = loaded.external_id;
    input.state_version = loaded.state_version;
    input.customer = loaded.customer;
    input.entry_count = loaded.count;
    input.entries = entries;
    state = entitlement_state_new(&input);
    if (state == NULL) {
        return status_of(cx, REASON_SERVER_OVERLOADED);
    }
    entitlement_cache_put(services->cache, state, ticket);
    *ret_state = state;
    return STATUS_OK;
}

struct status entitlement_load_catalog(
    struct ctx *cx, struct services *services, struct catalog_index **ret_index)
{
    struct catalog_keys keys;
    uint64_t ticket = 0;

    *ret_index = catalog_cache_get(services->catalog, cx->caller.org_id);
    if (*ret_index != NULL) {
        return STATUS_OK;
    }
    ticket = catalog_cache_ticket(services->catalog);
    TRY(catalog_keys_store_load(cx, services->db, &keys));
    *ret_index = catalog_index_new(cx->caller.org_id, &keys);
    if (*ret_index == NULL) {
        return status_of(cx, REASON_SERVER_OVERLOADED);
    }
    catalog_cache_put(services->catalog, *ret_index, ticket);
    return STATUS_OK;
}
