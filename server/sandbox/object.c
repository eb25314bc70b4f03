#include "sandbox/object.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "sandbox/account.h"
#include "sandbox/sim.h"

struct kind_words {
    const char *prefix;
    const char *word;
    const char *plural;
};

static const struct kind_words kinds[KIND_COUNT] = {
    [KIND_ACCOUNT] = {"acct_", "account", "accounts"},
    [KIND_CUSTOMER] = {"cus_", "customer", "customers"},
    [KIND_PAYMENT_METHOD] = {"pm_", "PaymentMethod", "payment_methods"},
    [KIND_TAX_ID] = {"txi_", "tax_id", "tax_ids"},
    [KIND_PRODUCT] = {"prod_", "product", "products"},
    [KIND_PRICE] = {"price_", "price", "prices"},
    [KIND_COUPON] = {"co_", "coupon", "coupons"},
    [KIND_METER] = {"mtr_", "billing meter", "meters"},
    [KIND_SUBSCRIPTION] = {"sub_", "subscription", "subscriptions"},
    [KIND_SCHEDULE] = {"sub_sched_", "subscription_schedule", "subscription_schedules"},
    [KIND_INVOICE] = {"in_", "invoice", "invoices"},
    [KIND_INVOICE_PAYMENT] = {"inpay_", "invoice payment", "invoice_payments"},
    [KIND_PAYMENT_INTENT] = {"pi_", "payment_intent", "payment_intents"},
    [KIND_CHARGE] = {"ch_", "charge", "charges"},
    [KIND_REFUND] = {"re_", "refund", "refunds"},
    [KIND_EVENT] = {"evt_", "event", "events"},
    [KIND_WEBHOOK_ENDPOINT] = {"we_", "webhook endpoint", "webhook_endpoints"},
    [KIND_TEST_CLOCK] = {"clock_", "test clock", "test_clocks"},
};

static void list_add(struct sim *sim, struct object_list *list, struct object *object)
{
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity == 0 ? 16 : list->capacity * 2;
        struct object **items = sim_alloc(sim, capacity * sizeof(void *));

        if (list->count > 0) {
            memcpy(items, list->items, list->count * sizeof(void *));
        }
        list->items = items;
        list->capacity = capacity;
    }
    object->position = list->count;
    list->items[list->count++] = object;
}

void *object_new(
    struct sim *sim, struct account *owner, enum object_kind kind, size_t size, const char *id)
{
    struct object *object = sim_alloc(sim, size);

    object->kind = kind;
    object->owner = owner;
    object->created_s = sim->now_s;
    object->id = id == NULL ? sim_draw_id(sim, kinds[kind].prefix) : sim_text(sim, id);
    object->key = owner == NULL ? object->id
                                : arena_printf(&sim->memory, "%s/%s", owner->object.id, object->id);
    sim_index(sim, object);
    if (owner != NULL) {
        list_add(sim, &owner->lists[kind], object);
    }
    return object;
}

static struct object *find_any(const struct sim *sim, const struct account *owner, const char *id)
{
    char key[2 * SIM_ID_BYTES_MAX + 2];
    const int len = snprintf(key, sizeof key, "%s/%s", owner->object.id, id);

    if (len < 0 || (size_t)len >= sizeof key) {
        return NULL;
    }
    return hash_get(sim->objects, key, (size_t)len);
}

void *object_find(
    const struct sim *sim, const struct account *owner, enum object_kind kind, const char *id)
{
    struct object *object = find_any(sim, owner, id);

    return object != NULL && object->kind == kind ? object : NULL;
}

bool object_taken(const struct sim *sim, const struct account *owner, const char *id)
{
    return find_any(sim, owner, id) != NULL;
}

const char *object_word(enum object_kind kind)
{
    return kind < KIND_COUNT ? kinds[kind].word : "object";
}

const char *object_plural(enum object_kind kind)
{
    return kind < KIND_COUNT ? kinds[kind].plural : "objects";
}
