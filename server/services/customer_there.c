#include "services/customer_there.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "services/intents.h"
#include "services/services.h"
#include "store/subscriber_store.h"
#include "stripe/stripe_customer.h"

/* A function of our customer, so that two who come at once make one; and of the one that was
 * deleted there, because the payment side would answer the old key with it. */
static const char *creation_key(
    struct ctx *cx,
    const struct services *services,
    const char *customer_text,
    const struct subscriber *subscriber)
{
    const char *deleted = subscriber->deleted_stripe_customer_id;

    return arena_printf(
        cx->arena,
        "%s:%s:create%s%s",
        services->settings->stripe_idempotency_prefix,
        customer_text,
        deleted[0] == '\0' ? "" : ":",
        deleted);
}

/* What is sent under the key of the creation never differs: name and address follow in a call of
 * their own. */
struct status customer_there_ensure(
    struct ctx *cx,
    struct services *services,
    struct stripe_client *client,
    const struct intent *intent,
    const struct customer_there *who,
    const char **ret_id)
{
    const char *customer_text = id_text(cx->arena, ID_CUSTOMER, &who->customer_id);
    struct payment_customer customer;
    struct subscriber subscriber;
    struct stripe_customer_params params = {
        .marks = {.org_id = who->org_id, .object_id = customer_text, .operation_id = ""}};

    TRY(subscriber_store_load(cx, services->db, &who->customer_id, NULL, &subscriber));
    *ret_id = subscriber.stripe_customer_id;
    if (subscriber.stripe_customer_id[0] != '\0') {
        return STATUS_OK;
    }
    TRY(stripe_customer_create(
        cx,
        client,
        who->account_id,
        &params,
        creation_key(cx, services, customer_text, &subscriber),
        &customer));
    *ret_id = customer.id;
    params.email = who->email;
    params.name = who->name;
    if (params.email[0] != '\0' || params.name[0] != '\0') {
        TRY(stripe_customer_update(
            cx,
            client,
            who->account_id,
            customer.id,
            &params,
            intents_key(cx, services, intent, "customer"),
            &customer));
    }
    return subscriber_store_set_stripe(cx, services->db, &who->customer_id, customer.id);
}
