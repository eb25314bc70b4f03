#include "services/catalog_publish_there.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/failpoint.h"
#include "domain/meter.h"
#include "domain/plan.h"
#include "services/catalog_publish_request.h"
#include "services/intents.h"
#include "services/services.h"
#include "store/meter_store.h"
#include "store/plan_store.h"
#include "store/plan_version_store.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_meter.h"
#include "stripe/stripe_price.h"
#include "stripe/stripe_product.h"

struct publication {
    struct services *services;
    struct stripe_client *client;
    const struct intent *intent;
    const struct publish_request *request;
    const char *product_id;
};

/* A meter there is made once, whoever comes first: key and parameters are functions of our meter
 * alone. */
static struct status find_meter(
    struct ctx *cx,
    const struct publication *publication,
    const struct price *price,
    const char **ret_meter_id)
{
    struct services *services = publication->services;
    const char *text = id_text(cx->arena, ID_METER, &price->meter_id);
    struct stripe_meter_params params = {.event_name = text, .display_name = price->meter_key};
    struct meter meter;

    *ret_meter_id = "";
    if (!price_metered(price)) {
        return STATUS_OK;
    }
    TRY(meter_store_load(cx, services->db, NULL, price->meter_key, &meter));
    if (meter.stripe_meter_id[0] != '\0') {
        *ret_meter_id = meter.stripe_meter_id;
        return STATUS_OK;
    }
    params.formula = meter.aggregation == METER_COUNT ? "count" : "sum";
    TRY(stripe_meter_create(
        cx,
        publication->client,
        publication->request->account_id,
        &params,
        arena_printf(
            cx->arena, "%s:%s:create", services->settings->stripe_idempotency_prefix, text),
        ret_meter_id));
    return meter_store_mirrored(cx, services->db, &price->meter_id, *ret_meter_id);
}

static struct payment_marks
marks(struct ctx *cx, const struct publication *publication, enum id_kind kind, const struct id *id)
{
    return (struct payment_marks){
        .org_id = publication->request->org_id,
        .object_id = id_text(cx->arena, kind, id),
        .operation_id = intents_mark(cx, publication->intent),
    };
}

static struct status
make_product(struct ctx *cx, struct publication *publication, const struct plan *plan)
{
    const struct publish_request *request = publication->request;
    const char *key = intents_key(cx, publication->services, publication->intent, "product");
    const struct stripe_product_params params = {
        .name = request->name,
        .description = request->description,
        .unit_label = "",
        .active = true,
        .marks = marks(cx, publication, ID_PLAN, &plan->plan_id),
    };
    struct payment_product product;

    if (plan->stripe_product_id[0] != '\0') {
        publication->product_id = plan->stripe_product_id;
        return stripe_product_update(
            cx,
            publication->client,
            request->account_id,
            plan->stripe_product_id,
            &params,
            key,
            &product);
    }
    TRY(stripe_product_create(
        cx, publication->client, request->account_id, &params, key, &product));
    publication->product_id = product.id;
    return STATUS_OK;
}

static struct status make_price(
    struct ctx *cx,
    const struct publication *publication,
    const struct price *price,
    const char **ret_stripe_id)
{
    const char *text = id_text(cx->arena, ID_PRICE, &price->price_id);
    struct stripe_price_params params = {
        .price = price,
        .product_id = publication->product_id,
        .marks = marks(cx, publication, ID_PRICE, &price->price_id),
    };
    struct payment_price made;

    if (price->stripe_price_id[0] != '\0') {
        *ret_stripe_id = price->stripe_price_id;
        return STATUS_OK;
    }
    TRY(find_meter(cx, publication, price, &params.meter_id));
    TRY(stripe_price_create(
        cx,
        publication->client,
        publication->request->account_id,
        &params,
        intents_key(cx, publication->services, publication->intent, text),
        &made));
    *ret_stripe_id = made.id;
    return STATUS_OK;
}

struct status publish_there(
    struct ctx *cx,
    struct services *services,
    const struct intent *intent,
    const struct publish_request *request,
    struct publish_made *ret_made)
{
    const struct plan_ref ref = {.plan_id = &intent->subject_id};
    const struct plan_version_ref version_ref = {intent->subject_id, request->number};
    struct publication publication = {
        .services = services, .intent = intent, .request = request, .product_id = ""};
    struct plan plan;
    struct plan_version version;

    TRY(services_payment_client(cx, services, &publication.client));
    TRY(plan_store_load(cx, services->db, NULL, &ref, &plan));
    TRY(plan_version_store_load(cx, services->db, NULL, &version_ref, &version));
    ret_made->prices =
        arena_try_alloc(cx->arena, (version.price_count + 1) * sizeof *ret_made->prices);
    if (ret_made->prices == NULL) {
        return status_of(cx, REASON_REQUEST_TOO_COSTLY);
    }
    TRY(make_product(cx, &publication, &plan));
    failpoint("plan.product_made");
    for (size_t i = 0; i < version.price_count; i++) {
        ret_made->prices[i].price_id = version.prices[i].price_id;
        TRY(make_price(cx, &publication, &version.prices[i], &ret_made->prices[i].stripe_id));
    }
    ret_made->price_count = version.price_count;
    ret_made->product_id = publication.product_id;
    return STATUS_OK;
}
