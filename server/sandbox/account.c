#include "sandbox/account.h"

#include <string.h>

#include "base/wallclock.h"
#include "sandbox/event.h"
#include "sandbox/render.h"
#include "sandbox/sim.h"

#define DAY_S (US_PER_DAY / US_PER_SECOND)

static struct account *create(struct sim *sim, struct account *owner)
{
    struct account *account = object_new(sim, owner, KIND_ACCOUNT, sizeof *account, NULL);

    account->type = "none";
    account->dashboard = "express";
    account->fees_payer = "application";
    account->losses_payments = "application";
    account->country = "US";
    account->currency = "usd";
    /* The spacing of a merchant who never touched the retry settings: a guess at what the
     * provider's machine learning does, over three weeks. */
    account->retry_after_s[0] = 3 * DAY_S;
    account->retry_after_s[1] = 5 * DAY_S;
    account->retry_after_s[2] = 7 * DAY_S;
    account->retry_count = 3;
    account->dunning_end = DUNNING_CANCEL;
    return account;
}

struct account *account_new_platform(struct sim *sim)
{
    struct account *account = create(sim, NULL);

    account->type = "standard";
    account->dashboard = "full";
    account->state = ACCOUNT_ENABLED;
    account->card_payments_requested = true;
    account->transfers_requested = true;
    account->business_name = "Simulated platform";
    return account;
}

struct account *account_new(struct sim *sim)
{
    return create(sim, sim->platform);
}

struct account *account_find(const struct sim *sim, const char *id)
{
    struct account *account = NULL;

    if (strcmp(id, sim->platform->object.id) == 0) {
        return sim->platform;
    }
    account = object_find(sim, sim->platform, KIND_ACCOUNT, id);
    return account == NULL || account->object.deleted || account->deauthorized ? NULL : account;
}

bool account_is_express(const struct account *account)
{
    return strcmp(account->dashboard, "express") == 0;
}

bool account_charges_enabled(const struct account *account)
{
    return account->state == ACCOUNT_ENABLED;
}

bool account_details_submitted(const struct account *account)
{
    return account->state != ACCOUNT_CREATED;
}

static const char *capability_status(const struct account *account, bool requested)
{
    if (!requested) {
        return "unrequested";
    }
    switch (account->state) {
    case ACCOUNT_PENDING:
        return "pending";
    case ACCOUNT_ENABLED:
        return "active";
    case ACCOUNT_CREATED:
    case ACCOUNT_RESTRICTED:
    case ACCOUNT_REJECTED:
        break;
    }
    return "inactive";
}

void account_change_state(struct sim *sim, struct account *account, enum account_state state)
{
    const char *before = event_snapshot(sim, account);

    if (state == account->state) {
        return;
    }
    account->state = state;
    event_emit(sim, "account.updated", account, before);
}

void account_deauthorize(struct sim *sim, struct account *account)
{
    event_emit_deauthorized(sim, account);
    account->deauthorized = true;
}

static const char *disabled_reason(const struct account *account)
{
    switch (account->state) {
    case ACCOUNT_CREATED:
    case ACCOUNT_RESTRICTED:
        return "requirements.past_due";
    case ACCOUNT_PENDING:
        return "requirements.pending_verification";
    case ACCOUNT_ENABLED:
        return NULL;
    case ACCOUNT_REJECTED:
        return "rejected.other";
    }
    return NULL;
}

static void render_requirements(struct render *render, const struct account *account)
{
    const char *due = "";
    struct json_writer *w = &render->writer;

    if (account->state == ACCOUNT_CREATED) {
        due = "business_profile.url business_type external_account representative.first_name "
              "representative.last_name tos_acceptance.date tos_acceptance.ip";
    } else if (account->state == ACCOUNT_RESTRICTED) {
        due = "individual.verification.document";
    }
    json_open_object(w, "requirements");
    render_empty_arrays(render, "alternatives");
    render_nulls(render, "current_deadline");
    render_texts(render, "currently_due", due);
    json_put_text(w, "disabled_reason", disabled_reason(account));
    render_empty_arrays(render, "errors");
    render_texts(render, "eventually_due", due);
    render_texts(render, "past_due", due);
    render_texts(
        render,
        "pending_verification",
        account->state == ACCOUNT_PENDING ? "individual.verification.document" : "");
    json_close_object(w);
    json_open_object(w, "future_requirements");
    render_empty_arrays(render, "alternatives");
    render_nulls(render, "current_deadline");
    render_empty_arrays(render, "currently_due");
    render_nulls(render, "disabled_reason");
    render_empty_arrays(render, "errors eventually_due past_due pending_verification");
    json_close_object(w);
}

