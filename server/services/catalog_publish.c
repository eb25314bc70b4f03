#include "services/catalog_publish.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "domain/payment_account.h"
#include "domain/plan.h"
#include "services/audit.h"
#include "services/catalog_change.h"
#include "services/catalog_publish_request.h"
#include "services/catalog_publish_there.h"
#include "services/keyed.h"
#include "services/plan_draft.h"
#include "services/services.h"
#include "store/db.h"
#include "store/intent_upkeep_store.h"
#include "store/plan_feature_store.h"
#include "store/plan_store.h"
#include "store/plan_version_store.h"
#include "store/price_store.h"
#include "store/stripe_account_store.h"

/* Tries before new keys are taken: the payment side repeats the first answer to a key, even when
 * that was a fault of its own. A product made twice harms nobody. */
#define ATTEMPTS_PER_KEY 3

struct order {
    struct id plan_id;
    int32_t number;
    catalog_publish_pack pack;
};

struct status catalog_publish_alone(
    struct ctx *cx,
    struct tx *tx,
    const struct intent *intent,
    const struct id *plan_id,
    struct plan *ret_plan)
{
    const struct plan_ref ref = {.plan_id = plan_id};
    struct id busy;

    TRY(plan_store_lock(cx, tx, &ref, ret_plan));
    TRY(intent_upkeep_store_busy(cx, tx, plan_id, intent->method, &intent->intent_id, &busy));
    if (id_is_zero(&busy)) {
        return STATUS_OK;
    }
    return status_retry(
        status_pair(
            cx,
            status_fail(
                cx, REASON_REQUEST_IN_PROGRESS, "plan \"%s\" is being published", ret_plan->key),
            "operation_id",
            id_text(cx->arena, ID_OPERATION, &busy)),
        1000);
}

static struct status check_complete(struct ctx *cx, struct tx *tx, const struct plan_draft *draft)
{
    const struct plan_version_ref ref = {draft->plan.plan_id, draft->version.number};
    struct id *meters = NULL;
    size_t count = 0;

    TRY(plan_feature_store_lock(cx, tx, &ref, &meters, &count));
    return plan_version_check_complete(cx, &draft->version, meters);
}

/* "" when there is none and none is needed. */
static struct status find_account(
    struct ctx *cx, struct tx *tx, const struct plan_draft *draft, const char **ret_account_id)
{
    struct payment_account account = {.account_id = ""};
    bool found = false;
    struct status status;

    TRY(stripe_account_store_lock(cx, tx, &found, &account, NULL));
    *ret_account_id = "";
    if (found && account.disconnected_us == 0) {
        *ret_account_id = account.account_id;
        return STATUS_OK;
    }
    if (!plan_version_charges(&draft->version)) {
        return STATUS_OK;
    }
    status = status_pair(
        cx,
        status_fail(
            cx,
            REASON_PAYMENT_ACCOUNT_NOT_CONNECTED,
            "plan \"%s\" asks for money, and no payment account is connected",
            draft->plan.key),
        "mode",
        cx->caller.live ? "LIVE" : "TEST");
    return found ? status_pair(cx, status, "state", "DISCONNECTED") : status;
}

/* What the answer shows is known before the payment side is asked. */
static struct status prepare_answer(
    struct ctx *cx,
    const struct order *order,
    const struct plan_draft *draft,
    struct str *ret_answer)
{
    struct plan plan = draft->plan;
    struct plan_version version = draft->version;

    plan.published_version = version.number;
    plan.draft_version = 0;
    plan.version++;
    plan.updated_us = cx->now_us;
    version.state = PLAN_PUBLISHED;
    version.published_us = cx->now_us;
    version.version++;
    return order->pack(cx, &plan, &version, ret_answer);
}

static struct status
prepare(struct ctx *cx, struct services *services, struct tx *tx, struct intent *intent, void *user)
{
    const struct order *order = user;
    struct publish_request request = {.published_us = cx->now_us};
    struct plan_draft draft;

    (void)services;
    TRY(catalog_publish_alone(cx, tx, intent, &order->plan_id, &draft.plan));
    TRY(plan_draft_lock(cx, tx, &order->plan_id, order->number, &draft));
    TRY(check_complete(cx, tx, &draft));
    TRY(find_account(cx, tx, &draft, &request.account_id));
    TRY(prepare_answer(cx, order, &draft, &request.answer));
    draft.version.state = PLAN_PUBLISHING;
    TRY(plan_version_store_update(cx, tx, &draft.version));
    request.number = draft.version.number;
    request.name = draft.plan.name;
    request.description = draft.plan.description;
    request.org_id = id_text(cx->arena, ID_ORGANIZATION, &cx->caller.org);
    intent->subject_id = order->plan_id;
    return publish_request_write(cx, &request, &intent->request);
}

struct status catalog_publish(
    struct ctx *cx,
    struct services *services,
    const struct keyed *keyed,
    const struct id *plan_id,
    int32_t number,
    catalog_publish_pack pack,
    struct str *ret_answer)
{
    struct order order = {.plan_id = *plan_id, .number = number, .pack = pack};
    const struct intent_call call = {
        .request_id = keyed->request_id,
        .body = keyed->body,
        .prepare = prepare,
        .drive = catalog_publish_drive,
        .user = &order,
    };
    bool replayed = false;

    return intents_run(cx, services, &call, ret_answer, &replayed);
}

