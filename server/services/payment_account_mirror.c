#include "services/payment_account_mirror.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ctx.h"
#include "base/log.h"
#include "domain/event.h"
#include "http/json.h"
#include "services/services.h"
#include "store/db.h"
#include "store/dirty_object_store.h"
#include "store/event_log.h"
#include "store/stripe_account_store.h"
#include "stripe/stripe_account.h"
#include "stripe/stripe_client.h"

#define PAYLOAD_BYTES_MAX ((size_t)8 * 1024)

static void release_json(struct json **json)
{
    json_free(*json);
}

struct status
payment_account_read_raw(struct ctx *cx, struct str raw, struct payment_account *ret_account)
{
    AUTO(release_json) struct json *json = NULL;

    TRY(json_parse(cx, raw.ptr, raw.len, &json));
    stripe_account_read(cx, json_root(json), ret_account);
    return STATUS_OK;
}

/* What only the object says (country, currency, what is overdue, until when) beside what the row
 * has.
 */
static struct status complete(struct ctx *cx, const char *raw, struct payment_account *account)
{
    struct payment_account whole;

    if (raw[0] == '\0') {
        return STATUS_OK;
    }
    TRY(payment_account_read_raw(cx, str_of(raw), &whole));
    account->country = whole.country;
    account->default_currency = whole.default_currency;
    account->requirements = whole.requirements;
    account->requirement_count = whole.requirement_count;
    account->overdue_count = whole.overdue_count;
    account->deadline_us = whole.deadline_us;
    account->created_us = whole.created_us != 0 ? whole.created_us : account->created_us;
    return STATUS_OK;
}

struct status payment_account_load(
    struct ctx *cx, struct db *db, bool *ret_found, struct payment_account *ret_account)
{
    const char *raw = "";

    TRY(stripe_account_store_load(cx, db, ret_found, ret_account, &raw));
    return *ret_found ? complete(cx, raw, ret_account) : STATUS_OK;
}

struct status payment_account_lock(
    struct ctx *cx, struct tx *tx, bool *ret_found, struct payment_account *ret_account)
{
    const char *raw = "";

    TRY(stripe_account_store_lock(cx, tx, ret_found, ret_account, &raw));
    return *ret_found ? complete(cx, raw, ret_account) : STATUS_OK;
}

struct status
payment_account_tell(struct ctx *cx, struct tx *tx, const struct payment_account *account)
{
    AUTO_BUF buf;
    struct json_writer writer;
    struct event event = {.type = EVENT_PAYMENT_ACCOUNT_UPDATED};

    buf_init(&buf, PAYLOAD_BYTES_MAX);
    json_begin(&writer, &buf);
    json_open_object(&writer, NULL);
    json_put_text(&writer, "account_id", account->account_id);
    json_put_text(&writer, "state", payment_account_state_name(payment_account_state(account)));
    json_put_bool(&writer, "charges_enabled", account->charges_enabled);
    json_put_bool(&writer, "payouts_enabled", account->payouts_enabled);
    json_put_bool(&writer, "details_submitted", account->details_submitted);
    json_put_text(&writer, "disabled_reason", account->disabled_reason);
    json_close_object(&writer);
    event.payload = buf_failed(&buf) ? "{}" : arena_text(cx->arena, buf_cstr(&buf));
    return event_log_add(cx, tx, &event);
}

static bool differs(const struct payment_account *a, const struct payment_account *b)
{
    bool differ = a->charges_enabled != b->charges_enabled ||
                  a->payouts_enabled != b->payouts_enabled ||
                  a->details_submitted != b->details_submitted ||
                  a->requirement_count != b->requirement_count ||
                  strcmp(a->disabled_reason, b->disabled_reason) != 0;

    for (size_t i = 0; !differ && i < a->requirement_count; i++) {
        differ = strcmp(a->requirements[i], b->requirements[i]) != 0;
    }
    return differ;
}

struct status payment_account_apply(
    struct ctx *cx,
    struct tx *tx,
    const struct payment_account *read,
    const char *raw,
    int64_t fetch_number)
{
    struct payment_account row;
    struct payment_account next = *read;
    bool found = false;
    bool changed = false;

    TRY(payment_account_lock(cx, tx, &found, &row));
    if (!found || fetch_number <= row.fetch_number ||
        strcmp(row.account_id, read->account_id) != 0) {
        return STATUS_OK;
    }
    changed = row.fetch_number == 0 || differs(&row, read);
    next.fetch_number = fetch_number;
    next.disconnected_us = row.disconnected_us;
    TRY(stripe_account_store_write(cx, tx, &next, raw, changed));
    return changed ? payment_account_tell(cx, tx, &next) : STATUS_OK;
}

struct fetched {
    struct payment_account account;
    const char *raw;
    int64_t fetch_number;
};

static struct status write_fetched(struct ctx *cx, struct tx *tx, void *user)
{
    const struct fetched *fetched = user;

    return payment_account_apply(cx, tx, &fetched->account, fetched->raw, fetched->fetch_number);
}

static struct status write_lost(struct ctx *cx, struct tx *tx, void *user)
{
    struct payment_account row;
    bool found = false;

    (void)user;
    TRY(payment_account_lock(cx, tx, &found, &row));
    if (!found || row.disconnected_us != 0) {
        return STATUS_OK;
    }
    log_warn(cx, "payment account lost", LOG_TEXT("account", row.account_id));
    TRY(stripe_account_store_disconnect(cx, tx, cx->now_us));
    row.disconnected_us = cx->now_us;
    return payment_account_tell(cx, tx, &row);
}

/* A refused platform key (401) says nothing about the account; a 403 and a 404 do. */
static bool says_lost(const struct payment_error *error)
{
    return error->http_status == 403 || error->http_status == 404;
}

struct status
payment_account_fetch(struct ctx *cx, struct services *services, const char *account_id)
{
    struct fetched fetched = {.raw = ""};
    struct stripe_client *client = NULL;
    struct status status;

    TRY(services_payment_client(cx, services, &client));
    TRY(dirty_object_store_fetch_number(cx, services->db, &fetched.fetch_number));
    status = stripe_account_retrieve(cx, client, account_id, &fetched.account, &fetched.raw);
    if (status.code == CODE_OK) {
        return tx_run(cx, services->db, write_fetched, &fetched);
    }
    if (says_lost(stripe_client_error(client))) {
        TRY(tx_run(cx, services->db, write_lost, NULL));
    }
    return status;
}