static void render_business(struct render *render, const struct account *account)
{
    struct json_writer *w = &render->writer;

    json_open_object(w, "business_profile");
    render_nulls(render, "annual_revenue estimated_worker_count");
    json_put_text(w, "mcc", account->mcc);
    render_nulls(render, "minority_owned_business_designation");
    json_put_text(w, "name", account->business_name);
    render_text_if(render, "product_description", account->product_description);
    render_nulls(render, "specified_commercial_transactions_act_url support_address");
    json_put_text(w, "support_email", account->support_email);
    render_nulls(render, "support_phone support_url");
    json_put_text(w, "url", account->business_url);
    json_close_object(w);
    if (account->business_type == NULL) {
        json_put_null(w, "business_type");
    } else {
        json_put_text(w, "business_type", account->business_type);
    }
}

static void render_controller(struct render *render, const struct account *account)
{
    struct json_writer *w = &render->writer;

    json_open_object(w, "controller");
    if (account->object.owner != NULL) {
        json_open_object(w, "fees");
        json_put_text(w, "payer", account->fees_payer);
        json_close_object(w);
        json_put_bool(w, "is_controller", true);
        json_open_object(w, "losses");
        json_put_text(w, "payments", account->losses_payments);
        json_close_object(w);
        json_put_text(w, "requirement_collection", "stripe");
        json_open_object(w, "stripe_dashboard");
        json_put_text(w, "type", account->dashboard);
        json_close_object(w);
    }
    json_put_text(w, "type", account->object.owner == NULL ? "account" : "application");
    json_close_object(w);
}

static void render_settings(struct render *render)
{
    struct json_writer *w = &render->writer;

    json_open_object(w, "settings");
    json_open_object(w, "branding");
    render_nulls(render, "icon logo primary_color secondary_color");
    json_close_object(w);
    json_open_object(w, "card_payments");
    render_nulls(
        render,
        "statement_descriptor_prefix statement_descriptor_prefix_kana "
        "statement_descriptor_prefix_kanji");
    json_close_object(w);
    json_open_object(w, "dashboard");
    render_nulls(render, "display_name");
    json_put_text(w, "timezone", "Etc/UTC");
    json_close_object(w);
    json_open_object(w, "payments");
    render_nulls(
        render,
        "statement_descriptor statement_descriptor_kana statement_descriptor_kanji "
        "statement_descriptor_prefix_kana statement_descriptor_prefix_kanji");
    json_close_object(w);
    json_open_object(w, "payouts");
    json_put_bool(w, "debit_negative_balances", true);
    json_open_object(w, "schedule");
    json_put_i64(w, "delay_days", 2);
    json_put_text(w, "interval", "daily");
    json_close_object(w);
    render_nulls(render, "statement_descriptor");
    json_close_object(w);
    json_close_object(w);
}

void account_render(struct render *render, const struct object *object)
{
    const struct account *account = (const struct account *)object;
    struct json_writer *w = &render->writer;

    render_business(render, account);
    json_open_object(w, "capabilities");
    if (account->card_payments_requested) {
        json_put_text(w, "card_payments", capability_status(account, true));
    }
    if (account->transfers_requested) {
        json_put_text(w, "transfers", capability_status(account, true));
    }
    json_close_object(w);
    json_put_bool(w, "charges_enabled", account_charges_enabled(account));
    render_controller(render, account);
    json_put_text(w, "country", account->country);
    json_put_i64(w, "created", object->created_s);
    json_put_text(w, "default_currency", account->currency);
    json_put_bool(w, "details_submitted", account_details_submitted(account));
    json_put_text(w, "email", account->email);
    render_list_open(render, "external_accounts");
    render_list_close(render, false, "/v1/accounts/external_accounts");
    metadata_render(render, "metadata", &account->metadata);
    json_put_bool(w, "payouts_enabled", account->state == ACCOUNT_ENABLED);
    render_requirements(render, account);
    render_settings(render);
    json_open_object(w, "tos_acceptance");
    render_i64_or_null(render, "date", account_details_submitted(account) ? object->created_s : 0);
    json_close_object(w);
    json_put_text(w, "type", account->type);
}
