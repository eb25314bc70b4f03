#include "services/catalog_mirror.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "domain/plan.h"
#include "services/catalog_publish.h"
#include "services/catalog_publish_request.h"
#include "services/intents.h"

struct order {
    struct id plan_id;
    int32_t number;
    const char *account_id;
};

static struct status
prepare(struct ctx *cx, struct services *services, struct tx *tx, struct intent *intent, void *user)
{
    const struct order *order = user;
    struct publish_request request = {
        .number = order->number,
        .account_id = order->account_id,
        .org_id = id_text(cx->arena, ID_ORGANIZATION, &cx->caller.org),
        .mirror_only = true,
        .answer = {"", 0},
    };
    struct plan plan;

    (void)services;
    TRY(catalog_publish_alone(cx, tx, intent, &order->plan_id, &plan));
    request.name = plan.name;
    request.description = plan.description;
    intent->subject_id = order->plan_id;
    return publish_request_write(cx, &request, &intent->request);
}

struct status catalog_mirror(
    struct ctx *cx,
    struct services *services,
    const struct id *plan_id,
    int32_t number,
    const char *account_id)
{
    struct order order = {.plan_id = *plan_id, .number = number, .account_id = account_id};
    const struct intent_call call = {
        .request_id = "",
        .body = {"", 0},
        .prepare = prepare,
        .drive = catalog_publish_drive,
        .user = &order,
    };
    struct ctx publishing = *cx;
    struct str answer = {"", 0};
    bool replayed = false;

    publishing.method = CATALOG_PUBLISH_METHOD; /* by which the resolver knows what to drive */
    return intents_run(&publishing, services, &call, &answer, &replayed);
}