/* One settling: for good, or back to a draft. */
struct settling {
    const struct intent *intent;
    const struct publish_request *request;
    const struct publish_made *made;
    struct intent stored;
};

static struct status settle_lock(
    struct ctx *cx, struct tx *tx, const struct settling *settling, struct plan_draft *ret_draft)
{
    const struct plan_ref ref = {.plan_id = &settling->intent->subject_id};
    const struct plan_version_ref version = {
        settling->intent->subject_id, settling->request->number};

    TRY(plan_store_lock(cx, tx, &ref, &ret_draft->plan));
    return plan_version_store_load(cx, NULL, tx, &version, &ret_draft->version);
}

static struct status
settle_mirrored(struct ctx *cx, struct tx *tx, const struct publish_made *made, struct plan *plan)
{
    if (made->product_id[0] != '\0') {
        plan->stripe_product_id = made->product_id;
    }
    TRY(plan_store_update(cx, tx, plan));
    for (size_t i = 0; i < made->price_count; i++) {
        TRY(price_store_mirrored(cx, tx, &made->prices[i].price_id, made->prices[i].stripe_id));
    }
    return STATUS_OK;
}

static struct status settle_published(
    struct ctx *cx, struct tx *tx, const struct settling *settling, struct plan_draft *draft)
{
    struct audit_changes changes = {0};

    audit_note(
        &changes,
        "published_version",
        draft->plan.published_version == 0 ? "" : catalog_number(cx, draft->plan.published_version),
        catalog_number(cx, draft->version.number));
    draft->version.state = PLAN_PUBLISHED;
    draft->version.published_us = settling->request->published_us;
    draft->version.version++;
    TRY(plan_version_store_update(cx, tx, &draft->version));
    draft->plan.published_version = draft->version.number;
    draft->plan.version++;
    draft->plan.updated_us = settling->request->published_us;
    TRY(settle_mirrored(cx, tx, settling->made, &draft->plan));
    return audit_add(cx, tx, "plan", id_text(cx->arena, ID_PLAN, &draft->plan.plan_id), &changes);
}

static struct status settle(struct ctx *cx, struct tx *tx, void *user)
{
    struct settling *settling = user;
    struct plan_draft draft;

    TRY(settle_lock(cx, tx, settling, &draft));
    if (settling->request->mirror_only) {
        TRY(settle_mirrored(cx, tx, settling->made, &draft.plan));
    } else if (draft.version.state == PLAN_PUBLISHING) {
        TRY(settle_published(cx, tx, settling, &draft));
    }
    TRY(intents_done(cx, tx, settling->intent, settling->request->answer, &settling->stored));
    failpoint("plan.settling");
    return STATUS_OK;
}

static struct status give_up(struct ctx *cx, struct tx *tx, void *user)
{
    const struct settling *settling = user;
    struct plan_draft draft;

    TRY(settle_lock(cx, tx, settling, &draft));
    if (draft.version.state == PLAN_PUBLISHING) {
        draft.version.state = PLAN_DRAFT;
        TRY(plan_version_store_update(cx, tx, &draft.version));
    }
    return intents_forget(cx, tx, settling->intent);
}

/* The draft can be changed again, and the request_id is free. */
static bool hopeless(const struct ctx *cx, const struct intent *intent, struct status failure)
{
    switch (status_reason(failure)) {
    case REASON_PAYMENT_SIDE_REJECTED:
    case REASON_FIELD_INVALID:
    case REASON_QUANTITY_OVERFLOW:
        return true;
    default:
        return intents_absent(intent, failure) ||
               cx->now_us - intent->created_us > INTENTS_HORIZON_US;
    }
}

static struct status catalog_publish_drive_failed(
    struct ctx *cx,
    struct services *services,
    struct settling *settling,
    struct intent *intent,
    struct status failure,
    struct intent_result *ret_result)
{
    struct ctx settle_cx = intents_settle_context(cx);

    if (hopeless(cx, intent, failure)) {
        TRY(tx_run(&settle_cx, services->db, give_up, settling));
        ret_result->settled = true;
        log_info(
            cx,
            "publishing given up",
            LOG_ID("plan", ID_PLAN, &intent->subject_id),
            LOG_STATUS(failure));
        return failure;
    }
    if (intent->attempts >= ATTEMPTS_PER_KEY && status_reason(failure) == REASON_OUTCOME_PENDING) {
        TRY(intents_next_generation(&settle_cx, services, intent));
    }
    return failure;
}

struct status catalog_publish_drive(
    struct ctx *cx,
    struct services *services,
    struct intent *intent,
    struct intent_result *ret_result)
{
    struct publish_request request;
    struct publish_made made = {.product_id = ""};
    struct settling settling = {.intent = intent, .request = &request, .made = &made};
    struct status status = STATUS_OK;
    struct ctx settle_cx;

    failpoint("plan.claimed");
    TRY(publish_request_read(cx, intent->request, &request));
    if (request.account_id[0] != '\0') {
        status = publish_there(cx, services, intent, &request, &made);
        failpoint("plan.called");
    }
    if (status.code != CODE_OK) {
        return catalog_publish_drive_failed(cx, services, &settling, intent, status, ret_result);
    }
    settle_cx = intents_settle_context(cx);
    TRY(tx_run(&settle_cx, services->db, settle, &settling));
    log_info(
        cx,
        "plan published",
        LOG_ID("plan", ID_PLAN, &intent->subject_id),
        LOG_I64("version", request.number));
    return intents_answer(cx, &settling.stored, ret_result);
}
