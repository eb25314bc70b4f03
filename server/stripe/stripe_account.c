#include "stripe/stripe_account.h"

#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "stripe/stripe_client.h"
#include "stripe/stripe_value.h"

#define FORM_BYTES_MAX ((size_t)16 * 1024)

/* What stands in both lists stands once: the overdue ones first, then what else is due now. */
static void
read_requirements(struct ctx *cx, json_value requirements, struct payment_account *account)
{
    const json_value overdue = json_get(requirements, "past_due");
    const json_value due = json_get(requirements, "currently_due");
    const json_value lists[] = {overdue, due};
    const char **texts = NULL;
    size_t count = 0;

    texts = arena_alloc(cx->arena, PAYMENT_ACCOUNT_REQUIREMENTS_MAX * sizeof *texts);
    for (size_t list = 0; list < ARRAY_LEN(lists); list++) {
        for (size_t i = 0; i < json_len(lists[list]); i++) {
            const char *text = json_text(cx, lists[list], arena_printf(cx->arena, "%zu", i));
            bool known = text[0] == '\0';

            for (size_t j = 0; j < count && !known; j++) {
                known = strcmp(texts[j], text) == 0;
            }
            if (!known && count < PAYMENT_ACCOUNT_REQUIREMENTS_MAX) {
                texts[count++] = text;
            }
        }
        account->overdue_count = list == 0 ? count : account->overdue_count;
    }
    account->requirements = texts;
    account->requirement_count = count;
}

void stripe_account_read(struct ctx *cx, json_value object, struct payment_account *ret_account)
{
    const json_value requirements = json_get(object, "requirements");

    *ret_account = (struct payment_account){
        .account_id = json_text(cx, object, "id"),
        .charges_enabled = json_bool(object, "charges_enabled"),
        .payouts_enabled = json_bool(object, "payouts_enabled"),
        .details_submitted = json_bool(object, "details_submitted"),
        .country = json_text(cx, object, "country"),
        .default_currency = stripe_value_currency(cx, object, "default_currency"),
        .disabled_reason = json_text(cx, requirements, "disabled_reason"),
        .deadline_us = stripe_value_time(requirements, "current_deadline"),
        .created_us = stripe_value_time(object, "created"),
    };
    read_requirements(cx, requirements, ret_account);
}

static void put_capability(struct stripe_form *form, const char *name)
{
    stripe_form_open(form, name);
    stripe_form_bool(form, "requested", true);
    stripe_form_close(form);
}

static void
put_setting(struct stripe_form *form, const char *group, const char *name, const char *value)
{
    stripe_form_open(form, group);
    stripe_form_text(form, name, value);
    stripe_form_close(form);
}

/* The controller instead of the deprecated type. Who bears losses must pay the fees. */
static void put_params(struct stripe_form *form, const struct stripe_account_params *params)
{
    stripe_form_open(form, "controller");
    put_setting(form, "stripe_dashboard", "type", params->full_dashboard ? "full" : "express");
    put_setting(form, "fees", "payer", params->full_dashboard ? "account" : "application");
    put_setting(form, "losses", "payments", params->full_dashboard ? "stripe" : "application");
    stripe_form_text(form, "requirement_collection", "stripe");
    stripe_form_close(form);
    stripe_form_text(form, "country", params->country);
    stripe_form_text(form, "email", params->email);
    stripe_form_open(form, "business_profile");
    stripe_form_text(form, "name", params->business_name);
    stripe_form_text(form, "url", params->business_url);
    stripe_form_close(form);
    stripe_form_open(form, "capabilities");
    put_capability(form, "card_payments");
    put_capability(form, "transfers");
    stripe_form_close(form);
    stripe_value_put_marks(form, &params->marks);
}

static struct status read_call(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_call *call,
    struct payment_account *ret_account,
    const char **ret_raw)
{
    AUTO_JSON *json = NULL;

    TRY(stripe_client_call(cx, client, call, &json, ret_raw));
    stripe_account_read(cx, json_root(json), ret_account);
    return STATUS_OK;
}

struct status stripe_account_create(
    struct ctx *cx,
    struct stripe_client *client,
    const struct stripe_account_params *params,
    const char *idempotency_key,
    struct payment_account *ret_account,
    const char **ret_raw)
{
    AUTO_BUF body = {0};
    struct stripe_form form;
    const struct stripe_call call = {
        .endpoint = "accounts.create",
        .verb = STRIPE_POST,
        .path = "/v1/accounts",
        .account_id = "",
        .platform = true,
        .form = &body,
        .idempotency_key = idempotency_key,
        .object = "account",
    };

    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    put_params(&form, params);
    return read_call(cx, client, &call, ret_account, ret_raw);
}

struct status stripe_account_retrieve(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    struct payment_account *ret_account,
    const char **ret_raw)
{
    struct stripe_call call = {
        .endpoint = "accounts.retrieve",
        .verb = STRIPE_GET,
        .path = "/v1/account",
        .account_id = "",
        .platform = true,
        .object = "account",
    };

    if (account_id[0] != '\0') {
        TRY(stripe_value_path(cx, "/v1/accounts/", account_id, "", &call.path));
    }
    return read_call(cx, client, &call, ret_account, ret_raw);
}

/* Every link is to be a new one. */
static const char *fresh_key(struct ctx *cx)
{
    const struct id id = id_new(cx->now_us);

    return id_text(cx->arena, ID_REQUEST, &id);
}

struct status stripe_account_link(
    struct ctx *cx,
    struct stripe_client *client,
    const char *account_id,
    const char *refresh_url,
    const char *return_url,
    const char **ret_url,
    int64_t *ret_expires_us)
{
    AUTO_BUF body = {0};
    AUTO_JSON *json = NULL;
    struct stripe_form form;
    const char *raw = NULL;

    buf_init(&body, FORM_BYTES_MAX);
    stripe_form_begin(&form, &body);
    stripe_form_text(&form, "account", account_id);
    stripe_form_text(&form, "type", "account_onboarding");
    stripe_form_text(&form, "refresh_url", refresh_url);
    stripe_form_text(&form, "return_url", return_url);
    put_setting(&form, "collection_options", "fields", "eventually_due");
    TRY(stripe_client_call(
        cx,
        client,
        &(struct stripe_call){
            .endpoint = "account_links.create",
            .verb = STRIPE_POST,
            .path = "/v1/account_links",
            .account_id = "",
            .platform = true,
            .form = &body,
            .idempotency_key = fresh_key(cx),
            .object = "account_link",
        },
        &json,
        &raw));
    *ret_url = json_text(cx, json_root(json), "url");
    *ret_expires_us = stripe_value_time(json_root(json), "expires_at");
    return STATUS_OK;
}

struct status stripe_account_login_link(
    struct ctx *cx, struct stripe_client *client, const char *account_id, const char **ret_url)
{
    AUTO_JSON *json = NULL;
    const char *path = NULL;
    const char *raw = NULL;

    TRY(stripe_value_path(cx, "/v1/accounts/", account_id, "/login_links", &path));
    TRY(stripe_client_call(
        cx,
        client,
        &(struct stripe_call){
            .endpoint = "login_links.create",
            .verb = STRIPE_POST,
            .path = path,
            .account_id = "",
            .platform = true,
            .idempotency_key = fresh_key(cx),
            .object = "login_link",
        },
        &json,
        &raw));
    *ret_url = json_text(cx, json_root(json), "url");
    return STATUS_OK;
}
